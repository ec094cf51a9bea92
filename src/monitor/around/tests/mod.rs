//! The collectors against real listeners, healthy and not.

mod client;
mod enterprise;
mod lookout;
mod range;
mod server;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http::HttpClients;
use crate::types::{Clock, Moment, SystemClock};

/// A deadline that what hangs reaches soon, and what answers never does.
const SHORT: Duration = Duration::from_millis(700);

/// A clock that a test moves.
struct HandClock(Mutex<Moment>);

impl HandClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SystemClock::new().now())))
    }

    fn forward(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

fn clients() -> HttpClients {
    HttpClients::new(SHORT)
}

/// No authorities of one's own.
const NO_FILE: Option<PathBuf> = None;
