//! Shards: their own numbers are text, those of their databases are not.

use serde_json::{Value, json};

use super::filled;
use crate::clock::iso;
use crate::rest::reply::Reply;
use crate::world::{Cluster, Database, Shard, ShardState, World};

const TEMPLATE: &str = include_str!("../../../fixtures/shard.json");

/// The shards of a database, or all.
pub fn shards(world: &World, cluster: usize, of: Option<u32>) -> Reply {
    let cluster = &world.clusters[cluster];
    if of.is_some_and(|uid| cluster.database(uid).is_none()) {
        return Reply::described(404, "bdb_not_exist", "Database does not exist");
    }
    let wanted = cluster.databases.iter().filter(|database| of.is_none_or(|uid| uid == database.uid));
    let each = wanted.flat_map(|d| d.shards.iter().map(move |shard| body(world, cluster, d, shard)));
    Reply::ok(Value::Array(each.collect()))
}

/// A shard.
pub fn shard(world: &World, cluster: usize, uid: u32) -> Reply {
    let cluster = &world.clusters[cluster];
    let mut all = cluster.databases.iter().flat_map(|d| d.shards.iter().map(move |shard| (d, shard)));
    match all.find(|(_, shard)| shard.uid == uid) {
        Some((database, shard)) => Reply::ok(body(world, cluster, database, shard)),
        None => Reply::described(404, "shard_not_exist", "Shard does not exist"),
    }
}

fn body(world: &World, cluster: &Cluster, database: &Database, shard: &Shard) -> Value {
    let is_up = cluster.node(shard.node).is_some_and(|node| node.is_up);
    let state = if is_up { shard.state } else { ShardState::Down };
    let loading = match state {
        ShardState::Loading => json!({"status": "in_progress", "progress": 41.5}),
        ShardState::Ok | ShardState::Down | ShardState::Timeout => json!({"status": "idle"}),
    };
    let mut body = filled(
        TEMPLATE,
        json!({
            "uid": shard.uid.to_string(),
            "bdb_uid": database.uid,
            "node_uid": shard.node.to_string(),
            "role": if shard.is_primary { "master" } else { "slave" },
            "assigned_slots": format!("{}-{}", shard.slots.0, shard.slots.1),
            "status": if state == ShardState::Down { "inactive" } else { "active" },
            "detailed_status": state.as_str(),
            "loading": loading,
            "report_timestamp": iso(world.unix_ms(world.now)),
        }),
    );
    if !shard.is_primary {
        let status = if state == ShardState::Ok { "idle" } else { "link_down" };
        body["sync"] = json!({"status": status});
    }
    body
}
