//! All inputs of one decision.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::terms::{ANOMALY_SOURCE, CLIENT_SOURCE, alert_source};
use crate::types::{
    AgentName, AlertKey, CheckKind, Moment, Ratio, RecordView, SiteName, Snapshot, Surroundings,
    VantageAnswer, VantageReport,
};

/// Alerts that the journal keeps with a decision: what one cause usually raises, several times over.
const ALERTS_KEPT_MAX: usize = 32;

/// An alert that fires for the service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordReading {
    /// It was read.
    Seen(RecordView),
    /// The provider could not be asked; the text is its own.
    Unread(String),
    /// The provider says that the zone or the name is wrong; the text is its own.
    Refused(String),
}

/// Who leads, as this agent sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leadership {
    /// This agent.
    Leads,
    /// Another agent.
    Follows,
    /// Nobody can say.
    #[default]
    Unknown,
}

/// What kind of move a person ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To a site.
    #[default]
    Failover,
    /// Back to the site that was left last, once it is stable.
    Failback,
    /// The same, before it was stable for as long as is asked of it.
    EarlyFailback,
}

/// A person's order to move to a site.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Request {
    /// Where to.
    pub to: SiteName,
    /// Who asked: the system's user name.
    pub by: String,
    /// How long ago.
    pub age: Duration,
    /// What kind of move.
    #[serde(default)]
    pub kind: RequestKind,
}

/// The attempts to switch that were given up since one succeeded or a person acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Abandoned {
    /// How long ago the last one was.
    pub age: Duration,
    /// Why it was given up.
    pub why: String,
    /// How many there were.
    pub count: u32,
}

/// What people and the agent's own state allow.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Controls {
    /// A person has paused the service.
    pub is_paused: bool,
    /// Sites that a person has put into maintenance; `None` stands for the whole service.
    pub maintenance: Vec<Option<SiteName>>,
    /// Why the service is halted until a person acknowledges, if it is.
    pub halted: Option<String>,
    /// The journal takes entries.
    pub is_durable: bool,
    /// Who leads.
    pub leadership: Leadership,
    /// A switch of this service is under way.
    pub is_switching: bool,
    /// The site that switch moves to.
    pub switching_to: Option<SiteName>,
    /// The epoch of the fence as the journal last knew it; `None` when the journal knows nothing.
    pub known_epoch: Option<u64>,
    /// The sites that switches have left, as far as the journal knows.
    pub left: Vec<SiteName>,
    /// The sites whose writes this agent holds back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<SiteName>,
    /// Attempts that were given up, if there were any.
    pub abandoned: Option<Abandoned>,
    /// Ages of the switches that nobody has acknowledged.
    pub switch_ages: Vec<Duration>,
    /// Age of the last acknowledgement.
    pub acknowledged: Option<Duration>,
    /// What a person ordered, if it still waits.
    pub request: Option<Request>,
}

/// How many of this agent's services have an active site that it sees down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Crowd {
    /// Services whose active site this agent sees down.
    pub down: usize,
    /// Services this agent watches.
    pub total: usize,
}

/// How far each source of evidence was right in the incidents that are over; a source without history is trusted.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Reliability(BTreeMap<String, Ratio>);

impl Reliability {
    /// Confirmed incidents that every source begins with, so that one false alarm does not silence it.
    const PRIOR: f64 = 4.0;

    /// From counts of incidents in which a source spoke: confirmed ones, and those that nothing confirmed. The smoothed
    /// precision `(confirmed + 4) / (confirmed + unconfirmed + 4)`, which begins at 1.
    #[must_use]
    pub fn of_counts<'a>(counts: impl IntoIterator<Item = (&'a str, u32, u32)>) -> Self {
        let one = |(source, confirmed, unconfirmed): (&str, u32, u32)| {
            let (good, bad) = (f64::from(confirmed) + Self::PRIOR, f64::from(unconfirmed));
            (source.to_owned(), Ratio::clamped(good / (good + bad)))
        };
        Self(counts.into_iter().map(one).collect())
    }

    /// The reliability of a source.
    #[must_use]
    pub fn of(&self, source: &str) -> Ratio {
        self.0.get(source).copied().unwrap_or(Ratio::ONE)
    }
}

