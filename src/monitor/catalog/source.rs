//! Where a metric's value comes from.

/// Where a metric's value comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A numeric field of INFO, times a factor that makes it a base unit.
    Field(&'static str, f64),
    /// As [`Source::Field`], where a negative number stands for "not known" or "never".
    Known(&'static str, f64),
    /// 1 when a field of INFO holds this text, else 0.
    Is(&'static str, &'static str),
    /// A state set: for each of these texts 1 when the field of INFO holds it, else 0.
    State(&'static str, &'static [&'static str]),
    /// The server's clock minus its uptime.
    StartTime,
    /// A numeric field about the link to the primary, whose address is the labels; a negative number is "unknown".
    LinkField(&'static str, f64),
    /// 1 when a field about the link holds this text, else 0.
    LinkIs(&'static str, &'static str),
    /// 1, with these fields' texts as labels; present when the first field is.
    Facts(&'static [&'static str]),
    /// Rows `<prefix><label>:part=number,…` of a section.
    Row {
        /// The section.
        section: &'static str,
        /// The key's beginning; its rest is the label.
        prefix: &'static str,
        /// The part of the row.
        part: &'static str,
        /// The factor to the base unit.
        scale: f64,
    },
    /// Rows `db<n>:part=number,…` of the keyspace.
    Database {
        /// The part of the row.
        part: &'static str,
        /// The factor to the base unit.
        scale: f64,
    },
    /// Rows `slave<n>:ip=…,port=…,state=…,part=number` of a primary.
    ConnectedReplica(&'static str),
    /// Rows `latency_percentiles_usec_<cmd>:p50=…,…` of INFO, with sum and count from the command's other row.
    Percentiles,
    /// `LATENCY HISTOGRAM`, with the sum from INFO.
    LatencyHistogram,
    /// The row of an event in `LATENCY LATEST`: the column, and the factor to the base unit.
    LatencyEvent(usize, f64),
    /// `SLOWLOG LEN`.
    SlowlogLength,
    /// The latest entry of `SLOWLOG GET 1`: the column, and the factor to the base unit.
    SlowlogEntry(usize, f64),
    /// A numeric parameter of `CONFIG GET`.
    Parameter(&'static str),
    /// The limits of `CONFIG GET client-output-buffer-limit`: hard and soft in bytes, or the soft one's seconds.
    BufferLimit(BufferLimit),
    /// Every numeric parameter of `CONFIG GET *`.
    Parameters,
    /// Every parameter of `CONFIG GET *`, with its text as a label.
    ParameterTexts,
    /// A numeric field of `CLUSTER INFO`.
    Cluster(&'static str),
    /// 1 when `CLUSTER INFO` says that the cluster is fine.
    ClusterState,
    /// A part of each row of `CLIENT LIST`.
    Client(&'static str),
    /// The moment that lies as many seconds in the past as a part of each row of `CLIENT LIST` says.
    ClientSince(&'static str),
    /// 1 for each row of `CLIENT LIST`, with these parts as labels.
    ClientFacts(&'static [&'static str]),
    /// A part of each row `master<n>:name=…,…` of a Sentinel's INFO.
    Watched(&'static str),
    /// 1, with the state that a Sentinel's INFO gives a primary as a label.
    WatchedStatus,
    /// A field of each row of `SENTINEL MASTERS`, times a factor.
    WatchedField(&'static str, f64),
    /// How many of a primary's replicas, or of its other Sentinels, a Sentinel finds in order.
    InOrder(Watchers),
    /// Whether `SENTINEL CKQUORUM` is content.
    Quorum,
    /// Something about keys that a scrape looks at.
    Key(KeyFact),
    /// A field of `XINFO STREAM`; of an id, its milliseconds.
    Stream(&'static str),
    /// A field of each row of `XINFO GROUPS`.
    StreamGroup(&'static str),
    /// A field of each row of `XINFO CONSUMERS`, times a factor.
    StreamConsumer(&'static str, f64),
    /// Counted by this program, in its registry.
    Registry,
    /// Not from a Redis: written from the published view, or from the process itself.
    View,
}

impl Source {
    /// Whether the value comes from INFO.
    #[must_use]
    pub fn is_info(&self) -> bool {
        match self {
            Self::Field(..)
            | Self::Known(..)
            | Self::Is(..)
            | Self::State(..)
            | Self::StartTime
            | Self::LinkField(..)
            | Self::LinkIs(..)
            | Self::Facts(_)
            | Self::Row { .. }
            | Self::Database { .. }
            | Self::ConnectedReplica(_) => true,
            Self::Percentiles
            | Self::LatencyHistogram
            | Self::LatencyEvent(..)
            | Self::SlowlogLength
            | Self::SlowlogEntry(..)
            | Self::Parameter(_)
            | Self::BufferLimit(_)
            | Self::Parameters
            | Self::ParameterTexts
            | Self::Cluster(_)
            | Self::ClusterState
            | Self::Client(_)
            | Self::ClientSince(_)
            | Self::ClientFacts(_)
            | Self::Watched(_)
            | Self::WatchedStatus
            | Self::WatchedField(..)
            | Self::InOrder(_)
            | Self::Quorum
            | Self::Key(_)
            | Self::Stream(_)
            | Self::StreamGroup(_)
            | Self::StreamConsumer(..)
            | Self::Registry
            | Self::View => false,
        }
    }
}

/// What a limit of an output buffer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferLimit {
    /// Bytes.
    Bytes,
    /// Seconds above the soft limit.
    Seconds,
}

/// What is told of keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyFact {
    /// The length or the number of elements of one.
    Size,
    /// The number that one holds.
    Value,
    /// The memory of one.
    Memory,
    /// How many a pattern has.
    Matching,
    /// How many a group has.
    GroupKeys,
    /// The memory of a group.
    GroupMemory,
    /// How many groups there are.
    Groups,
    /// How long the groups took, times a factor.
    GroupsDuration(f64),
    /// Whether all were looked at that were to be.
    Complete,
}

/// Whom a Sentinel knows beside a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watchers {
    /// The primary's replicas.
    Replicas,
    /// The other Sentinels.
    Sentinels,
}
