//! Orders to a cluster of Redis Enterprise, by its REST API: let a copy be a database of its own, stop and resume the traffic
//! of a database.
//!
//! Absent on purpose: looking. What a cluster says of its databases is the monitor's; here is read only what became of an
//! order. A field with a password is never asked for, and no body is kept or logged.

mod ask;
mod error;
mod logins;
mod orders;
#[cfg(test)]
mod tests;

pub use error::ClusterError;
pub use logins::RefusedLogins;
pub use orders::{ClusterOrders, Stopped};
