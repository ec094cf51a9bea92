//! Facts and a moment in, a decision out. Pure: no clock, no I/O, no randomness, no async.
//!
//! Reading order: what may be said ([`Reason`]), what is known ([`Evidence`]), what follows from it step by step
//! (health, confidence, fitness, policy), and the front door [`step()`]. [`saga`] is the same for the way of one switch.
//!
//! Absent on purpose: anything that waits, and anything that changes the world.

mod confidence;
mod decision;
mod evidence;
mod fitness;
mod health;
mod machine;
mod orders;
mod outage;
mod policy;
mod reason;
pub mod saga;
mod step;
mod terms;
#[cfg(test)]
mod tests;

pub use confidence::{Confidence, Group, Term};
pub use decision::{AlertLevel, Decision, Plan, StandingOrder, Verdict};
pub use evidence::{Controls, Evidence, FiringAlert, RecordReading, Vote};
pub use fitness::{Dimension, Fitness, TargetFitness, readiness};
pub use health::{Duty, Health, Judgement, Sight, judge};
pub use machine::{Resume, State};
pub use policy::{Strength, Veto, fence_of};
pub use reason::Reason;
pub use step::step;
