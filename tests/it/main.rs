//! The integration tests: real servers, the real binaries, nothing mocked.
//!
//! One binary, so that the crate is linked once. Every test starts its own servers on free ports, and cleans up.

mod around;
mod cloud_dns;
mod config;
mod crash;
mod demo;
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
mod route53;
mod secrets;
mod silence;
mod support;
mod webhook;

// What every provider must do, and what it calls by these names.
#[path = "../../src/act/dns/suite.rs"]
mod suite;
use redrover::act::dns::{Dns, DnsError, RecordChange, SendBy};
use redrover::types;