/// All inputs of one decision about one service. There is no secret in it: a journal may keep it, and people may read it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// This agent.
    pub agent: AgentName,
    /// The failure domain of this agent.
    pub failure_domain: SiteName,
    /// What this agent just saw, one snapshot for each site, in the configuration's order.
    pub snapshots: Vec<Snapshot>,
    /// The deadline of those looks.
    pub probe_timeout: Duration,
    /// The time from one round to the next.
    pub probe_interval: Duration,
    /// The other configured vantages, and what they said.
    pub vantages: Vec<VantageAnswer>,
    /// What is seen around the service.
    pub surroundings: Surroundings,
    /// This agent's services.
    pub crowd: Crowd,
    /// How far the sources were right before.
    pub reliability: Reliability,
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

    /// What the journal keeps: without the samples, which no decision reads, and without what another program could
    /// make grow without end.
    #[must_use]
    pub fn abridged(&self) -> Self {
        let mut kept = self.clone();
        // Only the youngest alert about a site counts for the confidence.
        kept.alerts.sort_by_key(|alert| alert.age);
        kept.alerts.truncate(ALERTS_KEPT_MAX);
        let spoken: BTreeSet<String> = kept.alerts.iter().map(|alert| alert_source(&alert.name)).collect();
        kept.reliability.0.retain(|source, _| {
            spoken.contains(source) || source == CLIENT_SOURCE || source == ANOMALY_SOURCE
        });
        for target in kept.snapshots.iter_mut().flat_map(|seen| &mut seen.targets) {
            target.samples = Vec::new();
        }
        let sites = &self.snapshots;
        for report in kept.vantages.iter_mut().filter_map(|vantage| vantage.said.as_mut().ok()) {
            report.votes.retain(|vote| sites.iter().any(|seen| seen.site == vote.site));
            report.votes.truncate(sites.len());
        }
        kept
    }

    /// How unusual the active site is; `None` while the analysis cannot say.
    pub(super) fn anomaly(&self, active: Option<&SiteName>) -> Option<Ratio> {
        self.snapshot(active?)?.anomaly
    }

    /// How many failure domains have a configured vantage, this agent's own included.
    #[must_use]
    pub fn vantages_configured(&self) -> usize {
        let others = || self.vantages.iter().map(|v| &v.failure_domain);
        let is_new = |(before, domain): &(usize, &SiteName)| {
            **domain != self.failure_domain && !others().take(*before).any(|known| known == *domain)
        };
        1 + others().enumerate().filter(is_new).count()
    }

    /// What the vantages that answered have reported, with their failure domains.
    pub(super) fn reports(&self) -> impl Iterator<Item = (&SiteName, &VantageReport)> {
        self.vantages.iter().filter_map(|v| Some((&v.failure_domain, v.said.as_ref().ok()?)))
    }

    /// Whether an agent is one of the configured others.
    pub(super) fn is_fellow(&self, agent: &AgentName) -> bool {
        *agent != self.agent && self.vantages.iter().any(|v| v.agent == *agent)
    }

    /// Whether an agent is this one, or one of the configured others.
    pub(super) fn is_ours(&self, agent: &AgentName) -> bool {
        *agent == self.agent || self.is_fellow(agent)
    }

    /// Whether names resolve here: a name that does not resolve then says something about the name.
    pub(super) fn resolves(&self) -> bool {
        self.surroundings.self_checks.iter().any(|c| c.kind == CheckKind::Dns && c.result.is_ok())
    }
}

/// The age of an observation at a moment; an observation from the future has none.
pub(super) fn age(now: Moment, then: Moment) -> Option<Duration> {
    now.mono.checked_sub(then.mono)
}
