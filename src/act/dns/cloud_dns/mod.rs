//! Google Cloud DNS: record and fence in one managed zone, changed by one request with deletions (the old sets, spelled out)
//! and additions (the new ones), which the service carries out as a whole or not at all.
//!
//! Absent on purpose: `rrsets.patch`, which overwrites what it does not name; and any retry of a change.

mod http;
mod outcome;
mod provider;
mod sets;
mod token;

pub use provider::CloudDnsProvider;
