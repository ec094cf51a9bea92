//! The integration tests: real servers, the real binaries, nothing mocked.
//!
//! One binary, so that the crate is linked once. Every test starts its own servers on free ports, and cleans up.

mod anomaly_live;
mod around;
mod audit;
mod capacity;
mod catalog;
mod cloud_dns;
mod config;
mod crash;
mod dashboards;
mod demo;
mod demote;
mod disk;
mod embedded;
mod enterprise;
mod exposition;
mod failover;
mod halts;
mod holds;
mod hooks;
mod hung;
mod journal;
mod kills;
mod layering;
mod notify;
mod outside;
mod planned;
mod reload;
mod replay;
mod replica_of;
mod retrain;
mod rfc2136;
mod route53;
mod scrape;
mod secrets;
mod silence;
mod support;
mod web;
mod webhook;

// What every provider must do, and what it calls by these names.
#[path = "../../src/act/dns/suite.rs"]
mod suite;
use redrover::act::dns::{Dns, DnsError, RecordChange, SendBy};
use redrover::types;
