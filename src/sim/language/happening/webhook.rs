//! What is posted to agents.

use std::time::Duration;

use super::{Rank, Who};
use crate::types::{AlertState, SiteName};

/// A notification, as Alertmanager posts it. It holds one alert for each service that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// To which agents.
    pub to: Vec<Who>,
    /// The `alertname`.
    pub alert: String,
    /// Firing or resolved.
    pub state: AlertState,
    /// The `datacenter` label; `None` leaves it out.
    pub site: Option<SiteName>,
    /// When the alert began, after time 0; `None` means with the first post of this alert since it was last resolved.
    pub starts: Option<Duration>,
    /// The token.
    pub token: Token,
    /// How often it is posted to each agent.
    pub times: u32,
    /// Over how long, evenly.
    pub over: Duration,
    /// What the fingerprints of repeated posts are.
    pub fingerprint: Fingerprint,
    /// Of which service; `None` means all.
    pub service: Option<Rank>,
    /// Posted instead of a notification, as it stands.
    pub body: Option<String>,
}

/// The token of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The right one.
    Good,
    /// A wrong one.
    Bad,
    /// None at all.
    Missing,
}

/// The fingerprints of repeated posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fingerprint {
    /// All the same: that of this alert, service and site.
    Same,
    /// Each another one.
    Random,
}
