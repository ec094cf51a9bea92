//! From answers to the samples of a family.

use super::command::Command;
use super::keys;
use super::reading::{Reading, WatchedRow};
use super::resp::Reply;
use crate::monitor::catalog::{BufferLimit, MetricSpec, Source, Watchers};
use crate::monitor::info::number;
use crate::monitor::normalise::{Labels, each};

/// Most series of one kind that a target may bring: Redis has about 400 commands.
const SERIES_MAX: usize = 1024;
/// Longest text of a parameter that becomes a label, in bytes.
const TEXT_BYTES_MAX: usize = 200;
/// What stands in for a parameter that is a secret.
const HIDDEN: &str = "hidden";

/// Where a sample goes: its ending, its labels, its value.
pub(super) type Emit<'e> = dyn FnMut(&str, &Labels<'_>, f64) + 'e;

/// Gives every sample of a family to `emit`.
pub(super) fn samples(reading: &Reading<'_>, spec: &MetricSpec, emit: &mut Emit<'_>) {
    match spec.source {
        Source::Percentiles => percentiles(reading, emit),
        Source::LatencyHistogram => histograms(reading, emit),
        Source::LatencyEvent(column, scale) => {
            for event in list(reading.of(Command::LatencyLatest)) {
                let (name, value) = (text(event, 0), event.items().get(column).and_then(Reply::number));
                if let (Some(name), Some(value)) = (name, value) {
                    emit("", &[("event_name", name)], value as f64 * scale);
                }
            }
        }
        Source::SlowlogLength => {
            plain(reading.of(Command::SlowlogLen).and_then(Reply::number).map(|n| n as f64), emit);
        }
        Source::SlowlogEntry(column, scale) => {
            // An empty log says 0, as it does at redis_exporter: a first entry is then an increase.
            let log = reading.of(Command::SlowlogGet).filter(|reply| matches!(reply, Reply::List(_)));
            let latest =
                log.map(|log| log.items().first().and_then(|entry| entry.items().get(column)?.number()));
            plain(latest.map(|value| value.unwrap_or(0) as f64 * scale), emit);
        }
        Source::Parameter(name) => plain(reading.parameter(name).and_then(number), emit),
        Source::BufferLimit(what) => buffer_limits(reading, what, emit),
        Source::Parameters => {
            for (name, value) in reading.all_parameters().take(SERIES_MAX) {
                if let Some(value) = number(value) {
                    emit("", &[("key", name)], value);
                }
            }
        }
        Source::ParameterTexts => {
            for (name, value) in reading.all_parameters().take(SERIES_MAX) {
                let shown = if is_secret(name) { HIDDEN } else { cut(value) };
                emit("", &[("key", name), ("value", shown)], 1.0);
            }
        }
        Source::Cluster(field) => plain(reading.cluster(field).and_then(number), emit),
        Source::ClusterState => {
            plain(reading.cluster("cluster_state").map(|state| f64::from(u8::from(state == "ok"))), emit);
        }
        Source::Client(_) | Source::ClientSince(_) | Source::ClientFacts(_) => clients(reading, spec, emit),
        Source::Watched(_) | Source::WatchedStatus => watched(reading, spec, emit),
        Source::WatchedField(field, scale) => {
            for primary in list(reading.of(Command::SentinelMasters)) {
                let value = named(primary, field).and_then(number);
                if let (Some(labels), Some(value)) = (watched_labels(primary), value) {
                    with(labels, |labels| emit("", labels, value * scale));
                }
            }
        }
        Source::InOrder(who) => in_order(reading, who, emit),
        Source::Quorum => quorum(reading, emit),
        Source::Key(_) | Source::Stream(_) | Source::StreamGroup(_) | Source::StreamConsumer(..) => {
            keys::samples(reading.keys, spec.source, emit);
        }
        Source::Database { part, .. } => {
            each(reading.info, spec, &mut |labels, value| emit("", labels, value));
            empty_databases(reading, part, emit);
        }
        Source::Field(..)
        | Source::Known(..)
        | Source::Is(..)
        | Source::State(..)
        | Source::StartTime
        | Source::LinkField(..)
        | Source::LinkIs(..)
        | Source::Facts(_)
        | Source::Row { .. }
        | Source::ConnectedReplica(_) => {
            each(reading.info, spec, &mut |labels, value| emit("", labels, value));
        }
        Source::Registry | Source::View => {}
    }
}

