//! The baselines: two simple ways to move a record, to hold redrover against in the same worlds.
//!
//! Absent on purpose: anything that ships, and any mistake that a competent person would not make. They look through
//! the same simulated ports as redrover.

mod health_check;
mod processes;
mod three_probes;

pub(super) use processes::Baseline;
