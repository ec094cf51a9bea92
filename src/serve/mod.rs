//! HTTP, thin: a handler checks who calls and what is said, hands it over, and answers.
//!
//! Absent on purpose: work. Nothing here probes, decides or changes anything.

mod auth;
mod clusters;
mod error;
mod metrics;
mod page;
mod process;
mod router;
mod scrape;
mod server;
mod webhook;

pub use metrics::Metrics;
pub use router::{ReloadRequest, Serve, router};
pub use server::serve;