fn plain(value: Option<f64>, emit: &mut Emit<'_>) {
    if let Some(value) = value {
        emit("", &[], value);
    }
}

fn list<'a>(reply: Option<&'a Reply<'a>>) -> &'a [Reply<'a>] {
    let items = reply.map_or(&[][..], Reply::items);
    &items[..items.len().min(SERIES_MAX)]
}

fn text<'a>(reply: &Reply<'a>, column: usize) -> Option<&'a str> {
    reply.items().get(column)?.text()
}

/// The value of a name in a list that alternates between both.
fn named<'a>(reply: &Reply<'a>, name: &str) -> Option<&'a str> {
    reply.pairs().find(|(found, _)| *found == name).and_then(|(_, value)| value.text())
}

fn percentiles(reading: &Reading<'_>, emit: &mut Emit<'_>) {
    for (key, row) in reading.info.section("Latencystats").take(SERIES_MAX) {
        let Some(command) = key.strip_prefix("latency_percentiles_usec_") else { continue };
        let Some((calls, usec)) = reading.calls(command) else { continue };
        for (point, value) in row.split(',').filter_map(|part| part.split_once('=')) {
            if let (Some(quantile), Some(value)) = (point.strip_prefix('p'), number(value)) {
                emit("", &[("cmd", command), ("quantile", quantile)], value);
            }
        }
        emit("_sum", &[("cmd", command)], usec);
        emit("_count", &[("cmd", command)], calls);
    }
}

fn histograms(reading: &Reading<'_>, emit: &mut Emit<'_>) {
    let Some(reply) = reading.of(Command::LatencyHistogram) else { return };
    for (command, entry) in reply.pairs().take(SERIES_MAX) {
        let part = |name: &str| entry.pairs().find(|(found, _)| *found == name).map(|(_, value)| value);
        let calls = part("calls").and_then(Reply::number);
        let (Some(calls), Some(buckets), Some((_, usec))) =
            (calls, part("histogram_usec"), reading.calls(command))
        else {
            continue;
        };
        for bucket in buckets.items().chunks_exact(2) {
            if let (Some(bound), Some(count)) = (bucket[0].number(), bucket[1].number()) {
                emit("_bucket", &[("cmd", command), ("le", &bound.to_string())], count as f64);
            }
        }
        emit("_bucket", &[("cmd", command), ("le", "+Inf")], calls as f64);
        emit("_sum", &[("cmd", command)], usec);
        emit("_count", &[("cmd", command)], calls as f64);
    }
}

/// `normal 0 0 0 slave 268435456 67108864 60 …`: a class, its hard limit, its soft limit, and that one's seconds.
fn buffer_limits(reading: &Reading<'_>, what: BufferLimit, emit: &mut Emit<'_>) {
    let words: Vec<&str> =
        reading.parameter("client-output-buffer-limit").unwrap_or_default().split_whitespace().collect();
    for row in words.chunks_exact(4).take(SERIES_MAX) {
        let [hard, soft, seconds] = [row[1], row[2], row[3]].map(number);
        let values = match what {
            BufferLimit::Bytes => [("hard", hard), ("soft", soft)],
            BufferLimit::Seconds => [("hard", None), ("soft", seconds)],
        };
        for (limit, value) in values {
            if let Some(value) = value {
                emit("", &[("class", row[0]), ("limit", limit)], value);
            }
        }
    }
}

