//! The integration tests: real servers, the real binaries, nothing mocked.
//!
//! One binary, so that the crate is linked once. Every test starts its own servers on free ports, and cleans up.

mod around;
mod catalog;
mod config;
mod crash;
mod demo;
mod enterprise;
mod exposition;
mod failover;
mod halts;
mod holds;
mod hung;
mod journal;
mod layering;
mod notify;
mod reload;
mod replay;
mod rfc2136;
mod scrape;
mod secrets;
mod silence;
mod support;
mod webhook;

// The providers' common suite names it so; see rfc2136.rs.
use redrover::types;
