//! From INFO's raw fields to samples in base units, and from a look to signals between good and bad.

use std::time::Duration;

use super::catalog::{CATALOG, MetricSpec, Source};
use super::info::{InfoReply, number};
use crate::types::{CanaryResult, Gap, GapReason, Ratio, Role, Sample, TargetSnapshot};

/// Most series of one family that one target may bring: Redis has about 400 commands.
const SERIES_MAX: usize = 1024;

/// All samples of an answer, in the catalog's order; a field that is absent or no number brings none.
#[must_use]
pub fn samples(reply: &InfoReply) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(CATALOG.len());
    for spec in CATALOG {
        append(reply, spec, &mut samples);
    }
    samples
}

fn append(reply: &InfoReply, spec: &MetricSpec, samples: &mut Vec<Sample>) {
    let mut add = |labels: Vec<String>, value: Option<f64>| {
        if let Some(value) = value {
            let labels = spec.labels.iter().copied().zip(labels).collect();
            samples.push(Sample { metric: spec.name, labels, value });
        }
    };
    match spec.source {
        Source::Field(field, scale) => add(Vec::new(), reply.number(field).map(|n| n * scale)),
        Source::Is(field, good) => {
            add(Vec::new(), reply.get(field).map(|text| f64::from(u8::from(text == good))))
        }
        Source::StartTime => add(Vec::new(), start_time(reply)),
        Source::LinkField(field) => {
            if let Some(labels) = values(reply, &["master_host", "master_port"]) {
                add(labels, reply.number(field).filter(|n| *n >= 0.0));
            }
        }
        Source::LinkIs(field, good) => {
            if let Some(labels) = values(reply, &["master_host", "master_port"]) {
                add(labels, reply.get(field).map(|text| f64::from(u8::from(text == good))));
            }
        }
        Source::Facts(fields) => {
            // An older server lacks some of them; the label is then empty.
            let present = fields.first().is_some_and(|field| reply.get(field).is_some());
            let texts = fields.iter().map(|field| reply.get(field).unwrap_or_default().to_owned()).collect();
            add(texts, present.then_some(1.0));
        }
        Source::Row { section, prefix, part, scale } => {
            for (key, value) in reply.section(section).take(SERIES_MAX) {
                if let Some(name) = key.strip_prefix(prefix) {
                    add(vec![name.to_owned()], pair(value, part).and_then(number).map(|n| n * scale));
                }
            }
        }
        Source::Database { part, scale } => {
            for (key, value) in reply.section("Keyspace").take(SERIES_MAX) {
                add(vec![key.to_owned()], pair(value, part).and_then(number).map(|n| n * scale));
            }
        }
        Source::ConnectedReplica(part) => {
            for (key, value) in reply.section("Replication").take(SERIES_MAX) {
                let is_row = key.strip_prefix("slave").is_some_and(|n| n.parse::<u32>().is_ok());
                let labels = ["ip", "port", "state"].map(|label| pair(value, label).map(str::to_owned));
                if let (true, [Some(ip), Some(port), Some(state)]) = (is_row, labels) {
                    add(vec![ip, port, state], pair(value, part).and_then(number));
                }
            }
        }
        Source::View => {}
    }
}

/// The value of `part` in `a=1,b=2`.
fn pair<'a>(row: &'a str, part: &str) -> Option<&'a str> {
    row.split(',')
        .filter_map(|item| item.split_once('='))
        .find(|(key, _)| *key == part)
        .map(|(_, value)| value)
}

fn values(reply: &InfoReply, fields: &[&str]) -> Option<Vec<String>> {
    fields.iter().map(|field| reply.get(field).map(str::to_owned)).collect()
}

/// The server's own clock minus its uptime, whole seconds.
fn start_time(reply: &InfoReply) -> Option<f64> {
    let now_seconds = reply.count("server_time_usec")? / 1_000_000;
    let start = now_seconds.checked_sub(reply.count("uptime_in_seconds")?)?;
    number(&start.to_string())
}

/// The signals of a look, each in [0, 1] with 0 for good; a signal that is not known is missing.
///
/// - `data_path`: 1 when PING is a gap or the canary failed.
/// - `latency`: the round trip of PING as a share of `probe_timeout`.
/// - `loading`: 1 while the dataset is being loaded.
/// - `replication_link`: for a replica, 1 while the link to its primary is down or in full synchronisation.
/// - `persistence`: 1 when the last snapshot or the last write of the append-only file failed.
/// - `memory_pressure`: used memory as a share of `maxmemory`, or of the machine's memory where there is no limit.
/// - `clients_pressure`: connected clients as a share of `maxclients`.
#[must_use]
pub fn signals(current: &TargetSnapshot, probe_timeout: Duration) -> Vec<(&'static str, Ratio)> {
    let mut known = Vec::with_capacity(7);
    let mut add = |name, value: Option<Ratio>| known.extend(value.map(|ratio| (name, ratio)));
    add("data_path", data_path(current));
    let latency = current.ping.as_ref().ok().filter(|_| !probe_timeout.is_zero());
    add("latency", latency.map(|trip| Ratio::clamped(trip.as_secs_f64() / probe_timeout.as_secs_f64())));
    let Ok(facts) = &current.facts else { return known };
    add("loading", facts.loading.map(bad_if));
    let link = facts.link.as_ref().filter(|_| facts.role == Some(Role::Replica));
    add("replication_link", link.map(|link| bad_if(!link.up || link.syncing)));
    add("persistence", facts.persistence_ok.map(|good| bad_if(!good)));
    let memory_max = match facts.memory_max_bytes {
        Some(0) => facts.memory_system_bytes,
        known => known,
    };
    add("memory_pressure", share(facts.memory_used_bytes, memory_max));
    add("clients_pressure", share(facts.clients, facts.clients_max));
    known
}

fn data_path(current: &TargetSnapshot) -> Option<Ratio> {
    let is_failure = |gap: &Gap| gap.reason != GapReason::NotAsked;
    match (&current.ping, &current.canary) {
        (Err(gap), _) | (_, CanaryResult::Failed(gap)) => is_failure(gap).then_some(Ratio::ONE),
        (Ok(_), CanaryResult::Written(_) | CanaryResult::NotAsked) => Some(Ratio::ZERO),
    }
}

fn bad_if(bad: bool) -> Ratio {
    if bad { Ratio::ONE } else { Ratio::ZERO }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn share(part: Option<u64>, whole: Option<u64>) -> Option<Ratio> {
    let whole = whole.filter(|whole| *whole > 0)?;
    Some(Ratio::clamped(part? as f64 / whole as f64))
}
