//! The links between databases.

use serde_json::{Value, json};

use super::filled;
use crate::clock::iso;
use crate::rest::reply::Reply;
use crate::world::{Database, Place, Source, World};

const CRDB: &str = include_str!("../../../fixtures/crdb.json");

/// The links of a member; any other database has none.
pub fn peer_stats(world: &World, place: Place) -> Reply {
    let Some(database) = world.database(place) else {
        return Reply::described(404, "bdb_not_exist", "Database does not exist");
    };
    if database.crdt.is_none() {
        return Reply::empty(406);
    }
    let each = database.sync.sources.iter().map(|source| {
        let mut interval = interval(world, source);
        for name in ["egress_bytes", "egress_bytes_decompressed"] {
            interval[name] = json!(1024.0);
        }
        interval["pending_local_writes_min"] = json!(0.0);
        interval["pending_local_writes_max"] = json!(source.pending.len() as f64);
        json!({"uid": source.uid.to_string(), "intervals": [interval]})
    });
    Reply::ok(json!({"peer_stats": each.collect::<Vec<_>>()}))
}

/// The links of a copy.
pub fn source_stats(world: &World, place: Place) -> Reply {
    let Some(database) = world.database(place) else {
        return Reply::described(404, "bdb_not_exist", "Database does not exist");
    };
    let sources = database.sync.sources.iter().filter(|_| database.crdt.is_none());
    let each = sources.map(|s| json!({"uid": s.uid.to_string(), "intervals": [interval(world, s)]}));
    Reply::ok(json!({"sync_source_stats": each.collect::<Vec<_>>()}))
}

fn interval(world: &World, source: &Source) -> Value {
    let end = world.unix_ms(world.now);
    let bytes = if source.lost_since.is_some() { 0.0 } else { 2048.0 };
    json!({
        "interval": "5min",
        "stime": iso(end.saturating_sub(300_000)),
        "etime": iso(end),
        "ingress_bytes": bytes,
        "ingress_bytes_decompressed": bytes * 4.0,
        "local_ingress_lag_time": source.lag_ms(world.now, world.timing.link_delay_ms) as f64,
    })
}

/// The Active-Active databases, with what is needed to log in elsewhere, as the real answer has it.
pub fn crdbs(world: &World, cluster: usize) -> Reply {
    let members = world.clusters[cluster].databases.iter().filter_map(|database| {
        let crdt = database.crdt.as_ref()?;
        let instances: Vec<_> =
            members(world, &crdt.guid).map(|(place, d)| instance(world, cluster, place, d)).collect();
        Some(filled(
            CRDB,
            json!({
                "guid": crdt.guid,
                "name": database.name,
                "instances": instances,
                "local_databases": [{"bdb_uid": database.uid.to_string(), "id": crdt.replica_id}],
            }),
        ))
    });
    Reply::ok(Value::Array(members.collect()))
}

fn members<'a>(world: &'a World, guid: &str) -> impl Iterator<Item = (Place, &'a Database)> {
    let guid = guid.to_owned();
    world.places().into_iter().filter_map(move |place| {
        let database = world.database(place)?;
        (database.crdt.as_ref()?.guid == guid).then_some((place, database))
    })
}

fn instance(world: &World, asked: usize, place: Place, database: &Database) -> Value {
    let cluster = &world.clusters[place.cluster];
    let is_local = place.cluster == asked;
    json!({
        "id": database.crdt.as_ref().map_or(0, |crdt| crdt.replica_id),
        "db_uid": if is_local { json!(place.uid.to_string()) } else { Value::Null },
        "compression": 3,
        "db_config": {},
        "cluster": {
            "name": cluster.fqdn,
            "url": format!("https://{}:9443", cluster.fqdn),
            "replication_endpoint": format!("{}:{}", cluster.endpoint_name(database.port), database.port),
            "replication_tls_sni": cluster.endpoint_name(database.port),
            "credentials": {"username": "sandbox", "password": "SANDBOX-CRDB-SECRET"},
        },
    })
}

/// How the members of an Active-Active database see each other, as this cluster knows it.
pub fn crdb_health(world: &World, cluster: usize, guid: &str) -> Reply {
    let all: Vec<_> = members(world, guid).collect();
    if !all.iter().any(|(place, _)| place.cluster == cluster) {
        return Reply::empty(404);
    }
    let blind_ms = world.timing.link_blind_ms;
    let reports = all.iter().map(|(place, database)| {
        let here = &world.clusters[place.cluster];
        let connections = database.sync.sources.iter().filter_map(|source| {
            let there = world.clusters.get(source.from?.cluster)?;
            let status = if source.is_lost(world.now, blind_ms) { "down" } else { "up" };
            let link_uid = format!("{}:{}", database.uid, source.uid);
            Some(json!({
                "name": there.fqdn,
                "status": status,
                "replication_links": [{"link_uid": link_uid, "status": status}],
            }))
        });
        let mut report = json!({
            "active_config_version": 1,
            "cluster_name": here.fqdn,
            "configurations": [],
            "connections": connections.collect::<Vec<_>>(),
            "name": database.name,
        });
        let is_remote = place.cluster != cluster;
        let is_lost = all.iter().find(|(p, _)| p.cluster == cluster).is_some_and(|(_, own)| {
            own.sync.sources.iter().any(|s| s.from == Some(*place) && s.is_lost(world.now, blind_ms))
        });
        if is_remote && is_lost {
            report["connection_error"] = json!("Connection to remote cluster timed out");
            report["connections"] = json!([]);
        }
        report
    });
    Reply::ok(Value::Array(reports.collect()))
}
