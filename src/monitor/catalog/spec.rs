//! What the catalog says of a metric.

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up and down.
    Gauge,
    /// Only rises, but for a restart; its name ends with `_total`.
    Counter,
}

/// Where a metric's value comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A numeric field of INFO, times a factor that makes it a base unit.
    Field(&'static str, f64),
    /// 1 when a field of INFO holds this text, else 0.
    Is(&'static str, &'static str),
    /// The server's clock minus its uptime.
    StartTime,
    /// A numeric field about the link to the primary, whose address is the labels; a negative number is "unknown".
    LinkField(&'static str),
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
    /// Not from INFO: written from the published view.
    View,
}

/// One metric family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricSpec {
    /// The name of its samples in the classic text form.
    pub name: &'static str,
    /// One sentence without its full stop.
    pub help: &'static str,
    /// The type.
    pub kind: MetricKind,
    /// The labels in their order; for metrics from INFO, those beside the target's own.
    pub labels: &'static [&'static str],
    /// Where the value comes from.
    pub source: Source,
}

/// The labels that name a target, first on every series of the fleet's page.
pub const TARGET_LABELS: [&str; 3] = ["redis_service", "datacenter", "target"];
