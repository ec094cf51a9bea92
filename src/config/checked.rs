//! The checked configuration. Values of these types are made by `load`, which is where their rules are checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Secret;
use super::around::{ClientErrors, Datacenter, HttpLogin, Maintenance, Prometheus, Reach, Vantage};
use super::notify::Channel;
use super::rfc2136::Rfc2136;
use crate::types::{AgentName, Ratio, RecordName, RecordType, ServiceName, SiteName, TargetName};

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
    /// The services, in the file's order; at least one, names unique.
    pub services: Vec<Service>,
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

/// The name server inside this program.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedDns {
    /// Where it listens, UDP and TCP.
    pub listen: SocketAddr,
    /// The delegated zone; every embedded record lies in it.
    pub zone: RecordName,
    /// The zone's own NS names as the parent delegates them; at least one.
    pub name_servers: Vec<RecordName>,
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

    /// The site whose DNS target is `value` (in the normal form of a record's values).
    #[must_use]
    pub fn site_of_value(&self, value: &str) -> Option<&Site> {
        self.sites.iter().find(|s| s.dns_target == value)
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
}

/// Who holds a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Provider {
    /// Amazon Route 53.
    Route53(Route53),
    /// A primary name server that takes dynamic updates.
    Rfc2136(Rfc2136),
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
            Self::Embedded => "embedded",
        }
    }
}

/// Where the record lives at Route 53.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route53 {
    /// The hosted zone's id.
    pub zone_id: String,
    /// Another endpoint than Amazon's.
    pub endpoint: Option<url::Url>,
    /// The signing region.
    pub region: String,
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

/// One Redis address, with all that is needed to talk to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The address as shown to people.
    pub name: TargetName,
    /// The address itself.
    pub address: Address,
    /// TLS, when the scheme asks for it.
    pub tls: Option<Tls>,
    /// The ACL user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

/// Where a Redis listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host name or an IP address, and a port.
    Tcp {
        /// Host name, or IP address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

/// TLS towards a Redis.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Tls {
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, a PEM file; together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// The client key, a PEM file.
    pub key_file: Option<PathBuf>,
    /// The name to verify, where it differs from the address.
    pub server_name: Option<String>,
}

/// How a standby becomes primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promote {
    /// `REPLICAOF NO ONE` at the target.
    Replicaof {
        /// Promote although the old primary could be neither paused nor proven gone.
        without_fencing: bool,
    },
}

/// The write canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The reserved prefix of its keys.
    pub key_prefix: String,
}

/// Windows, thresholds and weights of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// A dead service must stay dead for so long.
    pub confirm_window: Duration,
    /// And over at least so many consecutive rounds.
    pub confirm_rounds: u32,
    /// The window when the whole site is silent.
    pub isolation_confirm: Duration,
    /// Confidence that a failover needs.
    pub theta_auto: Ratio,
    /// Confidence that a recommendation needs.
    pub theta_recommend: Ratio,
    /// Lag up to here costs nothing.
    pub rpo_soft: Duration,
    /// Lag from here on makes a target unfit.
    pub rpo_hard: Duration,
    /// Oldest accepted lag measurement, counted at the moment the outage began.
    pub lag_evidence_max_age: Duration,
    /// So long a loading Redis counts as coming up.
    pub loading_budget: Duration,
    /// Damping of repeated switches.
    pub flap: Flap,
    /// Time between automatic switches, unless acknowledged.
    pub min_auto_interval: Duration,
    /// The site that was left must be healthy for so long before going back is recommended.
    pub failback_stability: Duration,
    /// A decision older than this is re-validated or dropped.
    pub decision_ttl: Duration,
    /// Severity of faults that people make: credentials, TLS, ACL.
    pub config_error_severity_cap: Ratio,
    /// Automatic although there are fewer than three vantages in different failure domains.
    pub accept_fewer_vantages: bool,
    /// Weights of the evidence groups, nats.
    pub weights: Weights,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirm_window: Duration::from_secs(20),
            confirm_rounds: 4,
            isolation_confirm: Duration::from_secs(90),
            theta_auto: Ratio::clamped(0.90),
            theta_recommend: Ratio::clamped(0.60),
            rpo_soft: Duration::from_secs(1),
            rpo_hard: Duration::from_secs(30),
            lag_evidence_max_age: Duration::from_secs(60),
            loading_budget: Duration::from_secs(60),
            flap: Flap::default(),
            min_auto_interval: Duration::from_secs(1800),
            failback_stability: Duration::from_secs(1800),
            decision_ttl: Duration::from_secs(60),
            config_error_severity_cap: Ratio::clamped(0.6),
            accept_fewer_vantages: false,
            weights: Weights::default(),
        }
    }
}

/// Flap damping, after the route flap damping of BGP (RFC 2439).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flap {
    /// Added by each switch.
    pub penalty: f64,
    /// The penalty halves in this time.
    pub half_life: Duration,
    /// From here on nothing moves automatically.
    pub suppress: f64,
    /// Until it has decayed below this.
    pub reuse: f64,
}

impl Default for Flap {
    fn default() -> Self {
        Self { penalty: 1000.0, half_life: Duration::from_secs(900), suppress: 2000.0, reuse: 750.0 }
    }
}

/// Weights of the evidence groups in nats, and the bias; all weights are at least 0 and finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// What the log-odds are with no evidence at all; negative.
    pub bias: f64,
    /// The data path, as the vantages see it.
    pub vantage: f64,
    /// The cluster's control plane.
    pub control: f64,
    /// What the other sites see of the active one.
    pub peer: f64,
    /// What applications see.
    pub client: f64,
    /// What else of that datacenter is silent.
    pub domain: f64,
    /// Alertmanager.
    pub alert: f64,
    /// The anomaly score.
    pub anomaly: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            bias: -6.5,
            vantage: 6.0,
            control: 2.5,
            peer: 2.0,
            client: 2.0,
            domain: 2.0,
            alert: 1.5,
            anomaly: 1.0,
        }
    }
}
