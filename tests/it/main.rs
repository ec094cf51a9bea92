//! The integration tests: real servers, the real binaries, nothing mocked.
//!
//! One binary, so that the crate is linked once. Every test starts its own servers on free ports, and cleans up.

mod crash;
mod layering;
#[expect(dead_code, reason = "the tests that use the rest are not written yet")]
mod support;
