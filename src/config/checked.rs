//! The checked configuration. Values of these types are made by `load`, which is where their rules are checked.

mod policy;
mod target;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use policy::{Flap, Policy, Weights};
pub use target::{Address, Target, Tls};

use super::Secret;
use super::around::{ClientErrors, Datacenter, HttpLogin, Maintenance, Prometheus, Reach, Vantage};
use super::cloud_dns::CloudDns;
use super::embedded::EmbeddedDns;
use super::exporter::Exporter;
use super::history::History;
use super::hooks::{Hook, Hooks};
use super::notify::Channel;
use super::rfc2136::Rfc2136;
use super::route53::Route53;
use crate::types::{AgentName, Moment, RecordName, RecordType, ResourceSet, ServiceName, SiteName};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How often and how long to probe.
    pub global: Global,
    /// Who this agent is.
    pub agent: Agent,
    /// What this agent must reach itself before it may vote.
    pub self_checks: Vec<Reach>,
    /// The datacenters that services may have sites in.
    pub datacenters: Vec<Datacenter>,
    /// The services, in the file's order, names unique; at least one where the exporter has no group of its own.
    pub services: Vec<Service>,
    /// What is exported beside the services.
    pub exporter: Exporter,
    /// How notifications come in.
    pub webhook: Webhook,
    /// Where Alertmanager is, for its silences.
    pub alertmanager: Option<Alertmanager>,
    /// Where applications' errors are counted; present when a service has a query.
    pub prometheus: Option<Prometheus>,
    /// How people are told; names unique.
    pub notify: Vec<Channel>,
    /// The authoritative name server inside this program; present when a service uses it.
    pub embedded_dns: Option<EmbeddedDns>,
    /// How what is unusual is found.
    pub analysis: Analysis,
    /// How long what happened is remembered.
    pub history: History,
}

/// The analysis of what is unusual.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The time from one row of history to the next.
    pub period: Duration,
    /// How much history is kept of each target.
    pub history: Duration,
    /// Before so much of it, fixed limits stand in for a model.
    pub history_min: Duration,
    /// A model is made anew so often.
    pub retrain: Duration,
    /// Where an alarm begins.
    pub threshold: AnomalyThreshold,
    /// What counts as a deviation of some signals, instead of the defaults.
    pub signals: Vec<AnalysisSignal>,
}

/// Where an alarm begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnomalyThreshold {
    /// So that usual looks exceed it so often in a day.
    AlarmsPerDay(f64),
    /// So that this share of the looks exceeds it.
    Contamination(f64),
    /// Always this score.
    Fixed(f64),
}

/// What counts as a deviation of one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisSignal {
    /// Its name.
    pub name: String,
    /// Whether more is unusual, and whether less is.
    pub direction: AnomalyDirection,
    /// A smaller deviation is none, in the signal's unit.
    pub deviation_min: f64,
    /// A smaller deviation is none, as a share of what is expected.
    pub deviation_min_share: f64,
}

/// The side on which a signal deviates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnomalyDirection {
    /// More and less.
    Both,
    /// More alone.
    High,
    /// Less alone.
    Low,
}

impl Default for Analysis {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            period: Duration::from_secs(60),
            history: 14 * DAY,
            history_min: DAY,
            retrain: DAY,
            threshold: AnomalyThreshold::AlarmsPerDay(2.0),
            signals: Vec::new(),
        }
    }
}

/// Probing.
#[derive(Debug, Clone, PartialEq)]
pub struct Global {
    /// Time from one round to the next.
    pub probe_interval: Duration,
    /// Deadline of each command of a look; shorter than the interval, which no look outlasts.
    pub probe_timeout: Duration,
}

/// This agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its name: the owner in a fence.
    pub name: AgentName,
    /// The failure domain it observes from; the name of a datacenter, or of a place that is none.
    pub failure_domain: SiteName,
    /// Where the journal lives.
    pub data_dir: PathBuf,
    /// The other agents that are asked what they see; names unique.
    pub vantages: Vec<Vantage>,
}

/// The webhook's rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// The alert label that names the service.
    pub service_label: String,
    /// Who may post.
    pub auth: WebhookAuth,
    /// Largest accepted body, bytes.
    pub body_bytes_max: usize,
}

/// Who may post notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookAuth {
    /// Anybody who reaches the port.
    Open,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
}

/// Alertmanager's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alertmanager {
    /// Base URL, `http` or `https`.
    pub url: url::Url,
    /// How this agent proves itself, where it must.
    pub login: Option<HttpLogin>,
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// How the sites of a service share their data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Every site accepts writes (Redis Enterprise Active-Active).
    ActiveActive,
    /// Redis Enterprise Replica Of.
    ReplicaOf,
    /// Plain replication: the standby is a read-only replica.
    Replication,
}

impl Topology {
    /// The topology as the configuration writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActiveActive => "active-active",
            Self::ReplicaOf => "replica-of",
            Self::Replication => "replication",
        }
    }
}

/// What the agent may do for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Watch and explain only.
    Observe,
    /// Recommend; a person acts.
    Recommend,
    /// Act.
    Automatic,
}

impl Mode {
    /// All modes, in the order of what they allow.
    pub const ALL: [Self; 3] = [Self::Observe, Self::Recommend, Self::Automatic];

