//! Every reason the house can give. One wording feeds log, label, journal, explanation and message.
//!
//! Absent on purpose: any text about a reason elsewhere.

mod kinds;
mod label;
mod level;
mod words;

pub use kinds::{Reason, Source};
