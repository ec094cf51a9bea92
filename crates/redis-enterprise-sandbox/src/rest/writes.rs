//! The few changes that the API takes here.

use serde_json::{Value, json};

use super::bodies;
use super::reply::{Ask, Reply};
use super::route::Traffic;
use crate::world::{Place, Refusal, Status, SyncState, World};

/// Changes a database: how it copies, and from where.
pub fn change(world: &mut World, ask: &Ask, uid: u32) -> Reply {
    let place = Place { cluster: ask.cluster, uid };
    let Ok(Value::Object(wishes)) = serde_json::from_slice(&ask.body) else {
        return Reply::error(400, "invalid_json", "the body is not a JSON object");
    };
    let mut orders = Vec::new();
    for (field, wish) in &wishes {
        match Order::read(world, place, field, wish) {
            Some(order) => orders.push(order),
            None => return Reply::error(400, "invalid_schema", &format!("{field} is not taken here")),
        }
    }
    let action_uid = match world.begin_change(place) {
        Ok(action_uid) => action_uid,
        Err(refusal) => return refused(refusal),
    };
    for order in orders {
        let done = match order {
            Order::Sync(state) => world.set_sync(place, state),
            Order::Sources(uris) => world.set_sources(place, &uris),
        };
        if let Err(refusal) = done {
            return refused(refusal);
        }
    }
    world.settle();
    let mut body = bodies::bdb(world, place, None).unwrap_or_default();
    body["action_uid"] = json!(action_uid);
    Reply::ok(body)
}

enum Order {
    Sync(SyncState),
    Sources(Vec<String>),
}

impl Order {
    fn read(world: &World, place: Place, field: &str, wish: &Value) -> Option<Self> {
        let is_member = world.database(place).is_some_and(|database| database.crdt.is_some());
        match (field, is_member) {
            // A user may pause and resume, and switch a copy on and off; that it failed for good is not for a user to say.
            ("replica_sync" | "sync", false) | ("crdt_sync", true) => {
                let state: SyncState = serde_json::from_value(wish.clone()).ok()?;
                (state != SyncState::Stopped).then_some(Self::Sync(state))
            }
            ("replica_sources" | "sync_sources", false) => {
                let uri = |source: &Value| source.get("uri")?.as_str().map(str::to_owned);
                wish.as_array()?.iter().map(uri).collect::<Option<Vec<_>>>().map(Self::Sources)
            }
            _ => None,
        }
    }
}

/// Stops or resumes the traffic of a database.
pub fn traffic(world: &mut World, ask: &Ask, uid: u32, traffic: Traffic) -> Reply {
    let place = Place { cluster: ask.cluster, uid };
    acted(world, place, |world| {
        if let Some(database) = world.database_mut(place) {
            database.is_stopped = traffic == Traffic::Stop;
        }
    })
}

/// Recovers a database.
pub fn recover(world: &mut World, ask: &Ask, uid: u32) -> Reply {
    let place = Place { cluster: ask.cluster, uid };
    if let Some(database) = world.database_mut(place).filter(|database| database.awaits_recovery) {
        database.awaits_recovery = false;
        database.status = Status::Active;
    }
    acted(world, place, |_| {})
}

/// Lets a replica take the place of a primary shard.
pub fn fail_over(world: &mut World, ask: &Ask, shard: u32) -> Reply {
    match world.fail_over_shard(ask.cluster, shard) {
        Ok(()) => Reply::ok(json!({"action_uid": format!("shard-{shard}")})),
        Err(refusal) => refused(refusal),
    }
}

fn acted(world: &mut World, place: Place, act: impl FnOnce(&mut World)) -> Reply {
    match world.begin_change(place) {
        Ok(action_uid) => {
            act(world);
            world.settle();
            Reply::ok(json!({"action_uid": action_uid}))
        }
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::NoQuorum => Reply::empty(503),
        Refusal::Busy => Reply::error(409, "db_busy", "Database is busy with another change"),
        Refusal::License => Reply::error(403, "license_expired", "License expired, changes are not allowed"),
        Refusal::Unknown => Reply::described(404, "bdb_not_exist", "Database does not exist"),
        Refusal::NotApplicable => Reply::empty(406),
    }
}
