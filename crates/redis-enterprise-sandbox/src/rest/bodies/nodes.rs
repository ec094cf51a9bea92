//! Nodes.

use serde_json::{Map, Value, json};

use super::filled;
use crate::clock::without_zone;
use crate::rest::reply::Reply;
use crate::world::{Cluster, Node, Shard, World};

const TEMPLATE: &str = include_str!("../../../fixtures/node.json");
const STATUS_TEMPLATE: &str = include_str!("../../../fixtures/node_status.json");

/// All nodes.
pub fn nodes(world: &World, cluster: usize) -> Reply {
    let cluster = &world.clusters[cluster];
    Reply::ok(Value::Array(cluster.nodes.iter().map(|node| body(world, cluster, node)).collect()))
}

/// A node.
pub fn node(world: &World, cluster: usize, uid: u32) -> Reply {
    let cluster = &world.clusters[cluster];
    match cluster.node(uid) {
        Some(node) => Reply::ok(body(world, cluster, node)),
        None => Reply::described(404, "node_not_exist", "Node does not exist"),
    }
}

/// The state of all nodes, or of one; only here a node tells whether it leads.
pub fn nodes_status(world: &World, cluster: usize, of: Option<u32>) -> Reply {
    let cluster = &world.clusters[cluster];
    if let Some(uid) = of {
        return match cluster.node(uid) {
            Some(node) => Reply::ok(status(world, cluster, node)),
            None => Reply::described(404, "node_not_exist", "Node does not exist"),
        };
    }
    let each = cluster.nodes.iter().map(|node| (node.uid.to_string(), status(world, cluster, node)));
    Reply::ok(Value::Object(each.collect::<Map<_, _>>()))
}

fn body(world: &World, cluster: &Cluster, node: &Node) -> Value {
    let shards: Vec<_> = shards_of(cluster, node).map(|shard| shard.uid).collect();
    filled(
        TEMPLATE,
        json!({
            "uid": node.uid,
            "addr": node.internal.to_string(),
            "external_addr": [node.address.to_string()],
            "shard_count": shards.len(),
            "ram_shard_count": shards.len(),
            "shard_list": shards,
            "software_version": cluster.version_of(node),
            "status": if node.is_up { "active" } else { "down" },
            "uptime": if node.is_up { world.now / 1000 + 86_400 } else { 0 },
        }),
    )
}

fn status(world: &World, cluster: &Cluster, node: &Node) -> Value {
    let of = |is_primary: bool| {
        let shards = shards_of(cluster, node).filter(|shard| shard.is_primary == is_primary);
        shards.map(|shard| shard.uid).collect::<Vec<_>>()
    };
    let mut body = filled(
        STATUS_TEMPLATE,
        json!({
            "hostname": format!("{}-n{}", cluster.name, node.uid),
            "master_shards": of(true),
            "slave_shards": of(false),
            "node_status": if node.is_up { "active" } else { "down" },
            "role": if cluster.master == Some(node.uid) { "master" } else { "slave" },
            "software_version": cluster.version_of(node),
        }),
    );
    if let Some(since) = node.maintenance_since {
        let created = without_zone(world.unix_ms(since));
        body["maintenance_snapshot"] = json!({
            "created_time": created,
            "name": format!("maintenance_mode_{}", created.replace(' ', "_").replace(':', "-")),
            "node_uid": node.uid.to_string(),
        });
    }
    body
}

fn shards_of<'a>(cluster: &'a Cluster, node: &Node) -> impl Iterator<Item = &'a Shard> {
    let uid = node.uid;
    cluster.databases.iter().flat_map(|database| &database.shards).filter(move |shard| shard.node == uid)
}
