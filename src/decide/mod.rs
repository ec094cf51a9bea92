//! Facts and a moment in, a decision out. Pure: no clock, no I/O, no randomness, no async.
//!
//! Reading order: what may be said ([`Reason`]), what is known ([`Evidence`]), what follows from it step by step
//! (health, confidence, fitness, policy), and the front door [`step()`]. [`saga`] is the same for the way of one switch.
//!
//! Absent on purpose: anything that waits, and anything that changes the world.

mod confidence;
mod decision;
mod doubt;
mod evidence;
mod fitness;
mod health;
mod incident;
mod lags;
mod latency;
mod machine;
mod notices;
mod orders;
mod otherwise;
mod outage;
mod policy;
mod reason;
mod recovery;
pub mod saga;
mod step;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod watch;

pub use confidence::{Confidence, Group, Term};
pub use decision::{AlertLevel, Decision, Plan, StandingOrder, Trigger, Verdict};
pub use evidence::{
    Abandoned, Controls, Crowd, Evidence, FiringAlert, Leadership, RecordReading, Reliability, Request,
    RequestKind,
};
pub use fitness::{Dimension, Fitness, TargetFitness, readiness};
pub use health::{DOWN_SEVERITY, Duty, Health, Judgement, Lens, Sight, answers_beside, judge};
pub use incident::Closing;
pub use lags::KnownLag;
pub use machine::{Resume, State};
pub use otherwise::{Change, Needs, otherwise};
pub use policy::{Strength, Veto, fence_of};
pub use reason::{Reason, Source};
pub use recovery::Recovery;
pub use step::step;
pub use watch::{Compared, Comparison, Measure};
