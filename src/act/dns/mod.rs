//! DNS providers behind one small trait: read the record and its fence, change both by compare-and-swap, report when visible.
//!
//! Absent on purpose: a blind write. A change that does not name what it replaces cannot be expressed.

mod port;

mod open;

pub mod embedded;
pub mod route53;

pub(crate) mod ask;
pub(crate) mod wire;

pub use open::open;
pub use port::{Dns, DnsError, Receipt, RecordChange};
