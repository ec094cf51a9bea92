//! The integration tests: real servers, the real binaries, nothing mocked.
//!
//! One binary, so that the crate is linked once. Every test starts its own servers on free ports, and cleans up.

mod config;
mod demo;
mod exposition;
mod failover;
mod halts;
mod holds;
mod hung;
mod layering;
mod silence;
#[expect(dead_code, reason = "the tests that use the rest are not written yet")]
mod support;
mod webhook;
