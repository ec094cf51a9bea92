//! Changes the world once, with permission.
//!
//! Absent on purpose: any decision. What to do arrives as a plan; what happened leaves as an outcome.

mod catch_up;
pub mod cluster;
mod current;
pub mod dns;
mod hands;
pub mod hook;
mod http;
mod looks;
mod metrics;
pub mod notify;
mod outside;
mod pace;
mod permit;
mod promote;
mod swap;
mod switch;
#[cfg(test)]
mod tests;
pub mod verify;

pub use current::CurrentService;
pub use hands::Hands;
pub use metrics::Metrics;
pub use pace::{Pace, Turn};
pub use permit::{Permit, Refusal};
pub use promote::{Promote, PromoteError};
pub use switch::{PAUSE, Switch};