    /// The mode as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Recommend => "recommend",
            Self::Automatic => "automatic",
        }
    }
}

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// How its sites share their data.
    pub topology: Topology,
    /// What may be done.
    pub mode: Mode,
    /// The DNS record.
    pub record: Record,
    /// Its sites, at least two, in the order in which a standby is chosen when all else is equal.
    pub sites: Vec<Site>,
    /// How a standby becomes primary; absent means never.
    pub promote: Option<Promote>,
    /// The write canary; absent means switched off.
    pub canary: Option<Canary>,
    /// What applications see; absent means that nobody asks them.
    pub client_errors: Option<ClientErrors>,
    /// What is called before and after a switch.
    pub hooks: Hooks,
    /// When people work on it.
    pub maintenance: Vec<Maintenance>,
    /// Whether everything is decided and told, and nothing done.
    pub dry_run: bool,
    /// Windows, thresholds and weights.
    pub policy: Policy,
}

impl Service {
    /// The site of that name.
    #[must_use]
    pub fn site(&self, name: &SiteName) -> Option<&Site> {
        self.sites.iter().find(|s| s.name == *name)
    }

    /// The sites whose maintenance windows are open at a moment; `None` is the service as a whole.
    pub fn maintained(&self, now: Moment) -> impl Iterator<Item = Option<&SiteName>> {
        let now = now.unix_ms();
        let is_open = move |w: &&Maintenance| w.from_unix_ms <= now && now < w.until_unix_ms;
        self.maintenance.iter().filter(is_open).map(|window| window.site.as_ref())
    }

    /// What the record holds while a site is active, in the normal form of a record's values.
    #[must_use]
    pub fn values_of(&self, site: &Site) -> BTreeSet<String> {
        match &self.record.provider {
            Provider::Route53(place) => place.values_of(&self.sites, &site.name),
            Provider::Rfc2136(_) | Provider::CloudDns(_) | Provider::Embedded => {
                BTreeSet::from([site.dns_target.clone()])
            }
        }
    }

    /// The record as it is written for a site.
    #[must_use]
    pub fn set_of(&self, site: &Site) -> ResourceSet {
        ResourceSet { ttl_seconds: self.record.ttl_seconds, values: self.values_of(site) }
    }

    /// The site that is active while the record holds these values.
    #[must_use]
    pub fn site_of(&self, values: &BTreeSet<String>) -> Option<&Site> {
        match &self.record.provider {
            Provider::Route53(_) => self.sites.iter().find(|site| self.values_of(site) == *values),
            Provider::Rfc2136(_) | Provider::CloudDns(_) | Provider::Embedded => {
                let only = values.first().filter(|_| values.len() == 1)?;
                self.sites.iter().find(|site| site.dns_target == *only)
            }
        }
    }
}

/// The service's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The name that clients use.
    pub name: RecordName,
    /// Its type.
    pub kind: RecordType,
    /// Its time to live, seconds.
    pub ttl_seconds: u32,
    /// Who holds it.
    pub provider: Provider,
    /// How old a read of the record may be while nothing is suspected.
    pub read_interval: Duration,
    /// Name servers to verify at, instead of those the zone names.
    pub name_servers: Vec<SocketAddr>,
    /// Resolvers that clients ask, to verify at as well after a switch.
    pub resolvers: Vec<SocketAddr>,
}

/// Who holds a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Provider {
    /// Amazon Route 53.
    Route53(Route53),
    /// A primary name server that takes dynamic updates.
    Rfc2136(Rfc2136),
    /// Google Cloud DNS.
    CloudDns(CloudDns),
    /// This program's own name server (see [`EmbeddedDns`]).
    Embedded,
}

impl Provider {
    /// The provider as the configuration writes it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Route53(_) => "route53",
            Self::Rfc2136(_) => "rfc2136",
            Self::CloudDns(_) => "cloud-dns",
            Self::Embedded => "embedded",
        }
    }
}

/// One site of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The datacenter it is in.
    pub name: SiteName,
    /// What the record holds while this site is active, in the normal form of a record's values.
    pub dns_target: String,
    /// Its Redis addresses, at least one.
    pub targets: Vec<Target>,
    /// Its id at the cluster of its datacenter; absent means that no control plane is asked.
    pub database: Option<u32>,
}

/// How a standby becomes primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promote {
    /// `REPLICAOF NO ONE` at the target.
    Replicaof {
        /// Promote although the old primary could be neither paused nor proven gone.
        without_fencing: bool,
    },
    /// The copying of a Replica Of is switched off at the target's cluster.
    Enterprise {
        /// Promote although the old primary could be neither stopped nor proven gone.
        without_fencing: bool,
    },
    /// A program or an address of the operator's own.
    Hook {
        /// It.
        hook: Hook,
        /// Promote although the old primary could be neither paused nor proven gone.
        without_fencing: bool,
    },
}

impl Promote {
    /// Whether a promotion is allowed although the old primary could be neither paused nor proven gone.
    #[must_use]
    pub fn without_fencing(&self) -> bool {
        match self {
            Self::Replicaof { without_fencing }
            | Self::Enterprise { without_fencing }
            | Self::Hook { without_fencing, .. } => *without_fencing,
        }
    }

    /// Whether somebody else's program does it, which may go on when nobody waits for it any more.
    #[must_use]
    pub fn is_by_hook(&self) -> bool {
        match self {
            Self::Replicaof { .. } | Self::Enterprise { .. } => false,
            Self::Hook { .. } => true,
        }
    }

    /// Whether the cluster of the target does it.
    #[must_use]
    pub fn is_by_cluster(&self) -> bool {
        match self {
            Self::Enterprise { .. } => true,
            Self::Replicaof { .. } | Self::Hook { .. } => false,
        }
    }
}

/// The write canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The reserved prefix of its keys.
    pub key_prefix: String,
}
