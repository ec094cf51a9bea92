//! Keys and streams: what of them to look at, the walk through them in batches, and the samples of it.
//!
//! Absent on purpose: scripts. Groups of keys are counted here, not in the server, which goes on between two batches.

mod details;
mod emit;
mod groups;
mod labels;
mod plan;
mod seen;
mod streams;
mod walk;

pub(super) use emit::samples;
pub(super) use plan::Plan;
pub(super) use seen::Seen;
pub(super) use walk::{Walk, Walked};
