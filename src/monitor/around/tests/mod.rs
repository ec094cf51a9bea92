//! The collectors against real listeners, healthy and not.

mod client;
mod enterprise;
mod lookout;
mod range;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use super::http::HttpClients;
use crate::monitor::tests::rig::HandClock;

/// A deadline that what hangs reaches soon, and what answers never does.
const SHORT: Duration = Duration::from_millis(700);

fn clients() -> HttpClients {
    HttpClients::new(SHORT)
}

/// No authorities of one's own.
const NO_FILE: Option<PathBuf> = None;
