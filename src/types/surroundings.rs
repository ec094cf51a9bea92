//! What is looked at beside the Redis itself: what the agent must reach, what applications report, what else answers
//! in a datacenter, what a cluster's control plane says, and where people have asked for quiet.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Gap, Ratio, SiteName};

/// How a check looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// It opens a TCP connection.
    Tcp,
    /// It resolves a name.
    Dns,
    /// It asks by HTTP and expects an answer, whatever its status.
    Http,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Check {
    /// What was looked at, as configured.
    pub name: String,
    /// How.
    pub kind: CheckKind,
    /// How long it took, or why it failed.
    pub result: Result<Duration, Gap>,
}

/// What is seen around a service.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Surroundings {
    /// What this agent must reach before it may vote; empty when nothing is configured.
    pub self_checks: Vec<Check>,
    /// The share of failing requests as applications see them; `None` when no query is configured.
    pub client_errors: Option<Result<Ratio, Gap>>,
    /// The sites whose incidents a person has silenced; `None` when no Alertmanager is configured.
    #[serde(default)]
    pub silenced: Option<Result<BTreeMap<SiteName, Silence>, Gap>>,
}

/// A silence in Alertmanager: a person has asked for quiet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub comment: String,
    /// Its end (RFC 3339).
    pub until: String,
}

/// What a cluster's control plane says of one site's database.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ControlPlane {
    /// Why the database is not available, in the control plane's own code; `None` when it is available.
    pub unavailable: Option<String>,
    /// How far this site is behind the other sites, where the control plane says so.
    pub lag: Option<Duration>,
    /// Whether the links over which this site receives the other sites' writes are in sync.
    pub is_link_up: Option<bool>,
    /// Whether a member of an Active-Active database has the others' recent writes, by its own lag check. It proves
    /// nothing of an outage: a minute after a link is cut, both ends fail it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_fresh: Option<bool>,
    /// Whether the database receives the writes of a source (Replica Of), and so must be promoted before clients may write
    /// to it; of a member of an Active-Active database nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_copy: Option<bool>,
    /// Memory that the data may take, bytes; 0 means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
}
