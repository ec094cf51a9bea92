//! Amazon Route 53: record and fence in one hosted zone, changed by one batch of DELETE old and CREATE new; or in a public
//! and a private zone, one after the other.
//!
//! Absent on purpose: UPSERT, which overwrites what it does not name, and the SDK's own retries of a change.

mod answers;
mod client;
mod iam;
mod outcome;
mod place;
mod provider;
mod sets;
mod twin;
mod zone;

#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin_tests;

pub use iam::policy;
pub use provider::Route53Dns;
