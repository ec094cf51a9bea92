//! Databases. Without `fields` an answer holds passwords, as the real one does.

use serde_json::{Value, json};

use super::filled;
use crate::clock::iso;
use crate::plan::Policy;
use crate::rest::reply::Reply;
use crate::world::{Database, Place, Source, SourceState, SyncState, World};

const TEMPLATE: &str = include_str!("../../../fixtures/bdb.json");
/// The size of a full copy; a real one is that of the data.
const COPY_BYTES: u64 = 1 << 26;

/// All databases of a cluster.
pub fn bdbs(world: &World, cluster: usize, fields: Option<&str>) -> Reply {
    let places = world.places().into_iter().filter(|place| place.cluster == cluster);
    Reply::ok(Value::Array(places.filter_map(|place| bdb(world, place, fields)).collect()))
}

/// A database, with only some of its fields where they are named.
pub fn bdb(world: &World, place: Place, fields: Option<&str>) -> Option<Value> {
    let database = world.database(place)?;
    let mut body = filled(TEMPLATE, values(world, place, database));
    if !world.clusters[place.cluster].profile.traffic_flag {
        remove(&mut body, "traffic_manually_disabled");
    }
    if world.clusters[place.cluster].settings.mask_bdb_credentials {
        for secret in ["authentication_admin_pass", "authentication_redis_pass"] {
            body[secret] = json!("*****");
        }
    }
    let Some(fields) = fields else { return Some(body) };
    let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
    body.as_object_mut()?.retain(|name, _| fields.contains(&name.as_str()));
    Some(body)
}

fn remove(body: &mut Value, field: &str) {
    if let Some(body) = body.as_object_mut() {
        body.remove(field);
    }
}

fn values(world: &World, place: Place, database: &Database) -> Value {
    let status = database.shown_status(world.variants.recovery_is_shown);
    let sources: Vec<_> = database.sync.sources.iter().map(|s| source(world, database, s)).collect();
    let state = database.sync.state.as_str();
    let (crdt_sync, crdt_sources, replica_sync, replica_sources) = match &database.crdt {
        Some(_) => (state, sources, "disabled", Vec::new()),
        None => ("disabled", Vec::new(), state, sources),
    };
    let crdt = database.crdt.as_ref();
    let members = || {
        let others = database.sync.sources.iter().map(|source| source.uid);
        let mut ids: Vec<_> = crdt.map(|crdt| crdt.replica_id).into_iter().chain(others).collect();
        ids.sort_unstable();
        ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
    };
    let tls = if database.tls { "enabled" } else { "disabled" };
    json!({
        "uid": database.uid,
        "name": database.name,
        "status": status.as_str(),
        "action_uid": database.change.as_ref().map_or("", |change| change.action_uid.as_str()),
        "port": if database.has_system_port { 0 } else { database.port },
        "endpoints": [endpoint(world, place, database)],
        "memory_size": database.memory_size,
        "proxy_policy": policy(database.policy),
        "replication": database.is_replicated,
        "sharding": database.primaries().count() > 1,
        "shards_count": database.primaries().count(),
        "shard_list": database.shards.iter().map(|shard| shard.uid).collect::<Vec<_>>(),
        "tls_mode": tls,
        "ssl": database.tls,
        "crdt": crdt.is_some(),
        "crdt_guid": crdt.map_or("", |crdt| crdt.guid.as_str()),
        "crdt_replica_id": crdt.map_or(0, |crdt| crdt.replica_id),
        "crdt_replicas": if crdt.is_some() { members() } else { String::new() },
        "crdt_config_version": u32::from(crdt.is_some()),
        "crdt_sync": crdt_sync,
        "crdt_sources": crdt_sources,
        "replica_sync": replica_sync,
        "replica_sources": replica_sources.clone(),
        "replica_read_only": database.is_read_only,
        "sync": replica_sync,
        "sync_sources": replica_sources,
        "traffic_manually_disabled": database.is_stopped,
        "authentication_redis_pass": database.password.as_deref().unwrap_or("SANDBOX-DATABASE-SECRET"),
    })
}

fn endpoint(world: &World, place: Place, database: &Database) -> Value {
    let cluster = &world.clusters[place.cluster];
    let nodes = world.serving_nodes(place);
    let addresses = nodes.iter().filter_map(|node| Some(cluster.node(*node)?.address.to_string()));
    json!({
        "addr": addresses.collect::<Vec<_>>(),
        "addr_type": "external",
        "dns_name": cluster.endpoint_name(database.port),
        "oss_cluster_api_preferred_endpoint_type": "ip",
        "oss_cluster_api_preferred_ip_type": "internal",
        "port": database.port,
        "proxy_policy": policy(database.policy),
        "uid": format!("{}:1", database.uid),
    })
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Single => "single",
        Policy::AllMasterShards => "all-master-shards",
        Policy::AllNodes => "all-nodes",
    }
}

/// A source; its lag counts only while it is in sync.
fn source(world: &World, database: &Database, source: &Source) -> Value {
    let (now, timing) = (world.now, &world.timing);
    let blind_ms = if database.crdt.is_some() { timing.link_blind_ms } else { timing.copy_blind_ms };
    let state = source.state(database.sync.state, now, blind_ms);
    let is_lost = source.is_lost(now, blind_ms);
    let (lag, last_error) = match state {
        SourceState::InSync => (source.lag_ms(now, timing.link_delay_ms), ""),
        SourceState::OutOfSync if is_lost => (0, "Connection refused"),
        SourceState::Syncing | SourceState::OutOfSync => (0, ""),
    };
    let is_stopped = database.sync.state == SyncState::Stopped;
    let updated = if is_lost || is_stopped { source.applied_until } else { now };
    let (size, transferred) = match source.full_copy_until {
        Some(until) => {
            let part = timing.full_sync_ms.saturating_sub(until.saturating_sub(now)).min(timing.full_sync_ms);
            (COPY_BYTES, COPY_BYTES * part / timing.full_sync_ms.max(1))
        }
        None => (0, 0),
    };
    json!({
        "uid": source.uid,
        "compression": if database.crdt.is_some() { 3 } else { 0 },
        "encryption": false,
        "lag": lag,
        "last_error": last_error,
        "last_update": iso(world.unix_ms(updated)),
        "rdb_size": size,
        "rdb_transferred": transferred,
        "status": state.as_str(),
        "uri": source.uri,
    })
}
