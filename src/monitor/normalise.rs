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
    for spec in CATALOG.iter().filter(|spec| spec.source.is_info()) {
        each(reply, spec, &mut |labels, value| {
            let labels = labels.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
            samples.push(Sample { metric: spec.name, labels, value });
        });
    }
    samples
}

/// The labels of one series, in the catalog's order.
pub(super) type Labels<'a> = [(&'static str, &'a str)];

/// Gives every series of a family that comes from INFO to `emit`.
pub(super) fn each(reply: &InfoReply, spec: &MetricSpec, emit: &mut dyn FnMut(&Labels<'_>, f64)) {
    match spec.source {
        Source::Field(field, scale) => one(spec, &[], reply.number(field), scale, emit),
        Source::Known(field, scale) => {
            one(spec, &[], reply.number(field).filter(|n| *n >= 0.0), scale, emit);
        }
        Source::Is(field, good) => one(spec, &[], reply.get(field).map(|text| flag(text == good)), 1.0, emit),
        Source::State(field, states) => {
            if let Some(found) = reply.get(field) {
                states.iter().for_each(|state| one(spec, &[state], Some(flag(*state == found)), 1.0, emit));
            }
        }
        Source::StartTime => one(spec, &[], start_time(reply), 1.0, emit),
        Source::LinkField(field, scale) => {
            let value = reply.number(field).filter(|n| *n >= 0.0);
            if let Some(link) = link(reply) {
                one(spec, &link, value, scale, emit);
            }
        }
        Source::LinkIs(field, good) => {
            if let Some(link) = link(reply) {
                one(spec, &link, reply.get(field).map(|text| flag(text == good)), 1.0, emit);
            }
        }
        Source::Facts(fields) => {
            // An older server lacks some of them; the label is then empty.
            let present = fields.first().is_some_and(|field| reply.get(field).is_some());
            let texts: Vec<&str> = fields.iter().map(|field| reply.get(field).unwrap_or_default()).collect();
            one(spec, &texts, present.then_some(1.0), 1.0, emit);
        }
        Source::Row { section, prefix, part, scale } => {
            for (key, value) in reply.section(section).take(SERIES_MAX) {
                if let Some(label) = key.strip_prefix(prefix) {
                    one(spec, &[label], pair(value, part).and_then(number), scale, emit);
                }
            }
        }
        Source::Database { part, scale } => {
            for (key, value) in reply.section("Keyspace").take(SERIES_MAX) {
                one(spec, &[key], pair(value, part).and_then(number), scale, emit);
            }
        }
        Source::ConnectedReplica(part) => {
            for (key, value) in reply.section("Replication").take(SERIES_MAX) {
                let is_row = key.strip_prefix("slave").is_some_and(|n| n.parse::<u32>().is_ok());
                let labels = ["ip", "port", "state"].map(|label| pair(value, label));
                if let (true, [Some(ip), Some(port), Some(state)]) = (is_row, labels) {
                    one(spec, &[ip, port, state], pair(value, part).and_then(number), 1.0, emit);
                }
            }
        }
        Source::Percentiles
        | Source::LatencyHistogram
        | Source::LatencyEvent(..)
        | Source::SlowlogLength
        | Source::SlowlogEntry(..)
        | Source::Parameter(_)
        | Source::BufferLimit(_)
        | Source::Parameters
        | Source::ParameterTexts
        | Source::Cluster(_)
        | Source::ClusterState
        | Source::Client(_)
        | Source::ClientSince(_)
        | Source::ClientFacts(_)
        | Source::Watched(_)
        | Source::WatchedStatus
        | Source::WatchedField(..)
        | Source::InOrder(_)
        | Source::Quorum
        | Source::Key(_)
        | Source::Stream(_)
        | Source::StreamGroup(_)
        | Source::StreamConsumer(..)
        | Source::Registry
        | Source::View => {}
    }
}

/// Most labels of a family.
const LABELS_MAX: usize = 12;

fn one(
    spec: &MetricSpec,
    texts: &[&str],
    value: Option<f64>,
    scale: f64,
    emit: &mut dyn FnMut(&Labels<'_>, f64),
) {
    let Some(value) = value else { return };
    let mut labels = [("", ""); LABELS_MAX];
    let mut count = 0;
    for ((to, name), text) in labels.iter_mut().zip(spec.labels).zip(texts) {
        *to = (name, text);
        count += 1;
    }
    emit(&labels[..count], value * scale);
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// The value of `part` in `a=1,b=2`.
fn pair<'a>(row: &'a str, part: &str) -> Option<&'a str> {
    let value = |item: &'a str| item.strip_prefix(part)?.strip_prefix('=');
    let mut rest = row;
    // Rows and their parts are short: bytes one by one are quicker than a search that is prepared for long texts.
    while let Some(end) = rest.bytes().position(|byte| byte == b',') {
        if let Some(value) = value(&rest[..end]) {
            return Some(value);
        }
        rest = &rest[end + 1..];
    }
    value(rest)
}

/// The primary's address as the replica knows it.
fn link(reply: &InfoReply) -> Option<[&str; 2]> {
    Some([reply.get("master_host")?, reply.get("master_port")?])
}

/// The server's own clock minus its uptime, whole seconds.
fn start_time(reply: &InfoReply) -> Option<f64> {
    let now_seconds = reply.count("server_time_usec")? / 1_000_000;
    let start = now_seconds.checked_sub(reply.count("uptime_in_seconds")?)?;
    number(&start.to_string())
}

/// 0 when the last rewrite of the append-only file failed.
const AOF_REWRITE: &str = "redis_aof_last_bgrewrite_status";

/// The signals of a look, each in [0, 1] with 0 for good; a signal that is not known is missing.
///
/// - `data_path`: 1 when PING is a gap or the canary failed.
/// - `latency`: the round trip of PING as a share of `probe_timeout`.
/// - `loading`: 1 while the dataset is being loaded.
/// - `replication_link`: for a replica, 1 while the link to its primary is down or in full synchronisation.
/// - `persistence`: 1 when the last snapshot, or the last write or rewrite of the append-only file failed.
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
    // A file that cannot be rewritten still takes writes, and grows until the disk is full.
    let is_growing = current.samples.iter().any(|s| s.metric == AOF_REWRITE && s.value < 1.0);
    let persistence_ok = if is_growing { Some(false) } else { facts.persistence_ok };
    add("persistence", persistence_ok.map(|good| bad_if(!good)));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::{Facts, Link, TargetName};

    const PRIMARY: &[u8] = include_bytes!("../../tests/testdata/info/redis7_primary.txt");
    const REPLICA: &[u8] = include_bytes!("../../tests/testdata/info/redis7_replica.txt");
    const LINK_DOWN: &[u8] = include_bytes!("../../tests/testdata/info/redis7_replica_link_down.txt");
    const SENTINEL: &[u8] = include_bytes!("../../tests/testdata/info/redis7_sentinel.txt");

    fn of(bytes: &[u8]) -> Vec<Sample> {
        samples(&InfoReply::parse(bytes).unwrap())
    }

    fn value(samples: &[Sample], metric: &str, labels: &[(&'static str, &str)]) -> Option<f64> {
        let same = |s: &&Sample| {
            s.metric == metric && s.labels.iter().map(|(k, v)| (*k, v.as_str())).eq(labels.iter().copied())
        };
        samples.iter().find(same).map(|s| s.value)
    }

    #[test]
    fn real_answers_become_samples() {
        let primary = of(PRIMARY);
        for (metric, labels, want) in [
            ("redis_db_keys", &[("db", "db0")][..], 350.0),
            ("redis_db_keys_expiring", &[("db", "db0")], 300.0),
            ("redis_db_avg_ttl_seconds", &[("db", "db0")], 499.536),
            ("redis_db_keys", &[("db", "db3")], 1.0),
            ("redis_memory_max_bytes", &[], 67_108_864.0),
            ("redis_connected_slaves", &[], 1.0),
            ("redis_keyspace_hits_total", &[], 1.0),
            ("redis_keyspace_misses_total", &[], 1.0),
            ("redis_loading_dump_file", &[], 0.0),
            ("redis_rdb_last_bgsave_status", &[], 1.0),
            ("redis_commands_total", &[("cmd", "set")], 351.0),
            ("redis_errors_total", &[("err", "WRONGTYPE")], 1.0),
            ("redis_second_repl_offset", &[], -1.0),
        ] {
            let found = value(&primary, metric, labels);
            assert!(found.is_some_and(|found| (found - want).abs() < 1e-6), "{metric} {labels:?}: {found:?}");
        }
        let slave = [("slave_ip", "127.0.0.1"), ("slave_port", "27902"), ("slave_state", "online")];
        assert_eq!(value(&primary, "redis_connected_slave_offset_bytes", &slave), Some(19968.0));
        assert_eq!(value(&primary, "redis_connected_slave_lag_seconds", &slave), Some(0.0));
        assert!(value(&primary, "redis_commands_duration_seconds_total", &[("cmd", "set")]).unwrap() < 0.1);
        assert_eq!(value(&primary, "redis_master_link_up", &[]), None);

        let link = [("master_host", "127.0.0.1"), ("master_port", "27901")];
        let (up, down) = (of(REPLICA), of(LINK_DOWN));
        assert_eq!(value(&up, "redis_master_link_up", &link), Some(1.0));
        assert_eq!(value(&up, "redis_slave_repl_offset", &link), Some(19968.0));
        assert!(value(&up, "redis_master_last_io_seconds_ago", &link).is_some());
        assert_eq!(value(&down, "redis_master_link_up", &link), Some(0.0));
        assert_eq!(value(&down, "redis_master_last_io_seconds_ago", &link), None);
        let info = up.iter().find(|s| s.metric == "redis_instance_info").unwrap();
        assert_eq!(info.labels[..2], [("role", "slave".to_owned()), ("redis_version", "7.0.15".to_owned())]);
        let sentinel = of(SENTINEL);
        assert!(value(&sentinel, "redis_uptime_in_seconds", &[]).is_some());
        assert_eq!(value(&sentinel, "redis_memory_used_bytes", &[]), None);
    }

    #[test]
    fn the_first_part_of_a_name_counts() {
        for (row, want) in [
            ("calls=1,usec=2", Some("2")),
            ("usec=2", Some("2")),
            ("usec=,usec=3", Some("")),
            ("usec_per_call=9,usec=2", Some("2")),
            ("ausec=1,calls=usec=2,usec=a=b", Some("a=b")),
            ("usec", None),
            ("", None),
            (",,", None),
        ] {
            assert_eq!(pair(row, "usec"), want, "{row}");
        }
    }

    #[test]
    fn a_damaged_field_brings_no_sample() {
        let text = b"# Server\nused_memory:nan\nmaxmemory:inf\n# Keyspace\ndb0:keys=,expires=2\ndb1\n# Replication\n\
                     slave0:ip=a,port=1,offset=3\nslaves:ip=a,port=1,state=s,offset=3\n# Commandstats\ncmdstat_:calls=1\n";
        let found: Vec<_> = of(text).into_iter().map(|s| (s.metric, s.value)).collect();
        assert_eq!(found, [("redis_commands_total", 1.0), ("redis_db_keys_expiring", 2.0)]);
    }

    #[test]
    fn the_names_that_dashboards_ask_for_are_there() {
        let cluster = of(include_bytes!("../../tests/testdata/info/redis7_cluster.txt"));
        let all: Vec<_> = [of(PRIMARY), of(REPLICA), cluster].concat();
        for name in [
            "uptime_in_seconds",
            "connected_clients",
            "blocked_clients",
            "memory_used_bytes",
            "memory_max_bytes",
            "memory_used_rss_bytes",
            "total_system_memory_bytes",
            "commands_total",
            "commands_duration_seconds_total",
            "keyspace_hits_total",
            "keyspace_misses_total",
            "net_input_bytes_total",
            "net_output_bytes_total",
            "db_keys",
            "db_keys_expiring",
            "expired_keys_total",
            "evicted_keys_total",
            "connected_slaves",
            "master_last_io_seconds_ago",
            "instance_info",
            "rdb_last_save_timestamp_seconds",
            "rejected_connections_total",
        ] {
            assert!(all.iter().any(|s| s.metric.strip_prefix("redis_") == Some(name)), "{name}");
        }
    }

    fn look(facts: Facts) -> TargetSnapshot {
        TargetSnapshot {
            target: TargetName::new("redis://a:1").unwrap(),
            ping: Ok(Duration::from_millis(250)),
            facts: Ok(facts),
            canary: CanaryResult::NotAsked,
            samples: Vec::new(),
            elapsed: Duration::from_millis(300),
        }
    }

    fn numbers(look: &TargetSnapshot) -> Vec<(&'static str, f64)> {
        signals(look, Duration::from_secs(1)).into_iter().map(|(name, ratio)| (name, ratio.get())).collect()
    }

    #[test]
    fn signals_are_known_or_missing() {
        assert_eq!(numbers(&look(Facts::default())), [("data_path", 0.0), ("latency", 0.25)]);
        let gap = Gap::new(GapReason::Refused, "");
        let blind = TargetSnapshot::blind(TargetName::new("a").unwrap(), gap.clone(), Duration::ZERO);
        assert_eq!(numbers(&blind), [("data_path", 1.0)]);
        let canary = TargetSnapshot { canary: CanaryResult::Failed(gap), ..look(Facts::default()) };
        assert_eq!(numbers(&canary), [("data_path", 1.0), ("latency", 0.25)]);
        let gap = Gap::new(GapReason::NotAsked, "");
        let unasked = TargetSnapshot::blind(TargetName::new("a").unwrap(), gap, Duration::ZERO);
        assert_eq!(numbers(&unasked), []);
    }

    #[test]
    fn facts_become_signals() {
        let link = Link { up: true, source: "a:1".into(), syncing: false };
        let facts = Facts {
            role: Some(Role::Replica),
            link: Some(link.clone()),
            loading: Some(false),
            memory_used_bytes: Some(50),
            memory_max_bytes: Some(100),
            memory_system_bytes: Some(1000),
            clients: Some(30),
            clients_max: Some(40),
            persistence_ok: Some(true),
            ..Facts::default()
        };
        let of = |facts: Facts| numbers(&look(facts)).split_off(2);
        let want = [
            ("loading", 0.0),
            ("replication_link", 0.0),
            ("persistence", 0.0),
            ("memory_pressure", 0.5),
            ("clients_pressure", 0.75),
        ];
        assert_eq!(of(facts.clone()), want);
        let bad = Facts {
            loading: Some(true),
            link: Some(Link { up: false, ..link.clone() }),
            persistence_ok: Some(false),
            memory_used_bytes: Some(500),
            clients_max: Some(0),
            ..facts.clone()
        };
        let want =
            [("loading", 1.0), ("replication_link", 1.0), ("persistence", 1.0), ("memory_pressure", 1.0)];
        assert_eq!(of(bad), want);
        let unlimited = Facts { memory_max_bytes: Some(0), ..facts.clone() };
        assert_eq!(of(unlimited)[3], ("memory_pressure", 0.05));
        let unknown_limit = Facts { memory_max_bytes: None, ..facts.clone() };
        assert!(!of(unknown_limit).iter().any(|(name, _)| *name == "memory_pressure"));
        let syncing = Facts { link: Some(Link { syncing: true, ..link }), ..facts };
        assert_eq!(of(syncing)[1], ("replication_link", 1.0));
        for (status, want) in [(1.0, 0.0), (0.0, 1.0)] {
            let mut seen = look(Facts { persistence_ok: Some(true), ..Facts::default() });
            seen.samples.push(Sample { metric: AOF_REWRITE, labels: Vec::new(), value: status });
            assert_eq!(
                numbers(&seen).last(),
                Some(&("persistence", want)),
                "the rewrite's status is {status}"
            );
        }
        assert!(crate::monitor::spec(AOF_REWRITE).is_some(), "it is in the catalog");
    }

    proptest! {
        /// An answer with other bytes in some places, and an end somewhere: what is still one has finite numbers only.
        #[test]
        fn a_damaged_answer_brings_finite_numbers_or_none(
            damage in proptest::collection::vec((0..6000_usize, any::<u8>()), 0..20),
            end in 0..8000_usize,
        ) {
            let mut bytes = PRIMARY.to_vec();
            for (at, byte) in damage {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            bytes.truncate(end.max(10));
            if let Ok(reply) = InfoReply::parse(&bytes) {
                for sample in samples(&reply) {
                    prop_assert!(sample.value.is_finite(), "{sample:?}");
                    prop_assert!(sample.labels.iter().all(|(_, text)| !text.contains('\n')), "{sample:?}");
                }
            }
        }

        /// Whatever number a field holds, it is exported as it is, or not at all.
        #[test]
        fn any_number_is_exported_as_it_is(number in "-?[0-9]{1,400}([.][0-9]{0,20})?(e[0-9]{1,3})?", end in "\r?\n") {
            let text = format!("# Server{end}{end}used_memory:{number}{end}# New{end}other:1{end}");
            let reply = InfoReply::parse(text.as_bytes()).unwrap();
            let found = samples(&reply).into_iter().find(|s| s.metric == "redis_memory_used_bytes");
            let want = number.parse::<f64>().ok().filter(|n| n.is_finite());
            prop_assert_eq!(found.map(|sample| sample.value), want);
        }
    }
}
