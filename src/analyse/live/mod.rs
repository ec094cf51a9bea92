//! The analysis in an agent: from looks to rows, and from rows to anomalies with their reasons.
//!
//! Absent on purpose: training, which takes seconds and is done elsewhere; history beyond the rows that a model looks
//! back on.

mod analyser;

mod watched;

mod measures;
mod window;
mod words;

#[cfg(test)]
mod tests;

pub use analyser::{Analyser, Lesson, Settings};
pub use measures::measure_names;
pub use watched::{Entrance, MORE_ALARMS_MAX, Recorded, SHADOW_SECONDS};
pub use window::recorded_inputs;

pub(in crate::analyse) use measures::default_rules;
