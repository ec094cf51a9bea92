//! What is unusual: each target is compared with itself, as it was in the rounds before.
//!
//! Absent on purpose: whether the unusual matters, which is for `decide`; where rows and models are kept; any clock.

mod score;

mod features;
mod seed;

mod detector;

mod artifact;
mod train;

mod follow;
mod stream;

mod limit;
mod model;

mod plain;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use artifact::{ARTIFACT_BYTES_MAX, Artifact, ArtifactError};
pub use follow::{Follower, Judgement};
pub use limit::{Limit, Threshold};
pub use model::{Direction, Model, Recipe, Rule, Table, TrainError, Usual};
pub use plain::plain;
pub use score::Analyser;
pub use stream::{Look, Stream};
pub use train::{Trained, train};
