//! The simulated world: what is really so, what can be seen of it from where, and what can be done to it.
//!
//! Absent on purpose: time that passes by itself. What follows from time alone is worked out when it is asked for.

mod actor;
mod apply;
mod effects;
mod layout;
mod lease;
mod network;
mod record;
mod redis;
mod rules;
mod sights;
mod state;
mod trace;
mod truth;

pub(super) use actor::{Life, Phase};
pub(super) use effects::LateChange;
pub(super) use layout::{DOMAIN, Layout};
pub(super) use network::Node;
pub(super) use record::VISIBLE_AFTER;
pub(super) use state::{Command, EPOCH, Setting, State, WARM_UP_ROUNDS, World};
pub use trace::Violation;
pub(super) use trace::{Trace, What, moves};
