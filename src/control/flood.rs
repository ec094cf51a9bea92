//! Says once that more alerts of a service fire than are remembered.

use crate::store::{FIRING_MAX, Story};
use crate::types::ServiceName;

/// Whether it was said, since there was room last.
#[derive(Debug, Default)]
pub(super) struct Flood {
    is_told: bool,
}

impl Flood {
    /// Notes how many alerts were dropped since the last time.
    pub(super) fn note(&mut self, service: &ServiceName, story: &Story, dropped: u64) {
        if dropped > 0 && !self.is_told {
            tracing::warn!(
                %service,
                alerts = dropped,
                limit = FIRING_MAX,
                "more alerts fire than are remembered: the others are dropped"
            );
            self.is_told = true;
        }
        self.is_told &= story.firing.len() >= FIRING_MAX;
    }
}
