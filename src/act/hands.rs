//! What acting reaches the world with.

use std::sync::Arc;
use std::time::Duration;

use super::current::CurrentService;
use super::dns::Dns;
use super::metrics::Metrics;
use super::promote::Promote;
use crate::lead::Election;
use crate::monitor::{SiteClient, WriteCanary};
use crate::store::Journal;
use crate::types::{Clock, SiteName, Snapshot};

/// What a switch reaches the world with: the ports of one service.
#[derive(Clone)]
pub struct Hands {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The record.
    pub dns: Arc<dyn Dns>,
    /// The Redis, to change.
    pub promote: Arc<dyn Promote>,
    /// The Redis, to look at.
    pub eyes: Arc<dyn SiteClient>,
    /// Deadline of one command of a look.
    pub look_deadline: Duration,
    /// Who leads.
    pub election: Arc<dyn Election>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// What the configuration allows at this moment.
    pub current: CurrentService,
    /// The numbers.
    pub metrics: Metrics,
}

impl Hands {
    /// Looks at a site.
    pub async fn look(&self, site: &SiteName, canary: WriteCanary) -> Snapshot {
        self.eyes.look(site, self.look_deadline, canary).await
    }
}
