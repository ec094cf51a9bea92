//! What is unusual: each target is compared with itself, as it was in the rounds before.
//!
//! Absent on purpose: whether the unusual matters, which is for `decide`; season, comparison of targets with each other,
//! and learning from anything but this agent's own looks.

mod detector;
mod features;
mod score;
mod seed;

#[cfg(test)]
mod tests;

pub use score::Analyser;
