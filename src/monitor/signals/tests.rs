//! Tables, the document, and what holds whatever a target says.

use std::time::Duration;

use proptest::prelude::*;

use super::reading::{Counters, Levels};
use super::window::Growth;
use super::*;
use crate::monitor::{InfoReply, facts, samples};
use crate::types::{
    CanaryResult, Facts, Gap, GapReason, Moment, Ratio, Role, Sample, SiteName, Snapshot, TargetName,
    TargetSnapshot,
};

const TIMEOUT: Duration = Duration::from_secs(1);
const PRIMARY: &[u8] = include_bytes!("../../../tests/testdata/info/redis7_primary.txt");

fn moment(seconds: f64) -> Moment {
    let at = Duration::from_secs_f64(seconds);
    Moment { mono: at, wall: at }
}

fn look(ping: Result<Duration, Gap>, facts: Result<Facts, Gap>, samples: Vec<Sample>) -> TargetSnapshot {
    TargetSnapshot {
        target: TargetName::new("redis://a:6379").unwrap(),
        ping,
        facts,
        canary: CanaryResult::NotAsked,
        samples,
        elapsed: Duration::from_millis(5),
    }
}

fn snapshot(look: TargetSnapshot, seconds: f64) -> Snapshot {
    Snapshot {
        site: SiteName::new("dc-a").unwrap(),
        taken: moment(seconds),
        targets: vec![look],
        control: None,
        domain: Vec::new(),
        anomaly: None,
    }
}

/// A story of one target, as samples at moments.
#[derive(Default)]
struct Story {
    book: SignalBook,
    seconds: f64,
    run: &'static str,
}

