//! The port to the other vantages.

use std::time::Duration;

use async_trait::async_trait;

use crate::types::{ServiceName, VantageAnswer};

/// The port through which the other agents are asked what they see; the simulator has the second implementation.
#[async_trait]
pub trait Peers: Send + Sync {
    /// Asks all configured vantages about a service at once; each costs at most `deadline`. One answer for each, in
    /// the configuration's order; one that says nothing is a gap.
    async fn ask(&self, service: &ServiceName, deadline: Duration) -> Vec<VantageAnswer>;
}

/// No other vantage is configured.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

#[async_trait]
impl Peers for Alone {
    async fn ask(&self, _service: &ServiceName, _deadline: Duration) -> Vec<VantageAnswer> {
        Vec::new()
    }
}
