//! Learning: the history of every target on disk, the models that are made of it, and the task that makes them.
//!
//! Absent on purpose: what a model is, which is for `analyse`; anything that a probe would have to wait for.

mod learner;
mod learning;
mod lessons;

mod history;
mod models;

pub use history::{History, HistoryError};
pub use learner::Learner;
pub use learning::{LearnError, Learning, Place};
pub use lessons::{Lessons, Ready};
pub use models::{Listed, ModelError, Models};
