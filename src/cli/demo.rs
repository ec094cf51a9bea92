//! `redrover demo`: a failover from beginning to end, with real servers, told by an observer that is not the agent.

mod named;
mod observer;
mod stage;
mod story;

pub(super) use story::{DemoArgs, run};
