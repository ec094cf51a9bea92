//! The documents of the API, as far as they are read. No field that may hold a secret is among them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A value whose type differs between documents and releases: numbers come as text, and `false` as "off".
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Loose(Value);

impl Loose {
    /// A finite number.
    pub fn number(&self) -> Option<f64> {
        let number = match &self.0 {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// A text that says something.
    pub fn text(&self) -> Option<&str> {
        self.0.as_str().filter(|text| !text.is_empty())
    }

    /// A text or a whole number, as ids are.
    pub fn id(&self) -> Option<String> {
        match &self.0 {
            Value::Number(number) if number.is_u64() => Some(number.to_string()),
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    /// Yes or no.
    pub fn flag(&self) -> Option<bool> {
        match &self.0 {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text == "on" || text == "true" => Some(true),
            Value::String(text) if text == "off" || text == "false" => Some(false),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A moment such as `2026-10-05T12:00:00Z`, in seconds since the Unix epoch.
    pub fn moment(&self) -> Option<f64> {
        let moment = humantime::parse_rfc3339(self.text()?).ok()?;
        Some(moment.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs_f64())
    }

    /// Whether anything is there.
    pub fn is_there(&self) -> bool {
        !self.0.is_null()
    }
}

/// The cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster {
    pub name: Loose,
    pub availability_lag_tolerance_ms: Loose,
    pub upgrade_in_progress: Loose,
}

/// Its licence.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct License {
    pub expired: Loose,
    pub expiration_date: Loose,
    pub shards_limit: Loose,
    pub ram_shards_in_use: Loose,
}

/// Whether the node that answers reaches the one that leads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MasterHealth {
    pub status: Loose,
}

/// The report of health of newer releases, of which only the certificates are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Health {
    pub certificates: Vec<Certificate>,
}

/// A certificate.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Certificate {
    #[serde(rename = "type")]
    pub kind: Loose,
    pub valid_until: Loose,
}

/// The state of a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeStatus {
    pub node_status: Loose,
    pub role: Loose,
    pub software_version: Loose,
    pub total_memory: Loose,
    pub free_ram: Loose,
    pub free_provisional_ram: Loose,
    pub maintenance_snapshot: Loose,
}

/// A database, of which only these fields are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Database {
    pub uid: Loose,
    pub name: Loose,
    pub status: Loose,
    pub memory_size: Loose,
    pub replication: Loose,
    pub shards_count: Loose,
    pub crdt: Loose,
    pub crdt_sync: Loose,
    pub crdt_sources: Option<Vec<Source>>,
    pub replica_sync: Loose,
    pub replica_sources: Option<Vec<Source>>,
    pub traffic_manually_disabled: Loose,
}

/// The source of a link; its address may hold a password and is not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    pub uid: Loose,
    pub status: Loose,
    pub lag: Loose,
    pub last_update: Loose,
}

/// A shard.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shard {
    pub uid: Loose,
    pub bdb_uid: Loose,
    pub node_uid: Loose,
    pub role: Loose,
    pub status: Loose,
    pub detailed_status: Loose,
}

/// An alert.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Alert {
    pub enabled: Loose,
    pub state: Loose,
    pub severity: Loose,
}

/// Statistics of one thing: what is not there was not measured.
pub(super) type Stats = BTreeMap<String, Loose>;
/// Something for each thing, by its number.
pub(super) type Each<T> = BTreeMap<String, T>;
