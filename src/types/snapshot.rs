//! What was seen of a site. What could not be seen is a [`Gap`] with its reason, never a zero.

use std::time::Duration;

use super::{Check, ControlPlane, Moment, Ratio, SiteName, TargetName};

/// Why something was not seen. Also the bounded value of every `reason` label about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Nobody listens: the host answered with a reset to the connection attempt.
    Refused,
    /// The connection was cut while in use.
    Reset,
    /// The peer closed the connection in the middle of an answer.
    Closed,
    /// No route to the host, or the network said so.
    Unreachable,
    /// The connection attempt got no answer before the deadline.
    ConnectTimeout,
    /// Connected, but the command got no answer before the deadline.
    Timeout,
    /// The host name did not resolve.
    Dns,
    /// The TLS handshake failed.
    Tls,
    /// The credentials were refused (`NOAUTH`, `WRONGPASS`).
    Auth,
    /// The user may not run the command (`NOPERM`).
    Permission,
    /// The dataset is being loaded (`LOADING`).
    Loading,
    /// A write met a read-only replica (`READONLY`).
    Readonly,
    /// Writes are refused because persistence fails (`MISCONF`).
    Misconf,
    /// Writes are refused because memory is full (`OOM`).
    Oom,
    /// A replica that does not serve while its link is down (`MASTERDOWN`).
    Masterdown,
    /// The cluster does not serve (`CLUSTERDOWN`).
    Clusterdown,
    /// A script blocks the server (`BUSY`).
    Busy,
    /// Too few good replicas to accept writes (`NOREPLICAS`).
    Noreplicas,
    /// The connection limit is reached.
    Maxclients,
    /// The canary read back another value than it wrote.
    Mismatch,
    /// The answer is not what the protocol allows, or was cut.
    Protocol,
    /// Another error answer.
    ErrorReply,
    /// It was not asked, on purpose.
    NotAsked,
}

impl GapReason {
    /// Whether people made it: credentials, permissions, TLS.
    #[must_use]
    pub fn is_config_fault(self) -> bool {
        matches!(self, Self::Auth | Self::Permission | Self::Tls)
    }

    /// The reason as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::Loading => "loading",
            Self::Readonly => "readonly",
            Self::Misconf => "misconf",
            Self::Oom => "oom",
            Self::Masterdown => "masterdown",
            Self::Clusterdown => "clusterdown",
            Self::Busy => "busy",
            Self::Noreplicas => "noreplicas",
            Self::Maxclients => "maxclients",
            Self::Mismatch => "mismatch",
            Self::Protocol => "protocol",
            Self::ErrorReply => "error_reply",
            Self::NotAsked => "not_asked",
        }
    }
}

/// Longest detail kept with a gap, in bytes.
pub const GAP_DETAIL_BYTES_MAX: usize = 200;

/// Something that was not seen, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    /// The class of the failure.
    pub reason: GapReason,
    /// What the failing part said, cut to 200 bytes; never a secret, never a label.
    pub detail: String,
}

impl Gap {
    /// A gap with a detail that is cut to its limit at a character's border.
    #[must_use]
    pub fn new(reason: GapReason, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        detail.truncate(detail.floor_char_boundary(GAP_DETAIL_BYTES_MAX));
        Self { reason, detail }
    }
}

/// What a Redis says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Accepts writes (`role:master`).
    Primary,
    /// Follows another (`role:slave`).
    Replica,
    /// A Sentinel, or something else that holds no data.
    Other,
}

/// A replica's link to its primary.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// `master_link_status:up`.
    pub up: bool,
    /// The primary's address as the replica knows it, `host:port`.
    pub source: String,
    /// A full synchronisation is under way.
    pub syncing: bool,
}

/// The facts of one INFO answer that decisions use; a field that the answer lacks is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// The role, if the answer names one.
    pub role: Option<Role>,
    /// The link to the primary, for a replica.
    pub link: Option<Link>,
    /// The dataset is being loaded.
    pub loading: Option<bool>,
    /// How long loading will take by Redis' own estimate (`loading_eta_seconds`).
    pub loading_eta: Option<Duration>,
    /// Replication offset in bytes: a primary's own (`master_repl_offset`), a replica's applied (`slave_repl_offset`).
    pub offset_bytes: Option<u64>,
    /// The identity of the dataset's history (`master_replid`).
    pub replication_id: Option<String>,
    /// `used_memory`, bytes.
    pub memory_used_bytes: Option<u64>,
    /// `maxmemory`, bytes; 0 means no limit.
    pub memory_max_bytes: Option<u64>,
    /// `total_system_memory`, bytes.
    pub memory_system_bytes: Option<u64>,
    /// `connected_clients`.
    pub clients: Option<u64>,
    /// `maxclients`.
    pub clients_max: Option<u64>,
    /// `rdb_last_bgsave_status:ok` and `aof_last_write_status:ok`.
    pub persistence_ok: Option<bool>,
}

/// One exported number: the metric's name from the catalog, extra labels, the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name as it stands in the catalog.
    pub metric: &'static str,
    /// Labels beside those of the target, in the catalog's order.
    pub labels: Vec<(&'static str, String)>,
    /// The value in base units.
    pub value: f64,
}

/// What came of a write canary.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryResult {
    /// Written, read back, equal; the time it took.
    Written(Duration),
    /// It failed.
    Failed(Gap),
    /// It was not asked for here: switched off, or a replica where a write cannot succeed.
    NotAsked,
}

/// What one look at one target brought.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TargetSnapshot {
    /// The target.
    pub target: TargetName,
    /// Connect, TLS, AUTH and PING: the round trip of PING, or the gap.
    pub ping: Result<Duration, Gap>,
    /// INFO: the facts, or the gap.
    pub facts: Result<Facts, Gap>,
    /// The write canary.
    pub canary: CanaryResult,
    /// All samples for the exposition; empty when INFO is a gap. No decision reads them, so the journal does without.
    #[serde(skip)]
    pub samples: Vec<Sample>,
    /// How long the whole look took.
    pub elapsed: Duration,
}

impl TargetSnapshot {
    /// A look that found the same gap everywhere.
    #[must_use]
    pub fn blind(target: TargetName, gap: Gap, elapsed: Duration) -> Self {
        Self {
            target,
            ping: Err(gap.clone()),
            facts: Err(gap),
            canary: CanaryResult::NotAsked,
            samples: Vec::new(),
            elapsed,
        }
    }

    /// The gap nearest to the connection: PING's, else INFO's, else the canary's.
    #[must_use]
    pub fn gap(&self) -> Option<&Gap> {
        let canary = match &self.canary {
            CanaryResult::Failed(gap) => Some(gap),
            CanaryResult::Written(_) | CanaryResult::NotAsked => None,
        };
        self.ping.as_ref().err().or(self.facts.as_ref().err()).or(canary)
    }
}

/// All that was seen of one site at one moment.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {
    /// The site.
    pub site: SiteName,
    /// When the look ended.
    pub taken: Moment,
    /// One entry for each configured target, in the configuration's order.
    pub targets: Vec<TargetSnapshot>,
    /// What the cluster's control plane says of the site; `None` when the site has none.
    pub control: Option<Result<ControlPlane, Gap>>,
    /// What else in the site's datacenter was looked at; empty when nothing is configured.
    pub domain: Vec<Check>,
    /// How unusual the site is, mapped to [0, 1]: 0 for what is usual. `None` while nothing can be said: too few looks
    /// were learned from yet, or it does not answer.
    pub anomaly: Option<Ratio>,
}
