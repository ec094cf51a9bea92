//! HTTP, thin: a handler checks who calls and what is said, hands it over, and answers.
//!
//! Absent on purpose: work. Nothing here probes, decides or changes anything.

mod auth;
mod clusters;
mod error;
mod landing;
mod listen;
mod metrics;
mod page;
mod paths;
mod process;
mod retrain;
mod router;
mod scrape;
mod server;
mod web;
mod webhook;

pub use listen::{ListenAddress, ListenAddressError};
pub use metrics::Metrics;
pub use paths::{TelemetryPath, TelemetryPathError};
pub use router::{ReloadRequest, Serve, router};
pub use server::Server;
pub use web::{WebError, WebKeeper, WebRules};
