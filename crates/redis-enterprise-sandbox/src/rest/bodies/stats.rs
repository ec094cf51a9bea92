//! Statistics: templates with what the state knows, in the units of the API (latency in microseconds).

use serde_json::{Map, Value, json};

use super::filled;
use crate::clock::{Ms, iso};
use crate::rest::query::value;
use crate::rest::reply::Reply;
use crate::rest::route::Kind;
use crate::world::{Cluster, Database, Node, World};

const BDB: &str = include_str!("../../../fixtures/bdb_stats.json");
const NODE: &str = include_str!("../../../fixtures/node_stats.json");
const SHARD: &str = include_str!("../../../fixtures/shard_stats.json");
/// What a database holds beside its data, in bytes.
const BASE_BYTES: f64 = 1_434_144.0;
/// Intervals of one second that are kept.
const INTERVALS: u64 = 10;

/// The latest statistics, by number.
pub fn last_stats(
    world: &World,
    cluster: usize,
    kind: Kind,
    of: Option<u32>,
    query: &[(String, String)],
) -> Reply {
    let cluster = &world.clusters[cluster];
    if let Some(refusal) = refusal(world, cluster, kind, of) {
        return refusal;
    }
    let metrics = value(query, "metrics").map(|list| list.split(',').collect::<Vec<_>>());
    let each = uids(cluster, kind).into_iter().filter(|uid| of.is_none_or(|of| of == *uid));
    let mut body = Map::new();
    for uid in each {
        let Some(mut stats) = at(world, cluster, kind, uid, world.now) else { continue };
        if let (Some(metrics), Some(stats)) = (&metrics, stats.as_object_mut()) {
            stats.retain(|name, _| metrics.contains(&name.as_str()) || name == "stime" || name == "etime");
        }
        body.insert(uid.to_string(), stats);
    }
    Reply::ok(if kind == Kind::Cluster { body.remove("0").unwrap_or_default() } else { Value::Object(body) })
}

/// The statistics of the last seconds. A quiet database is looked at every few seconds only.
pub fn stats(
    world: &World,
    cluster: usize,
    kind: Kind,
    of: Option<u32>,
    query: &[(String, String)],
) -> Reply {
    let cluster = &world.clusters[cluster];
    if let Some(refusal) = refusal(world, cluster, kind, of) {
        return refusal;
    }
    if value(query, "interval").is_some_and(|interval| interval != "1sec") {
        return Reply::ok(json!([]));
    }
    let each = uids(cluster, kind).into_iter().filter(|uid| of.is_none_or(|of| of == *uid)).map(|uid| {
        let is_idle = kind == Kind::Bdb && cluster.database(uid).is_some_and(|database| database.is_idle);
        let step = if is_idle { 4 } else { 1 };
        let moments = (0..INTERVALS).rev().step_by(step).map(|ago| world.now.saturating_sub(ago * 1000));
        let intervals: Vec<_> = moments.filter_map(|moment| at(world, cluster, kind, uid, moment)).collect();
        // The one thing of each kind that is a number elsewhere is a text here, and the other way round.
        let uid = match kind {
            Kind::Bdb | Kind::Shard => json!(uid.to_string()),
            Kind::Node => json!(uid),
            Kind::Cluster => json!(""),
        };
        json!({"uid": uid, "intervals": intervals})
    });
    Reply::ok(Value::Array(each.collect()))
}

fn refusal(world: &World, cluster: &Cluster, kind: Kind, of: Option<u32>) -> Option<Reply> {
    let uid = of?;
    if !uids(cluster, kind).contains(&uid) {
        return Some(Reply::empty(404));
    }
    let database = cluster.database(uid).filter(|_| kind == Kind::Bdb)?;
    if database.awaits_recovery {
        return Some(Reply::empty(if world.variants.recovery_is_shown { 503 } else { 406 }));
    }
    (!database.is_there()).then(|| Reply::empty(406))
}

fn uids(cluster: &Cluster, kind: Kind) -> Vec<u32> {
    match kind {
        Kind::Bdb => cluster.databases.iter().map(|database| database.uid).collect(),
        Kind::Node => cluster.nodes.iter().map(|node| node.uid).collect(),
        Kind::Shard => cluster.databases.iter().flat_map(|d| &d.shards).map(|shard| shard.uid).collect(),
        Kind::Cluster => vec![0],
    }
}

fn at(world: &World, cluster: &Cluster, kind: Kind, uid: u32, moment: Ms) -> Option<Value> {
    let mut stats = match kind {
        Kind::Bdb => bdb(cluster.database(uid).filter(|database| database.is_there())?),
        Kind::Node => node(cluster, cluster.node(uid).filter(|node| node.is_up)?),
        Kind::Shard => shard(cluster, uid)?,
        Kind::Cluster => filled(NODE, json!({})),
    };
    let moment = world.unix_ms(moment);
    stats["etime"] = json!(iso(moment));
    stats["stime"] = json!(iso(moment.saturating_sub(1000)));
    stats["interval"] = json!("1sec");
    Some(stats)
}

fn bdb(database: &Database) -> Value {
    let number = |count: usize| count as f64;
    let mut stats = filled(
        BDB,
        json!({
            "no_of_keys": number(database.keys.len()),
            "no_of_expires": number(database.keys.ending()),
            "used_memory": BASE_BYTES + number(database.keys.bytes()),
            "conns": database.counts.open as f64,
        }),
    );
    if let Some(stats) = stats.as_object_mut().filter(|_| database.is_idle) {
        // Without traffic there is no latency, and no zero in its place.
        stats.retain(|name, _| !name.starts_with("avg_"));
        let rates = stats.iter_mut().filter(|(name, _)| {
            name.ends_with("_req")
                || name.ends_with("_res")
                || name.ends_with("_hits")
                || name.ends_with("_misses")
        });
        rates.for_each(|(_, rate)| *rate = json!(0.0));
        stats.insert("last_req_time".to_owned(), json!(iso(0)));
        stats.insert("last_res_time".to_owned(), json!(iso(0)));
        stats.insert("instantaneous_ops_per_sec".to_owned(), json!(1.0));
    }
    stats
}

fn node(cluster: &Cluster, node: &Node) -> Value {
    let serves = cluster.databases.iter().any(|database| database.endpoint_node == node.uid);
    let mut stats = filled(NODE, json!({}));
    if let Some(stats) = stats.as_object_mut().filter(|_| !serves) {
        stats.remove("avg_latency");
        stats.insert("total_req".to_owned(), json!(0.0));
        stats.insert("conns".to_owned(), json!(0.0));
    }
    stats
}

fn shard(cluster: &Cluster, uid: u32) -> Option<Value> {
    let database = cluster.databases.iter().find(|d| d.shards.iter().any(|shard| shard.uid == uid))?;
    let share = database.keys.len() / database.primaries().count().max(1);
    Some(filled(SHARD, json!({"no_of_keys": share as f64})))
}
