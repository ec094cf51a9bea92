//! History from Prometheus: range queries, chunk by chunk, and what an agent would have seen in them.
//!
//! Absent on purpose: guesses. A series that is missing, and a value that is not a number, is a gap, never a zero; a
//! moment without any look is no round at all.

mod chunk;
mod history;
mod look;
mod query;
mod rebuild;
mod vantages;

pub use history::{Asked, PrometheusHistory};
