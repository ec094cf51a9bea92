//! Alerts that follow from the state. Thresholds are text, and one state is "off" in the place of false.

use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::rest::reply::Reply;
use crate::world::{Database, SourceState, World};

/// Alerts of databases, or of one.
pub fn bdb_alerts(world: &World, cluster: usize, of: Option<u32>) -> Reply {
    let cluster = &world.clusters[cluster];
    if let Some(uid) = of {
        return match cluster.database(uid) {
            Some(database) => Reply::ok(Value::Object(of_bdb(world, database))),
            None => Reply::described(404, "bdb_not_exist", "Database does not exist"),
        };
    }
    let each = cluster.databases.iter().map(|d| (d.uid.to_string(), Value::Object(of_bdb(world, d))));
    Reply::ok(Value::Object(each.collect()))
}

/// Alerts of nodes, or of one.
pub fn node_alerts(world: &World, cluster: usize, of: Option<u32>) -> Reply {
    let cluster = &world.clusters[cluster];
    let wanted = cluster.nodes.iter().filter(|node| of.is_none_or(|uid| uid == node.uid));
    let mut body = Map::new();
    for node in wanted {
        let mut alerts = Map::new();
        alerts.insert("node_failed".to_owned(), alert(world, !node.is_up, "CRITICAL", None));
        alerts.insert("node_cpu_utilization".to_owned(), alert(world, false, "WARNING", Some("80")));
        body.insert(node.uid.to_string(), Value::Object(alerts));
    }
    match of {
        Some(uid) => match body.remove(&uid.to_string()) {
            Some(alerts) => Reply::ok(alerts),
            None => Reply::described(404, "node_not_exist", "Node does not exist"),
        },
        None => Reply::ok(Value::Object(body)),
    }
}

/// Alerts of the cluster.
pub fn cluster_alerts(world: &World, cluster: usize) -> Reply {
    let cluster = &world.clusters[cluster];
    let dead: Vec<_> = cluster.nodes.iter().filter(|node| !node.is_up).map(|node| node.uid).collect();
    let versions = cluster.nodes.iter().map(|node| cluster.version_of(node));
    let is_mixed = versions.collect::<std::collections::BTreeSet<_>>().len() > 1;
    let week_ms = 7 * 86_400_000;
    let ends = world.unix_ms(world.now).saturating_add(week_ms) >= cluster.license_until_unix_ms;
    let mut down = alert(world, dead.len() > 1, "WARNING", None);
    down["change_value"]["dead_nodes"] = json!(dead);
    Reply::ok(json!({
        "cluster_multiple_nodes_down": down,
        "cluster_inconsistent_rl_sw": alert(world, is_mixed, "INFO", None),
        "cluster_license_about_to_expire": alert(world, ends, "WARNING", Some("7")),
        "cluster_too_few_nodes_for_replication": alert(world, cluster.nodes.len() < 2, "INFO", None),
    }))
}

fn of_bdb(world: &World, database: &Database) -> Map<String, Value> {
    let mut alerts = Map::new();
    let is_full = database.keys.bytes() as u64 > database.memory_size / 5 * 4;
    alerts.insert("bdb_size".to_owned(), alert(world, is_full, "WARNING", Some("80")));
    if database.is_idle {
        alerts["bdb_size"]["state"] = json!("off");
    }
    if database.sync.sources.is_empty() {
        return alerts;
    }
    let (kind, blind_ms) = match database.crdt {
        Some(_) => ("crdt", world.timing.link_blind_ms),
        None => ("replica", world.timing.copy_blind_ms),
    };
    let state = |source: &crate::world::Source| source.state(database.sync.state, world.now, blind_ms);
    let is_lost = database.sync.sources.iter().any(|source| state(source) == SourceState::OutOfSync);
    let lag = database.sync.sources.iter().map(|source| source.lag_ms(world.now, 0)).max().unwrap_or(0);
    let name = |what: &str| format!("bdb_{kind}_src_{what}");
    alerts.insert(name("syncer_connection_error"), alert(world, is_lost, "WARNING", None));
    alerts.insert(name("high_syncer_lag"), alert(world, lag > 500, "WARNING", Some("500")));
    alerts
}

fn alert(world: &World, state: bool, severity: &str, threshold: Option<&str>) -> Value {
    let severity = if state { severity } else { "INFO" };
    let mut body = json!({
        "change_time": iso(world.started_unix_ms),
        "change_value": {"state": state},
        "enabled": true,
        "severity": severity,
        "state": state,
    });
    if let Some(threshold) = threshold {
        body["threshold"] = json!(threshold);
        body["change_value"]["threshold"] = json!(threshold);
    }
    body
}
