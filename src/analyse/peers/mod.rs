//! Targets of one service and role beside each other: which of them behaves unlike its peers.
//!
//! Absent on purpose: what is usual of a target by itself, which is for the model; whether it matters. Nothing is learned
//! here, so it speaks after a few periods.

mod group;

mod band;

#[cfg(test)]
mod tests;

pub(in crate::analyse) use group::{Compared, Peculiar, Peers, Worst};
