//! What nobody documents: each is a switch, and a test of a client should pass in every position.

use serde::{Deserialize, Serialize};

/// The switches.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Variants {
    /// What clients get from the surviving shards of a cluster without a majority.
    pub without_quorum: DataPlane,
    /// Who answers PING.
    pub ping: Ping,
    /// The status of the availability of a database whose traffic was stopped.
    pub stopped_traffic_status: u16,
    /// The status of the availability of a database that is being deleted.
    pub deleting_status: u16,
    /// The status of the availability while a primary shard loads.
    pub loading_status: u16,
    /// Whether a database that awaits recovery says so, instead of `active`.
    pub recovery_is_shown: bool,
    /// The status of the answer that the master is not healthy.
    pub inactive_health_status: u16,
    /// Whether a refused login has a body.
    pub refusal_has_body: bool,
    /// Whether INFO through the proxy tells the memory limit.
    pub info_has_memory_limit: bool,
}

/// What the data plane does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataPlane {
    /// It serves.
    Serves,
    /// It refuses connections.
    Refuses,
}

/// Who answers PING.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ping {
    /// The proxy, whatever the shards do.
    Proxy,
    /// A shard.
    Shard,
}

impl Default for Variants {
    fn default() -> Self {
        Self {
            without_quorum: DataPlane::Serves,
            ping: Ping::Proxy,
            stopped_traffic_status: 503,
            deleting_status: 503,
            loading_status: 503,
            recovery_is_shown: true,
            inactive_health_status: 503,
            refusal_has_body: false,
            info_has_memory_limit: true,
        }
    }
}
