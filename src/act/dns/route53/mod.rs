//! Amazon Route 53: record and fence in one hosted zone, changed by one batch of DELETE old and CREATE new.
//!
//! Absent on purpose: UPSERT, which overwrites what it does not name, and the SDK's own retries of a change.

mod answers;
mod client;
mod outcome;
mod place;
mod provider;
mod sets;
mod text;
mod zone;

#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;

pub use provider::Route53Dns;