/// Whether a parameter is a secret, or holds one.
fn is_secret(name: &str) -> bool {
    name.ends_with("pass") || name.ends_with("auth") || name == "masteruser"
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

fn clients(reading: &Reading<'_>, spec: &MetricSpec, emit: &mut Emit<'_>) {
    let now = reading.now.wall.as_secs_f64().floor();
    for row in reading.clients().take(SERIES_MAX) {
        let part = |name: &str| row.part(name).unwrap_or_default();
        let labels = [("id", part("id")), ("name", part("name"))];
        if let Source::Client(name) = spec.source {
            if let Some(value) = row.part(name).and_then(number) {
                emit("", &labels, value);
            }
        } else if let Source::ClientSince(name) = spec.source {
            if let Some(age) = row.part(name).and_then(number) {
                emit("", &labels, now - age);
            }
        } else if let Source::ClientFacts(parts) = spec.source {
            let facts = spec.labels.iter().zip(parts).map(|(label, name)| match *label {
                // The port is another one for each connection, and tells nothing.
                "host" => ("host", part(name).rsplit_once(':').map_or(part(name), |(host, _)| host)),
                label => (label, part(name)),
            });
            emit("", &facts.collect::<Vec<_>>(), 1.0);
        }
    }
}

fn watched(reading: &Reading<'_>, spec: &MetricSpec, emit: &mut Emit<'_>) {
    for row in WatchedRow::all(reading.info).take(SERIES_MAX) {
        let (Some(name), Some(address)) = (row.part("name"), row.part("address")) else { continue };
        let [name, address] = [("master_name", name), ("master_address", address)];
        if let Source::Watched(part) = spec.source {
            if let Some(value) = row.part(part).and_then(number) {
                emit("", &[name, address], value);
            }
        } else if let Some(status) = row.part("status") {
            emit("", &[name, address, ("master_status", status)], 1.0);
        }
    }
}

/// Name and address of a row of `SENTINEL MASTERS`.
fn watched_labels<'a>(row: &Reply<'a>) -> Option<(&'a str, String)> {
    let (host, port) = (named(row, "ip")?, named(row, "port")?);
    Some((named(row, "name")?, format!("{host}:{port}")))
}

fn with((name, address): (&str, String), then: impl FnOnce(&Labels<'_>)) {
    then(&[("master_name", name), ("master_address", &address)]);
}

/// The number of rows without a mark of trouble; of Sentinels, the asked one is in order too.
fn in_order(reading: &Reading<'_>, who: Watchers, emit: &mut Emit<'_>) {
    let (command, own) = match who {
        Watchers::Replicas => (Command::SentinelReplicas, 0),
        Watchers::Sentinels => (Command::SentinelSentinels, 1),
    };
    let primaries = list(reading.of(Command::SentinelMasters));
    for asked in reading.all(command).filter(|asked| matches!(asked.reply, Reply::List(_))) {
        let primary = primaries.iter().find(|row| named(row, "name") == Some(asked.argument));
        let is_fine = |row: &&Reply<'_>| {
            let flags = named(row, "flags").unwrap_or_default();
            !["o_down", "s_down", "disconnected"].iter().any(|bad| flags.contains(bad))
        };
        let count = list(Some(&asked.reply)).iter().filter(is_fine).count() + own;
        if let Some(labels) = primary.and_then(watched_labels) {
            with(labels, |labels| emit("", labels, count as f64));
        }
    }
}

fn quorum(reading: &Reading<'_>, emit: &mut Emit<'_>) {
    for asked in reading.all(Command::SentinelQuorum) {
        let (words, is_met) = match &asked.reply {
            Reply::Error(line) => (std::str::from_utf8(line).unwrap_or_default(), 0.0),
            Reply::Text(_) => (asked.reply.text().unwrap_or_default(), 1.0),
            Reply::Number(_) | Reply::Nil | Reply::List(_) => continue,
        };
        let message = words.split(' ').next().unwrap_or_default();
        emit("", &[("master_name", asked.argument), ("message", message)], is_met);
    }
}

/// Databases that are there and empty: INFO leaves them out.
fn empty_databases(reading: &Reading<'_>, part: &str, emit: &mut Emit<'_>) {
    if !matches!(part, "keys" | "expires") {
        return;
    }
    let count = reading.parameter("databases").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    for number in 0..count.min(SERIES_MAX) {
        let name = format!("db{number}");
        if !reading.info.section("Keyspace").any(|(key, _)| key == name) {
            emit("", &[("db", &name)], 0.0);
        }
    }
}
