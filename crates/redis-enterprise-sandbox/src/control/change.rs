//! A change of the state: of what, and which.

use serde::Deserialize;
use serde_json::Value;

use crate::clock::Ms;
use crate::plan::Settings;
use crate::world::{AccountStatus, DnsFault, RestFault, ShardState, Status, SyncState, WireFault};

/// One change, as it is ordered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Of what: `a`, `a/node/2`, `a/bdb/1`, `a/shard/3`, `a/user/NAME`, or `link/a/b` for what flows from `a` to `b`.
    pub target: String,
    /// Which: a word, or an object with one word and its value.
    pub change: Value,
}

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The target's form is not known.
    #[error("{0} is no target")]
    Form(String),
    /// The target is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// That cannot be changed there.
    #[error("that is no change of {target}: {source}")]
    Change {
        /// The target.
        target: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// A change of a cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterChange {
    /// Nobody outside reaches it, and it reaches nobody.
    Isolate,
    /// It is reached again.
    Rejoin,
    /// What is wrong with its REST API.
    Rest(RestFault),
    /// What is wrong with its names.
    Dns(DnsFault),
    /// It shows another certificate.
    RotateCertificate,
    /// The days that its licence still lasts; less than 0 when it has ended.
    LicenseDays(i64),
    /// Its settings, all of them.
    Settings(Settings),
    /// A new secret makes all tokens worthless.
    ForgetTokens,
}

/// A change of a node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeChange {
    /// It stops.
    Down,
    /// It runs.
    Up,
    /// Its proxy ends, and comes back by itself.
    ProxyDown,
    /// Its management process ends.
    ManagementDown,
    /// Its management process runs.
    ManagementUp,
    /// People begin to work on it.
    MaintenanceOn,
    /// They are done.
    MaintenanceOff,
    /// It has another version.
    Version(String),
}

/// A change of a database.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseChange {
    /// Its state.
    Status(Status),
    /// People stop its traffic.
    StopTraffic,
    /// They let it go on.
    ResumeTraffic,
    /// Its cluster was recovered, and it awaits the same.
    AwaitRecovery,
    /// It was recovered.
    Recover,
    /// What its clients' connections suffer.
    Wire(WireFault),
    /// How it copies from others.
    Sync(SyncState),
    /// A full copy of its sources begins, and ends after so many milliseconds.
    FullCopyMs(Ms),
    /// Its primary shards are lost, those with and those without replicas.
    LoseShards,
}

/// A change of the links from one cluster to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkChange {
    /// They are cut, in both directions.
    Cut,
    /// They are whole again, in both directions.
    Heal,
    /// In this direction they are so many milliseconds behind.
    BehindMs(Ms),
}

/// A change of a user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserChange {
    /// How it is.
    Status(AccountStatus),
    /// Its password.
    Password(String),
}

/// Of what, and which.
#[derive(Debug, Clone)]
pub enum Change {
    /// Of a cluster.
    Cluster(String, ClusterChange),
    /// Of a node.
    Node(String, u32, NodeChange),
    /// Of a database.
    Database(String, u32, DatabaseChange),
    /// Of a shard.
    Shard(String, u32, ShardState),
    /// Of a user.
    User(String, String, UserChange),
    /// Of the links from one cluster to another.
    Link(String, String, LinkChange),
}

impl Change {
    /// Reads an order.
    pub fn read(order: &Order) -> Result<Self, ChangeError> {
        let target = &order.target;
        let parts: Vec<&str> = target.split('/').collect();
        let number = |text: &str| text.parse().map_err(|_| ChangeError::Form(target.clone()));
        let name = |text: &str| text.to_owned();
        Ok(match parts.as_slice() {
            ["link", from, to] => Self::Link(name(from), name(to), which(order)?),
            [cluster] => Self::Cluster(name(cluster), which(order)?),
            [cluster, "node", uid] => Self::Node(name(cluster), number(uid)?, which(order)?),
            [cluster, "bdb", uid] => Self::Database(name(cluster), number(uid)?, which(order)?),
            [cluster, "shard", uid] => Self::Shard(name(cluster), number(uid)?, which(order)?),
            [cluster, "user", user] => Self::User(name(cluster), name(user), which(order)?),
            _ => return Err(ChangeError::Form(target.clone())),
        })
    }
}

fn which<T: for<'de> Deserialize<'de>>(order: &Order) -> Result<T, ChangeError> {
    let change = |source| ChangeError::Change { target: order.target.clone(), source };
    T::deserialize(&order.change).map_err(change)
}
