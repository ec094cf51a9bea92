//! How good or bad a target is in each respect: numbers in [0, 1] with 0 for good, from its looks of the last minutes.
//!
//! Absent on purpose: what is usual and what matters, which is for `analyse` and `decide`. `docs/signals.md` is written
//! from the table here.

mod book;
mod latency;
mod mix;
mod pressure;
mod reading;
mod table;
mod usual;
mod window;

#[cfg(test)]
mod tests;

pub use book::{SignalBook, Signals, TargetSignals};
pub use table::{SIGNAL_TABLE, SignalSpec};
