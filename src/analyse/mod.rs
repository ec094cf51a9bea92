//! What is unusual: each target is compared with itself, as it was in the days before, and with others of its kind.
//!
//! Absent on purpose: whether the unusual matters, which is for `decide`; where rows and models are kept; any clock.

mod live;

mod artifact;
mod drift;
mod follow;
mod limit;
mod model;
mod peers;
mod plain;
mod seed;
mod stream;
mod train;

#[cfg(test)]
mod properties;

pub use artifact::{ARTIFACT_BYTES_MAX, Artifact, ArtifactError};
pub use drift::Drift;
pub use follow::{Follower, Judgement};
pub use limit::{Limit, Threshold};
pub use live::{
    Analyser, Entrance, Lesson, MORE_ALARMS_MAX, Recorded, SHADOW_SECONDS, Settings, measure_names,
    recorded_inputs,
};
pub use model::{Direction, Model, Recipe, Rule, Table, TrainError, Usual};
pub use plain::plain;
pub use stream::{Look, Stream};
pub use train::{Trained, train};
