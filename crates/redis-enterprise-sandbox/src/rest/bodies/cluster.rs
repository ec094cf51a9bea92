//! The cluster as a whole.

use serde_json::{Value, json};

use super::filled;
use crate::clock::iso;
use crate::rest::reply::{Ask, Reply};
use crate::world::World;

const TEMPLATE: &str = include_str!("../../../fixtures/cluster.json");
const POLICY: &str = include_str!("../../../fixtures/cluster_policy.json");
const LICENSE: &str = include_str!("../../../fixtures/license.json");

/// The cluster; it has no fields to choose from.
pub fn cluster(world: &World, cluster: usize) -> Reply {
    let cluster = &world.clusters[cluster];
    let settings = &cluster.settings;
    let versions = cluster.nodes.iter().map(|node| cluster.version_of(node));
    let is_mixed = versions.collect::<std::collections::BTreeSet<_>>().len() > 1;
    Reply::ok(filled(
        TEMPLATE,
        json!({
            "name": cluster.fqdn,
            "availability_lag_tolerance_ms": settings.availability_lag_tolerance_ms,
            "handle_redirects": settings.handle_redirects,
            "mask_bdb_credentials": settings.mask_bdb_credentials,
            "metrics_auth": settings.metrics_auth,
            "http_support": cluster.is_plain,
            "upgrade_in_progress": is_mixed,
            "upgrade_mode": is_mixed,
        }),
    ))
}

/// The cluster's policy.
pub fn policy(world: &World, _cluster: usize) -> Reply {
    let timing = &world.timing;
    Reply::ok(filled(
        POLICY,
        json!({
            "login_lockout_threshold": timing.lockout_threshold,
            "login_lockout_counter_reset_after": timing.lockout_window_ms / 1000,
            "login_lockout_duration": timing.lockout_ms / 1000,
        }),
    ))
}

/// Its licence.
pub fn license(world: &World, cluster: usize) -> Reply {
    let cluster = &world.clusters[cluster];
    let shards: usize = cluster.databases.iter().map(|database| database.shards.len()).sum();
    Reply::ok(filled(
        LICENSE,
        json!({
            "cluster_name": cluster.fqdn,
            "expiration_date": iso(cluster.license_until_unix_ms),
            "expired": world.unix_ms(world.now) >= cluster.license_until_unix_ms,
            "ram_shards_in_use": shards,
        }),
    ))
}

/// A check of the processes of every node: an answer of 200 also when it fails.
pub fn check(world: &World, cluster: usize) -> Reply {
    let cluster = &world.clusters[cluster];
    let nodes: Vec<Value> = cluster
        .nodes
        .iter()
        .map(|node| {
            let mut body = json!({"node_uid": node.uid.to_string(), "result": node.proxies()});
            if !node.proxies() {
                body["error"] = json!("process dmcproxy is not running or not responding");
            }
            body
        })
        .collect();
    let is_good = nodes.iter().all(|node| node["result"] == true);
    Reply::ok(json!({"cluster_test_result": is_good, "nodes": nodes}))
}

/// Whether this node reaches the master.
pub fn master_health(world: &World, ask: &Ask) -> Reply {
    let cluster = &world.clusters[ask.cluster];
    let is_lost = cluster.is_known_without_quorum(world.now, world.timing.quorum_notice_ms);
    if cluster.master.is_some() && !is_lost {
        return Reply::ok(json!({"status": "active"}));
    }
    Reply { status: world.variants.inactive_health_status, ..Reply::ok(json!({"status": "inactive"})) }
}

/// The changes that are under way.
pub fn actions(world: &World, cluster: usize) -> Reply {
    let changing = world.clusters[cluster].databases.iter().filter_map(|database| {
        let change = database.change.as_ref()?;
        Some(json!({
            "action_uid": change.action_uid,
            "name": "SMUpdateBDB",
            "object_name": format!("bdb:{}", database.uid),
            "status": "active",
            // Text here, a number elsewhere: clients have to take both.
            "progress": "50",
        }))
    });
    Reply::ok(json!({"actions": [], "state-machines": changing.collect::<Vec<_>>()}))
}
