//! Collecting and normalising: what a Redis says, and what could not be seen, with its reason.
//!
//! Absent on purpose: any judgement. A gap is reported, never weighed; whether it matters is for `decide`.

mod around;
mod canary;
mod catalog;
mod collect;
mod error;
mod exporter;
mod exposition;
mod format;
mod guard;
mod info;
mod inventory;
mod login;
mod normalise;
mod patience;
mod reasons;
mod redis;
mod rights;
mod signals;
mod socket;
mod tls;
mod translate;
mod vantage;

#[cfg(test)]
mod tests;

pub use around::{
    AlertLabels, Collectors, RANGE_POINTS_MAX, RangeClient, RangeError, RangeSeries, SilenceClient,
    incident_labels,
};
pub use canary::{CANARY_PAYLOAD_BYTES, CANARY_TTL, CanaryProbe};
pub use catalog::{
    CATALOG, MetricKind, MetricSpec, Names, SECTIONS, Section, Source, TARGET_LABELS, Unit, counted,
    enterprise, house, manual, spec,
};
pub use collect::{Metrics, Monitor, SiteClient, WriteCanary};
pub use error::{Operation, RedisError};
pub use exporter::{Connections, Exporter, ExporterOptions};
pub use exposition::{Block, Page, register};
pub use format::Format;
pub use info::{INFO_BYTES_MAX, InfoError, InfoReply, facts};
pub use inventory::{ClusterPicture, Inventory, Pictures};
pub use normalise::{samples, signals};
pub use patience::Patience;
pub use redis::RedisClient;
pub use signals::{SIGNAL_TABLE, SignalBook, SignalSpec, Signals, TargetSignals};
pub use tls::{TlsError, TlsProfiles, trusting_nobody};
pub use vantage::{Alone, Peers};
