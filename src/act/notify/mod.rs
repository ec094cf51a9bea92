//! Messages to people: from the journal's entries to a text, past routing and limits into the outbox, and out by the
//! channels.
//!
//! The journal is the only source: whatever it holds is told, whoever wrote it, and nothing waits for a channel but the
//! messages themselves. Absent on purpose: any wording of a reason, which `decide` has, and any way back into a decision.

mod backoff;
mod channel;
mod chronicle;
mod courier;
mod desk;
mod message;
mod metrics;
#[cfg(test)]
mod tests;
mod words;

pub use channel::{Channels, DeliveryError, OpenError};
pub use courier::Courier;
pub use desk::{Addressed, Desk};
pub use message::{Kind, Message, Phase};
pub use metrics::NotifyMetrics;
