//! The documents, made of templates and the state.

mod alerts;
mod bdb;
mod cluster;
mod health;
mod links;
mod nodes;
mod shards;
mod stats;

use serde_json::Value;

pub use alerts::{bdb_alerts, cluster_alerts, node_alerts};
pub use bdb::{bdb, bdbs};
pub use cluster::{actions, check, cluster, license, master_health, policy};
pub use health::{bdb_health, cluster_health};
pub use links::{crdb_health, crdbs, peer_stats, source_stats};
pub use nodes::{node, nodes, nodes_status};
pub use shards::{shard, shards};
pub use stats::{last_stats, stats};

/// A template with these values in the place of its own.
fn filled(template: &str, values: Value) -> Value {
    let mut body: Value = serde_json::from_str(template).unwrap_or_default();
    if let (Some(body), Value::Object(values)) = (body.as_object_mut(), values) {
        body.extend(values);
    }
    body
}
