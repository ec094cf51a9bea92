//! The reports of health of newer releases. All their numbers are text.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::rest::reply::Reply;
use crate::world::{Cluster, Database, Form, Node, Place, Shard, Verdict, World};

/// The whole cluster at once.
pub fn cluster_health(world: &World, index: usize) -> Reply {
    let cluster = &world.clusters[index];
    let nodes: Vec<_> = cluster.nodes.iter().map(|node| self::node(world, cluster, node)).collect();
    let databases = cluster.databases.iter().map(|database| {
        let is_good = world.is_endpoint_good(Place { cluster: index, uid: database.uid });
        json!({
            "id": database.uid.to_string(),
            "name": database.name,
            "status": if is_good { "active" } else { "down" },
            "detailed_status": database.shown_status(world.variants.recovery_is_shown).as_str(),
            "version": "7.4.2",
            "high_availability": {"status": high_availability(database)},
        })
    });
    let databases: Vec<Value> = databases.collect();
    let is_good = cluster.nodes.iter().all(|node| node.is_up);
    let shards: usize = cluster.databases.iter().map(|database| database.shards.len()).sum();
    Reply::ok(json!({
        "fqdn": cluster.fqdn,
        "status": if is_good { "ok" } else { "warning" },
        "license": {
            "expired": world.unix_ms(world.now) >= cluster.license_until_unix_ms,
            "valid_until": iso(cluster.license_until_unix_ms),
            "shards_in_use": shards,
            "shards_limit": 24,
        },
        "certificates": [{"type": "api", "expired": false, "valid_until": iso(cluster.license_until_unix_ms)}],
        "nodes": nodes,
        "active_alerts": [],
        "database_infos": databases,
    }))
}

/// One database.
pub fn bdb_health(world: &World, place: Place) -> Reply {
    let Some(database) = world.database(place) else { return Reply::empty(404) };
    let cluster = &world.clusters[place.cluster];
    let verdict = world.availability(place, Form::Database, None);
    let errors = match verdict {
        Verdict::Unavailable { shard, port } => {
            let words =
                [(shard, "shard_unreachable"), (port, "port_unbound"), (!shard && !port, "general_error")];
            words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect::<Vec<_>>()
        }
        Verdict::NoQuorum => vec!["general_error"],
        Verdict::Available | Verdict::Unknown | Verdict::Elsewhere => Vec::new(),
    };
    let word = if verdict == Verdict::Available { "up" } else { "down" };
    let mut body = json!({
        "id": place.uid.to_string(),
        "name": database.name,
        "availability": word,
        "availability_errors": errors,
        "status": if verdict == Verdict::Available { "active" } else { "down" },
        "detailed_status": database.shown_status(world.variants.recovery_is_shown).as_str(),
        "high_availability": {"status": high_availability(database)},
        "endpoints": [{"name": format!("{}:{}", cluster.endpoint_name(database.port), database.port), "availability": word}],
        "shards": database.shards.iter().map(shard).collect::<Vec<_>>(),
        "active_alerts": [],
        "version": "7.4.2",
    });
    if database.crdt.is_some() {
        let links = database.sync.sources.iter().filter_map(|source| {
            let peer = world.clusters.get(source.from?.cluster)?;
            let is_lost = source.is_lost(world.now, world.timing.link_blind_ms);
            let word = if is_lost { "down" } else { "up" };
            Some(json!({"fqdn": peer.fqdn, "replica_id": source.uid.to_string(), "replication": word}))
        });
        let links: Vec<_> = links.collect();
        let is_available = links.iter().all(|link| link["replication"] == "up");
        body["active_active"] = json!({"available": is_available, "participating_clusters": links});
    }
    Reply::ok(body)
}

fn node(world: &World, cluster: &Cluster, node: &Node) -> Value {
    let shards = cluster.databases.iter().flat_map(|d| &d.shards).filter(|shard| shard.node == node.uid);
    let service =
        |name: &str, runs: bool| json!({"name": name, "status": if runs { "RUNNING" } else { "STOPPED" }});
    json!({
        "id": node.uid.to_string(),
        "status": if node.is_up { "active" } else { "down" },
        "detailed_status": if node.is_up { "active" } else { "down" },
        "role": if cluster.master == Some(node.uid) { "leader" } else { "follower" },
        "version": cluster.version_of(node),
        "in_maintenance": node.maintenance_since.is_some(),
        "quorum_only": false,
        "observed_at": world.unix_ms(world.now) / 1000,
        "services": [service("dmcproxy", node.proxies()), service("cnm_http", node.manages)],
        "shards": shards.map(shard).collect::<Vec<_>>(),
        "active_alerts": [],
    })
}

fn shard(shard: &Shard) -> Value {
    json!({
        "id": shard.uid.to_string(),
        "role": if shard.is_primary { "leader" } else { "follower" },
        "status": if shard.lost_since.is_none() { "active" } else { "inactive" },
        "detailed_status": shard.state.as_str(),
    })
}

fn high_availability(database: &Database) -> &'static str {
    let is_whole = database.shards.iter().all(|shard| shard.lost_since.is_none());
    match (database.is_replicated, is_whole) {
        (false, _) => "disabled",
        (true, true) => "up",
        (true, false) => "down",
    }
}
