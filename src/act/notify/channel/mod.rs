//! The channels: each makes the bytes of a message in a pure function, and sends them.
//!
//! Absent on purpose: what a message says, and when it is sent. Also redirects: a message goes where the configuration
//! says.

mod alertmanager;
mod email;
mod error;
mod http;
mod open;
mod pagerduty;
mod slack;
mod smtp;
#[cfg(test)]
mod tests;
mod text;
mod webhook;

pub(super) use alertmanager::REPOST_MS;
pub use error::{DeliveryError, OpenError};
pub use open::{Channels, Delivery};
