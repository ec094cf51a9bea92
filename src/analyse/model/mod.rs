//! The model of one target: what is usual at each hour, and three views of how far a row is from it.
//!
//! Absent on purpose: where rows come from, where models are kept, and the limit above which a score is an alarm.

mod table;

mod rule;

mod baseline;
mod derive;
mod season;

mod distance;
mod extremes;
mod fit;
mod scoring;
mod tail;

pub use baseline::Usual;
pub use fit::{Recipe, TrainError};
pub use rule::{Direction, Rule};
pub use scoring::{Model, PARTS};
pub use table::Table;

pub(in crate::analyse) use derive::Deriver;
pub(in crate::analyse) use scoring::Scratch;
pub(in crate::analyse) use season::median;
