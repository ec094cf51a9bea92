//! The ports of a simulated agent: the only things of it that are not shipped code.
//!
//! Absent on purpose: anything that decides. A port asks the world, takes the time that the answer takes, and lets
//! happen what hangs on the step.

mod clock;
mod dns;
mod election;
mod eyes;
mod gate;
mod hands;
mod journal;
mod peers;

pub(super) use clock::SimClock;
pub(super) use dns::SimDns;
pub(super) use election::SimElection;
pub(super) use eyes::SimEyes;
pub(super) use gate::Gate;
pub(super) use hands::SimHands;
pub(super) use journal::SimJournal;
pub(super) use peers::SimPeers;
