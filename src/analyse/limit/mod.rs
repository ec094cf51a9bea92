//! Where an alarm begins: peaks over a threshold, fitted anew every hour to the scores of the last days.
//!
//! Absent on purpose: scores of rows that a model was fitted on. They tell little of the rows to come.

mod adaptive;
mod pareto;

pub use adaptive::{Limit, Threshold};
