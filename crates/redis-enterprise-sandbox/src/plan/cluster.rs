//! Clusters, their users and their databases at the start.

use serde::{Deserialize, Serialize};

/// One cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterPlan {
    /// What the control endpoint calls it.
    pub name: String,
    /// Its domain; `rc-NAME.sandbox.test` without one.
    #[serde(default)]
    pub fqdn: Option<String>,
    /// The version profile.
    #[serde(default = "profile")]
    pub profile: String,
    /// How many nodes it has.
    #[serde(default = "three")]
    pub nodes: u32,
    /// The node that leads its management; without it the second one, if there is one, for clients like to assume
    /// that it is the first.
    #[serde(default)]
    pub master: Option<u32>,
    /// Whether the REST API speaks clear text, as the real one does on port 8080.
    #[serde(default)]
    pub plain: bool,
    /// The port of the REST API on every node; 0 takes a free one.
    #[serde(default)]
    pub rest_port: u16,
    /// The port of the metrics on every node; 0 takes a free one.
    #[serde(default)]
    pub metrics_port: u16,
    /// What can be set for the cluster as a whole.
    #[serde(default)]
    pub settings: Settings,
    /// Who may ask.
    #[serde(default = "users")]
    pub users: Vec<UserPlan>,
    /// The databases.
    #[serde(default)]
    pub databases: Vec<DatabasePlan>,
}

/// Settings of a cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Milliseconds that an Active-Active member may be behind, where the question does not say.
    pub availability_lag_tolerance_ms: u64,
    /// Whether a follower forwards what only the master answers, instead of redirecting.
    pub handle_redirects: bool,
    /// Whether database passwords are masked.
    pub mask_bdb_credentials: bool,
    /// Whether Basic authentication is on; only some profiles can switch it off.
    pub basic_auth: bool,
    /// Whether the metrics need a login.
    pub metrics_auth: bool,
    /// Whether the health check of the master needs a login.
    pub master_healthcheck_api_auth: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            availability_lag_tolerance_ms: 100,
            handle_redirects: false,
            mask_bdb_credentials: false,
            basic_auth: true,
            metrics_auth: false,
            master_healthcheck_api_auth: true,
        }
    }
}

/// Somebody who may ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPlan {
    /// The mail address that is the name.
    pub name: String,
    /// The password.
    pub password: String,
    /// What it may do.
    pub role: Role,
}

/// What a user may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read databases, nodes, statistics and alerts.
    DbViewer,
    /// Also events and metrics.
    ClusterViewer,
    /// Also change databases.
    DbMember,
    /// Everything.
    Admin,
}

/// Which nodes serve a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// One of them.
    #[default]
    Single,
    /// Those with a primary shard.
    AllMasterShards,
    /// All of them.
    AllNodes,
}

/// One database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabasePlan {
    /// Its number in this cluster.
    pub uid: u32,
    /// Its name.
    pub name: String,
    /// Its port on every node that serves it; 0 takes a free one.
    #[serde(default)]
    pub port: u16,
    /// Whether the cluster chose the port, so that the database itself says 0.
    #[serde(default)]
    pub system_port: bool,
    /// How many primary shards it has.
    #[serde(default = "one")]
    pub primaries: u32,
    /// Whether each primary shard has a replica.
    #[serde(default = "yes")]
    pub replication: bool,
    /// Which nodes serve it.
    #[serde(default)]
    pub policy: Policy,
    /// Whether clients speak TLS to it.
    #[serde(default)]
    pub tls: bool,
    /// The password of its default user.
    #[serde(default)]
    pub password: Option<String>,
    /// Its limit in bytes.
    #[serde(default = "gibibyte")]
    pub memory_size: u64,
    /// The id of the Active-Active database whose member it is.
    #[serde(default)]
    pub crdt: Option<String>,
    /// Its number among the members.
    #[serde(default)]
    pub replica_id: u32,
    /// Where it copies from.
    #[serde(default)]
    pub replica_of: Vec<SourcePlan>,
    /// Whether a copy refuses writes.
    #[serde(default)]
    pub read_only: bool,
    /// Whether nobody uses it: statistics then have gaps, and no latency.
    #[serde(default)]
    pub idle: bool,
}

/// A source of a copy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcePlan {
    /// Its cluster.
    pub cluster: String,
    /// Its number there.
    pub database: u32,
}

fn profile() -> String {
    "8.0.10".to_owned()
}

fn one() -> u32 {
    1
}

fn three() -> u32 {
    3
}

fn yes() -> bool {
    true
}

fn gibibyte() -> u64 {
    1 << 30
}

fn users() -> Vec<UserPlan> {
    let user = |name: &str, password: &str, role| UserPlan {
        name: format!("{name}@sandbox.test"),
        password: password.to_owned(),
        role,
    };
    vec![
        user("viewer", "viewer-password", Role::DbViewer),
        user("auditor", "auditor-password", Role::ClusterViewer),
        user("member", "member-password", Role::DbMember),
    ]
}
