//! What the tests are written with: servers that end with the test, and the one way to wait.
//!
//! Absent on purpose: sleeping. A test waits for a condition, with [`process::wait_for`] and a limit.

pub mod agent;
pub mod catalog;
pub mod cloud_dns;
pub mod disk;
pub mod dns;
pub mod dns_proxy;
pub mod enterprise;
pub mod http;
pub mod named;
pub mod pki;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod race;
pub mod racer;
pub mod redis;
pub mod sandbox;
pub mod scene;
#[expect(dead_code, reason = "the unit tests of the channels use the rest of it")]
pub mod sink;
pub mod slow_line;
