//! The truth, which no API tells: what a client would really get.

use serde_json::{Value, json};

use super::{Place, SyncState, World};
use crate::plan::DataPlane;

/// The truth about every database.
pub fn truth(world: &World) -> Value {
    Value::Array(world.places().into_iter().map(|place| of(world, place)).collect())
}

fn of(world: &World, place: Place) -> Value {
    let cluster = &world.clusters[place.cluster];
    let Some(database) = world.database(place) else { return Value::Null };
    let refuses = world.variants.without_quorum == DataPlane::Refuses && !cluster.has_majority();
    let is_served = world.is_endpoint_good(place) && !database.is_stopped && !refuses;
    let is_copy = database.crdt.is_none() && !database.sync.sources.is_empty();
    let copies = is_copy && database.sync.state == SyncState::Enabled;
    let unapplied: usize = database.sync.sources.iter().map(|source| source.pending.len()).sum();
    let is_stale = database.sync.sources.iter().any(|source| {
        source.lost_since.is_some() || world.now < source.caught_up_at || source.full_copy_until.is_some()
    }) || (database.crdt.is_some() && database.sync.state != SyncState::Enabled);
    json!({
        "cluster": cluster.name,
        "uid": place.uid,
        "is_reached": is_served && !cluster.is_isolated,
        "writes_succeed": is_served && !(database.is_read_only && is_copy),
        "writes_survive": is_served && !copies,
        "is_stale": is_stale,
        "unapplied_writes": unapplied,
        "keys": database.keys.len(),
    })
}
