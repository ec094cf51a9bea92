//! DNS providers behind one small trait: read the record and its fence, change both by compare-and-swap, report when visible.
//!
//! Absent on purpose: a blind write. A change that does not name what it replaces cannot be expressed.

mod open;
mod port;
mod resolvers;
mod send;

pub mod cloud_dns;
pub mod embedded;
pub mod rfc2136;
pub mod route53;

pub(crate) mod ask;
pub(crate) mod fit;
pub(crate) mod quoted;
pub(crate) mod wire;

#[cfg(test)]
mod suite;

pub use embedded::{DnsMetrics, EmbeddedServer, EmbeddedZone};
pub use open::open;
pub use port::{Answer, Dns, DnsError, Receipt, RecordChange};
pub use resolvers::Resolved;
pub use send::SendBy;
