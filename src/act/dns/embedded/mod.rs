//! The authoritative name server inside this program: a zone kept durably, and the answers to queries about it.
//!
//! Absent on purpose: zone transfers, dynamic updates, recursion, and every name that the configuration does not name.

mod answer;
mod file;
mod limit;
mod metrics;
mod provider;
mod server;
mod store;
mod table;
mod zone;

#[cfg(test)]
mod tests;

pub use metrics::DnsMetrics;
pub use provider::EmbeddedDns;
pub use server::EmbeddedServer;
pub use zone::EmbeddedZone;