impl Story {
    /// Looks five seconds later, and sees these numbers.
    fn see(&mut self, numbers: &[(&'static str, f64)]) -> Signals {
        self.see_commands(numbers, &[])
    }

    fn see_commands(&mut self, numbers: &[(&'static str, f64)], calls: &[(&str, f64)]) -> Signals {
        self.seconds += 5.0;
        let plain = |&(metric, value): &(_, f64)| Sample { metric, labels: Vec::new(), value };
        let info = Sample {
            metric: "redis_instance_info",
            labels: vec![("role", "master".to_owned()), ("run_id", self.run.to_owned())],
            value: 1.0,
        };
        let command = |&(command, value): &(&str, f64)| Sample {
            metric: "redis_commands_total",
            labels: vec![("cmd", command.to_owned())],
            value,
        };
        let samples = numbers.iter().map(plain).chain([info]).chain(calls.iter().map(command)).collect();
        let facts = Facts { role: Some(Role::Primary), ..Facts::default() };
        let seen = look(Ok(Duration::from_millis(10)), Ok(facts), samples);
        self.book.note(&[snapshot(seen, self.seconds)], TIMEOUT);
        self.signals()
    }

    fn signals(&self) -> Signals {
        self.book.all().remove(0).2
    }
}

fn of(signals: &Signals, name: &str) -> Option<f64> {
    assert!(SIGNAL_TABLE.iter().any(|spec| spec.name == name), "{name}");
    signals.iter().find(|(found, _)| *found == name).map(|(_, value)| (value.get() * 1e6).round() / 1e6)
}

#[test]
fn a_redis_that_was_seen_twice_has_all_its_signals_in_the_tables_order() {
    let reply = InfoReply::parse(PRIMARY).unwrap();
    let mut book = SignalBook::default();
    for round in 0..30 {
        let mut seen = look(Ok(Duration::from_millis(20)), Ok(facts(&reply)), samples(&reply));
        seen.canary = CanaryResult::Written(Duration::from_millis(100));
        for sample in seen.samples.iter_mut().filter(|s| s.metric.ends_with("_total")) {
            sample.value += 100.0 * f64::from(round);
        }
        book.note(&[snapshot(seen, 5.0 * f64::from(round))], TIMEOUT);
    }
    let signals = book.all().remove(0).2;
    let names: Vec<_> = signals.iter().map(|(name, _)| *name).collect();
    // A primary has no link to another one.
    let all = SIGNAL_TABLE.iter().map(|spec| spec.name).filter(|name| *name != "replication_link");
    assert_eq!(names, all.collect::<Vec<_>>());
    for (name, value) in [
        ("ping_median", 0.02),
        ("canary_tail", 0.05),
        ("keyspace_change", 0.0),
        ("cpu", 1.0),
        ("fragmentation", 0.085818),
    ] {
        assert_eq!(of(&signals, name), Some(value), "{name}");
    }
}

#[test]
fn counters_tell_by_their_growth_alone() {
    let mut story = Story { run: "one", ..Story::default() };
    let counters = |hits, misses, accepted, refused, evicted, cpu| {
        [
            ("redis_keyspace_hits_total", hits),
            ("redis_keyspace_misses_total", misses),
            ("redis_connections_received_total", accepted),
            ("redis_rejected_connections_total", refused),
            ("redis_evicted_keys_total", evicted),
            ("redis_cpu_user_seconds_total", cpu),
            ("redis_db_keys", 100.0),
        ]
    };
    let names = ["hit_ratio_loss", "rejected_connections", "evictions", "cpu"];
    let rows = [
        // The first look knows no growth, and so does the first one after a reset.
        ("one", counters(5000.0, 5000.0, 50.0, 9.0, 7.0, 90.0), [None; 4]),
        ("one", counters(5090.0, 5010.0, 60.0, 9.0, 7.0, 92.5), [Some(0.0), Some(0.0), Some(0.0), Some(0.5)]),
        // Half of what was usual: 0.45 of 0.9, over both intervals; 25 in 10 s are 150 a minute.
        (
            "one",
            counters(5090.0, 5110.0, 60.0, 19.0, 32.0, 92.5),
            [Some(0.5), Some(0.5), Some(0.6), Some(0.25)],
        ),
        ("two", counters(10.0, 0.0, 1.0, 0.0, 0.0, 0.1), [None; 4]),
        ("two", counters(12.0, 0.0, 2.0, 0.0, 0.0, 5.1), [None, Some(0.0), Some(0.0), Some(1.0)]),
        // Statistics that were reset: one counter is smaller.
        ("two", counters(0.0, 0.0, 0.0, 0.0, 0.0, 5.2), [None; 4]),
        ("two", counters(0.0, 0.0, 0.0, 3.0, 0.0, 5.2), [None, Some(1.0), Some(0.0), Some(0.0)]),
    ];
    for (number, (run, numbers, wanted)) in rows.into_iter().enumerate() {
        story.run = run;
        let signals = story.see(&numbers);
        assert_eq!(names.map(|name| of(&signals, name)), wanted, "row {number}");
    }
}

#[test]
fn a_minute_is_measured_and_no_more() {
    let mut story = Story { run: "one", ..Story::default() };
    let numbers = |cpu| [("redis_cpu_sys_seconds_total", cpu)];
    // Idle for a minute, then busy for a minute.
    let cpu: Vec<_> = (0..30).map(|look| f64::from((look - 12_i32).max(0)) * 5.0).collect();
    let seen: Vec<_> = cpu.iter().map(|cpu| of(&story.see(&numbers(*cpu)), "cpu")).collect();
    assert_eq!((seen[0], seen[1], seen[12]), (None, Some(0.0), Some(0.0)));
    assert_eq!((seen[13], seen[18], seen[24]), (Some(0.083333), Some(0.5), Some(1.0)));
}

#[test]
fn other_commands_and_other_keys_than_usual_are_seen_and_become_usual() {
    let mut story = Story { run: "one", ..Story::default() };
    let (mut gets, mut sets) = (0.0, 0.0);
    let mut seen = Vec::new();
    for round in 0..400 {
        let (more_gets, more_sets, keys) =
            if round < 100 { (80.0, 20.0, 1000.0) } else { (20.0, 80.0, 250.0) };
        gets += more_gets;
        sets += more_sets;
        let signals = story.see_commands(&[("redis_db_keys", keys)], &[("get", gets), ("set", sets)]);
        seen.push((of(&signals, "command_mix_shift"), of(&signals, "keyspace_change")));
    }
    assert_eq!(seen[0], (None, Some(0.0)), "the first look has nothing to be held against");
    assert_eq!(seen[99], (Some(0.0), Some(0.0)));
    assert_eq!(seen[100], (Some(0.6), Some(0.75)));
    let (mix, keys) = seen[160];
    assert!((0.29..0.31).contains(&mix.unwrap()), "after its half-life half of it is left: {mix:?}");
    assert!((0.59..0.61).contains(&keys.unwrap()), "250 of 625: {keys:?}");
    assert!(seen[399].0.unwrap() < 0.02 && seen[399].1.unwrap() < 0.1, "{:?}", seen[399]);
    // Too few calls for shares.
    let signals = story.see_commands(&[], &[("get", gets + 19.0), ("set", sets)]);
    assert_eq!((of(&signals, "command_mix_shift"), of(&signals, "keyspace_change")), (None, Some(1.0)));
}

#[test]
fn failed_and_refused_calls_are_a_share_of_all() {
    let mut story = Story { run: "one", ..Story::default() };
    let see = |story: &mut Story, calls, failed, refused| {
        let numbers =
            [("redis_commands_failed_calls_total", failed), ("redis_commands_rejected_calls_total", refused)];
        of(&story.see_commands(&numbers, &[("get", calls)]), "error_replies")
    };
    assert_eq!(see(&mut story, 1000.0, 500.0, 0.0), None);
    assert_eq!(see(&mut story, 1019.0, 500.0, 0.0), None, "19 calls");
    assert_eq!(see(&mut story, 1020.0, 500.0, 0.0), Some(0.0), "20 calls");
    assert_eq!(see(&mut story, 1080.0, 510.0, 20.0), Some(0.3), "30 of 100");
}

#[test]
fn what_follows_from_numbers_alone() {
    let none = Levels::default();
    let levels = |change: fn(&mut Levels)| {
        let mut levels = Levels::default();
        change(&mut levels);
        levels
    };
    let shown = |ratio: Option<Ratio>| ratio.map(Ratio::get);
    for (levels, wanted) in [
        (none, None),
        (levels(|l| (l.blocked, l.clients) = (Some(0.0), Some(0.0))), Some(0.0)),
        (levels(|l| (l.blocked, l.clients) = (Some(5.0), Some(20.0))), Some(0.25)),
        (levels(|l| (l.blocked, l.clients) = (Some(5.0), Some(0.0))), Some(1.0)),
    ] {
        assert_eq!(shown(pressure::blocked_clients(&levels)), wanted, "{levels:?}");
    }
    for (levels, wanted) in [
        (none, None),
        (levels(|l| (l.allocated, l.active) = (Some(75.0), Some(100.0))), Some(0.25)),
        (levels(|l| (l.allocated, l.active) = (Some(110.0), Some(100.0))), Some(0.0)),
        (levels(|l| (l.used, l.resident) = (Some(100.0), Some(40.0))), Some(0.6)),
        (levels(|l| (l.used, l.resident) = (Some(100.0), Some(400.0))), Some(0.0)),
        (levels(|l| (l.allocated, l.active, l.used) = (Some(1.0), Some(0.0), Some(0.0))), None),
    ] {
        assert_eq!(shown(pressure::fragmentation(&levels)), wanted, "{levels:?}");
    }
    let (primary, replica) = (Some(Role::Primary), Some(Role::Replica));
    for (role, levels, wanted) in [
        (None, none, None),
        (Some(Role::Other), levels(|l| l.lag_seconds = Some(60.0)), None),
        (primary, none, None),
        (primary, levels(|l| l.lag_seconds = Some(15.0)), Some(0.25)),
        (primary, levels(|l| l.lag_seconds = Some(600.0)), Some(1.0)),
        (
            primary,
            levels(|l| {
                (l.lag_seconds, l.offset, l.offset_least, l.backlog) =
                    (Some(0.0), Some(900.0), Some(400.0), Some(1000.0));
            }),
            Some(0.5),
        ),
        (replica, none, None),
        (replica, levels(|l| l.heard_seconds = Some(10.0)), Some(0.0)),
        (replica, levels(|l| l.heard_seconds = Some(35.0)), Some(0.5)),
        (replica, levels(|l| (l.heard_seconds, l.link) = (Some(0.0), Some(0.0))), Some(1.0)),
    ] {
        let facts = Facts { role, ..Facts::default() };
        assert_eq!(shown(pressure::replication_lag(&facts, &levels)), wanted, "{role:?} {levels:?}");
    }
}

#[test]
fn medians_and_tails_need_looks_and_timeouts_count_as_the_whole() {
    let mut book = SignalBook::default();
    let mut seen = Vec::new();
    for round in 1..=100_u32 {
        let gap = |reason| Gap::new(reason, "");
        let ping = match round {
            81..=100 if round % 2 == 0 => Err(gap(GapReason::Timeout)),
            81..=100 => Err(gap(GapReason::Refused)),
            _ => Ok(Duration::from_millis(u64::from(round))),
        };
        let blind = ping.is_err();
        let mut seen_look = look(ping, Err(gap(GapReason::Timeout)), Vec::new());
        if !blind {
            seen_look.canary = CanaryResult::Written(Duration::from_millis(500));
        }
        book.note(&[snapshot(seen_look, f64::from(round))], TIMEOUT);
        let signals = book.all().remove(0).2;
        let names = ["ping_median", "ping_tail", "canary_median", "canary_tail"];
        seen.push(names.map(|name| of(&signals, name)));
    }
    assert_eq!(seen[3], [None; 4]);
    assert_eq!(seen[4], [Some(0.003), None, Some(0.25), None]);
    assert_eq!(seen[19], [Some(0.01), Some(0.019), Some(0.25), Some(0.25)]);
    // 60 looks from 21 to 80 ms, then ten that took all of their time, and ten that say nothing of it.
    assert_eq!(seen[79][..2], [Some(0.05), Some(0.077)]);
    assert_eq!(seen[99][..2], [Some(0.06), Some(1.0)]);
}

#[test]
fn what_is_no_longer_looked_at_is_forgotten() {
    let mut book = SignalBook::default();
    let seen = look(Ok(TIMEOUT), Err(Gap::new(GapReason::Timeout, "")), Vec::new());
    book.note(&[snapshot(seen.clone(), 1.0)], TIMEOUT);
    assert_eq!(book.all().len(), 1);
    let mut other = snapshot(seen, 2.0);
    other.site = SiteName::new("dc-b").unwrap();
    book.note(&[other], TIMEOUT);
    assert_eq!(book.all().iter().map(|(site, _, _)| site.as_str()).collect::<Vec<_>>(), ["dc-b"]);
}

const METRICS: [&str; 24] = [
    "redis_keyspace_hits_total",
    "redis_keyspace_misses_total",
    "redis_connections_received_total",
    "redis_rejected_connections_total",
    "redis_evicted_keys_total",
    "redis_cpu_user_main_thread_seconds_total",
    "redis_cpu_sys_main_thread_seconds_total",
    "redis_cpu_user_seconds_total",
    "redis_commands_failed_calls_total",
    "redis_commands_rejected_calls_total",
    "redis_db_keys",
    "redis_connected_clients",
    "redis_blocked_clients",
    "redis_memory_used_bytes",
    "redis_memory_used_rss_bytes",
    "redis_allocator_allocated_bytes",
    "redis_allocator_active_bytes",
    "redis_master_last_io_seconds_ago",
    "redis_master_link_up",
    "redis_connected_slave_lag_seconds",
    "redis_connected_slave_offset_bytes",
    "redis_master_repl_offset",
    "redis_replication_backlog_bytes",
    "redis_uptime_in_seconds",
];

/// Any number that INFO may hold, ordinary ones more often.
fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1e6_f64,
        1 => Just(0.0),
        1 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
    ]
}

fn looks() -> impl Strategy<Value = (f64, u64, bool, Option<Role>, Vec<f64>, Vec<f64>)> {
    (
        prop_oneof![Just(0.0), 0.001..4000.0_f64],
        0..5000_u64,
        any::<bool>(),
        prop::sample::select(vec![None, Some(Role::Primary), Some(Role::Replica), Some(Role::Other)]),
        prop::collection::vec(numbers(), METRICS.len()),
        prop::collection::vec(numbers(), 0..5),
    )
}

proptest! {
    /// Whatever it says, at whatever pace, in whatever order: numbers in range, in the table's order, bounded memory.
    #[test]
    fn nothing_a_target_says_leaves_the_range(looks in prop::collection::vec(looks(), 1..90)) {
        let (mut book, mut seconds) = (SignalBook::default(), 0.0);
        let names: Vec<_> = SIGNAL_TABLE.iter().map(|spec| spec.name).collect();
        for (after, millis, is_blind, role, values, calls) in looks {
            seconds += after;
            let plain = METRICS.iter().zip(values);
            let mut samples: Vec<_> = plain
                .map(|(metric, value)| Sample { metric, labels: Vec::new(), value })
                .collect();
            samples.extend(calls.into_iter().enumerate().map(|(command, value)| Sample {
                metric: "redis_commands_total",
                labels: vec![("cmd", command.to_string())],
                value,
            }));
            let facts = match is_blind {
                true => Err(Gap::new(GapReason::Timeout, "")),
                false => Ok(Facts { role, ..Facts::default() }),
            };
            let mut seen = look(Ok(Duration::from_millis(millis)), facts, samples);
            seen.canary = CanaryResult::Written(Duration::from_millis(millis));
            book.note(&[snapshot(seen, seconds)], TIMEOUT);
            let (_, _, signals) = book.all().remove(0);
            let places: Vec<_> = signals.iter().map(|(name, _)| names.iter().position(|n| n == name)).collect();
            prop_assert!(places.windows(2).all(|pair| pair[0].is_some() && pair[0] < pair[1]), "{signals:?}");
            prop_assert!(signals.iter().all(|(_, value)| (0.0..=1.0).contains(&value.get())), "{signals:?}");
        }
        prop_assert!(book.remembered_most() <= 401);
    }

    /// More of what is bad is never less of the signal.
    #[test]
    fn worse_numbers_never_look_better(
        good in 0.0..1e9_f64, bad in 0.0..1e9_f64, more in 0.0..1e9_f64, seconds in 0.001..1e5_f64,
    ) {
        let growth = |bad| Growth {
            seconds,
            counters: Counters {
                received: Some(good), rejected: Some(bad), evicted: Some(bad), cpu_seconds: Some(bad),
                calls: Some(good + bad), failed: Some(bad), ..Counters::default()
            },
        };
        let levels = |bad| Levels {
            keys: good, clients: Some(good + bad), blocked: Some(bad), lag_seconds: Some(bad),
            ..Levels::default()
        };
        let facts = Facts { role: Some(Role::Primary), ..Facts::default() };
        let all = |bad| {
            let (growth, levels) = (growth(bad), levels(bad));
            [
                pressure::rejected_connections(&growth.counters),
                pressure::evictions(&growth, &levels),
                pressure::cpu(&growth),
                pressure::blocked_clients(&levels),
                pressure::replication_lag(&facts, &levels),
            ]
        };
        for (less, more) in all(bad).into_iter().zip(all(bad + more)) {
            let (less, more) = (less.map(Ratio::get).unwrap(), more.map(Ratio::get).unwrap());
            prop_assert!(less <= more + 1e-12, "{less} {more}");
        }
    }
}
