//! The exporter: a scrape of one target, asked over its own connection and written as a page at once.
//!
//! Absent on purpose: decisions. They look through `collect.rs`, at less, and over other connections; what is slow or odd
//! here costs them nothing. Also absent: timers. A target is asked when somebody scrapes it.

mod blocked;
mod command;
mod discovery;
mod error;
mod families;
mod keys;
mod link;
mod prober;
mod reading;
mod resp;
mod targets;
#[cfg(test)]
mod tests;

pub use prober::Connections;
pub use targets::{Exporter, ExporterOptions};
