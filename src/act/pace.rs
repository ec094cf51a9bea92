//! How many switches of one agent may change anything at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Switches of one agent under way at once: a datacenter that goes dark takes all its services with it, and a provider
/// takes some five changes a second.
const SWITCHES_MAX: usize = 2;

/// Lets switches go on in turns; the others wait in the order in which they came.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Semaphore>);

impl Default for Pace {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SWITCHES_MAX)))
    }
}

impl Pace {
    /// Waits for a turn.
    pub async fn turn(&self) -> Turn {
        // A closed semaphore would only mean that nobody paces any more.
        Turn { _held: Arc::clone(&self.0).acquire_owned().await.ok() }
    }

    /// Whether any switch has a turn.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.available_permits() < SWITCHES_MAX
    }
}

/// A switch's turn, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    _held: Option<OwnedSemaphorePermit>,
}
