//! All inputs of one decision.

use std::time::Duration;

use crate::types::{AlertKey, Moment, Ratio, RecordView, SiteName, Snapshot};

/// The opinion of another vantage about one site.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    /// The failure domain it observes from.
    pub failure_domain: SiteName,
    /// The site it speaks of.
    pub site: SiteName,
    /// How badly the site fails, as it sees it; `None` when it could not or would not say.
    pub severity: Option<Ratio>,
}

/// An alert that fires for the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringAlert {
    /// Its identity; two notifications about one alert are one item.
    pub key: AlertKey,
    /// Its name, for people.
    pub name: String,
    /// The site it speaks of; `None` speaks of the service as a whole.
    pub site: Option<SiteName>,
    /// Age of the last notification that said so.
    pub age: Duration,
}

/// What is known of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordReading {
    /// It was read.
    Seen(RecordView),
    /// The provider could not be asked; the text is its own.
    Unread(String),
}

/// What people and the agent's own state allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls {
    /// A person has paused the service.
    pub is_paused: bool,
    /// Why the service is halted until a person acknowledges, if it is.
    pub halted: Option<String>,
    /// The journal takes entries.
    pub is_durable: bool,
    /// This agent leads.
    pub is_leading: bool,
    /// A switch of this service is under way.
    pub is_switching: bool,
    /// The site that switch moves to.
    pub switching_to: Option<SiteName>,
    /// The epoch of the fence as the journal last knew it; `None` when the journal knows nothing.
    pub known_epoch: Option<u64>,
    /// Age of the last attempt that was abandoned, and why it was.
    pub abandoned: Option<(Duration, String)>,
    /// Ages of the switches that nobody has acknowledged.
    pub switch_ages: Vec<Duration>,
}

/// All inputs of one decision about one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What this agent just saw, one snapshot for each site, in the configuration's order.
    pub snapshots: Vec<Snapshot>,
    /// The deadline of those looks.
    pub probe_timeout: Duration,
    /// The time from one round to the next.
    pub probe_interval: Duration,
    /// The failure domain of this agent.
    pub failure_domain: SiteName,
    /// How many vantages are configured, this agent included.
    pub vantages_configured: usize,
    /// What the other vantages said.
    pub votes: Vec<Vote>,
    /// What fires.
    pub alerts: Vec<FiringAlert>,
    /// The record and its fence.
    pub record: RecordReading,
    /// What is allowed.
    pub controls: Controls,
}

impl Evidence {
    /// The snapshot of a site.
    #[must_use]
    pub fn snapshot(&self, site: &SiteName) -> Option<&Snapshot> {
        self.snapshots.iter().find(|s| s.site == *site)
    }
}

/// The age of an observation at a moment; an observation from the future has none.
pub(super) fn age(now: Moment, then: Moment) -> Option<Duration> {
    now.mono.checked_sub(then.mono)
}
