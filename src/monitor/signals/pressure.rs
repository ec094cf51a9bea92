//! Signals that follow from the numbers of a look and their growth alone.

use super::reading::{Counters, Levels};
use super::window::Growth;
use crate::types::{Facts, Ratio, Role};

/// With fewer than that, a share says nothing.
const EVENTS_MIN: f64 = 20.0;
/// Redis drops a silent link after so long by default (`repl-timeout`).
const LAG_SECONDS_MAX: f64 = 60.0;
/// A primary without writes is heard once in so long (`repl-ping-replica-period`).
const HEARD_SECONDS_USUAL: f64 = 10.0;
const MINUTE_SECONDS: f64 = 60.0;

/// A part of a whole that is not empty.
pub(super) fn share(part: Option<f64>, whole: Option<f64>) -> Option<Ratio> {
    let (part, whole) = (part?, whole?);
    (whole > 0.0 && whole.is_finite()).then(|| Ratio::clamped(part / whole))
}

fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one? + other?)
}

/// The share of lookups that found a key.
pub(super) fn hit_ratio(grown: &Counters) -> Option<f64> {
    let lookups = sum(grown.hits, grown.misses).filter(|lookups| *lookups >= EVENTS_MIN);
    share(grown.hits, lookups).map(Ratio::get)
}

/// The share of connections that were refused at the limit; none is 0.
pub(super) fn rejected_connections(grown: &Counters) -> Option<Ratio> {
    let rejected = grown.rejected?;
    if rejected <= 0.0 {
        Some(Ratio::ZERO)
    } else {
        share(Some(rejected), sum(grown.received, Some(rejected)))
    }
}

/// How much of the dataset is evicted in a minute.
pub(super) fn evictions(growth: &Growth, levels: &Levels) -> Option<Ratio> {
    let evicted = growth.counters.evicted? / growth.seconds * MINUTE_SECONDS;
    if evicted <= 0.0 {
        Some(Ratio::ZERO)
    } else {
        share(Some(evicted), Some(levels.keys.max(0.0) + evicted))
    }
}

/// The share of clients that wait; where nobody is connected, nobody waits.
pub(super) fn blocked_clients(levels: &Levels) -> Option<Ratio> {
    let (blocked, clients) = (levels.blocked?, levels.clients?);
    if blocked <= 0.0 { Some(Ratio::ZERO) } else { share(Some(blocked), Some(clients.max(blocked))) }
}

/// The share of the time that the main thread used.
pub(super) fn cpu(growth: &Growth) -> Option<Ratio> {
    share(growth.counters.cpu_seconds, Some(growth.seconds))
}

/// Memory that is held and not used, or used and swapped out.
pub(super) fn fragmentation(levels: &Levels) -> Option<Ratio> {
    let held = share(levels.allocated, levels.active).map(Ratio::complement);
    let swapped = share(levels.resident, levels.used).map(Ratio::complement);
    larger(held, swapped)
}

/// How far replicas are behind.
pub(super) fn replication_lag(facts: &Facts, levels: &Levels) -> Option<Ratio> {
    match facts.role? {
        Role::Replica => {
            if levels.link == Some(0.0) {
                return Some(Ratio::ONE);
            }
            let late = levels.heard_seconds? - HEARD_SECONDS_USUAL;
            Some(Ratio::clamped(late / (LAG_SECONDS_MAX - HEARD_SECONDS_USUAL)))
        }
        Role::Primary => {
            let seconds = share(levels.lag_seconds, Some(LAG_SECONDS_MAX));
            let behind = levels.offset.zip(levels.offset_least).map(|(own, least)| own - least);
            larger(seconds, share(behind, levels.backlog))
        }
        Role::Other => None,
    }
}

/// The share of calls that failed or were refused.
pub(super) fn error_replies(grown: &Counters) -> Option<Ratio> {
    share(grown.failed, grown.calls.filter(|calls| *calls >= EVENTS_MIN))
}

fn larger(one: Option<Ratio>, other: Option<Ratio>) -> Option<Ratio> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}
