//! Synthetic traffic of a Redis: what is found of what goes wrong, when, and what it is called.

use std::time::Duration;

use super::{Analyser, Lesson, Settings, measure_names};
use crate::analyse::{Drift, Entrance, Follower, Rule, Table, Threshold, train};
use crate::types::{
    Anomaly, Basis, CanaryResult, Facts, Gap, GapReason, Moment, Ratio, Sample, ServiceName, SiteName,
    Snapshot, TargetName, TargetSnapshot,
};

const PERIOD_SECONDS: u32 = 300;
const DAY_ROWS: u32 = 288;
const TRAIN_DAYS: u32 = 8;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// Half as many clients again, all at once.
    DeployStep,
    /// 20 MiB in an hour.
    Leak,
    /// A tenth more in each period.
    SlowBurn,
    /// One large value is read over and over.
    HotKey,
    EvictionStorm,
    /// 1 MiB a second.
    ReplicaBehind,
    /// 140 clients wait in a blocking command.
    Blocked,
}

/// A Redis with a day's course, a week's growth, and noise that is the same for ever.
struct Redis {
    row: u32,
    since: u32,
    fault: Fault,
    counters: Vec<(&'static str, f64)>,
    memory: f64,
}

impl Redis {
    fn new() -> Self {
        Self { row: 0, since: 0, fault: Fault::Nothing, counters: Vec::new(), memory: 400e6 }
    }

    fn noise(&self, of: u64) -> f64 {
        let mut bits = (u64::from(self.row) << 8 | of).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The sum of four is nearly normal.
        let parts = [0, 16, 32, 48].map(|shift| ((bits >> shift) & 0xffff) as f64 / 65_536.0 - 0.5);
        parts.iter().sum::<f64>() * 1.7
    }

    fn count(&mut self, metric: &'static str, per_second: f64) -> f64 {
        let more = per_second.max(0.0) * f64::from(PERIOD_SECONDS);
        match self.counters.iter_mut().find(|(known, _)| *known == metric) {
            Some((_, value)) => {
                *value += more;
                *value
            }
            None => {
                self.counters.push((metric, more));
                more
            }
        }
    }

    fn at(&self) -> f64 {
        f64::from(self.row) * f64::from(PERIOD_SECONDS)
    }

    fn break_by(&mut self, fault: Fault) {
        (self.fault, self.since) = (fault, 0);
    }

    /// The next look, a period later.
    fn look(&mut self) -> TargetSnapshot {
        self.row += 1;
        self.since += 1;
        let is = |fault: Fault| self.fault == fault;
        let when = |fault: Fault, value: f64| if is(fault) { value } else { 0.0 };
        let since = f64::from(self.since);
        let days = f64::from(self.row) / f64::from(DAY_ROWS);
        // Busy at noon, a per cent more each day.
        let busy = (1.0 - 0.6 * (days * std::f64::consts::TAU).cos()) * (1.0 + 0.01 * days);
        let step = if is(Fault::DeployStep) { 1.5 } else { 1.0 };
        let clients = 200.0 * busy * step + 6.0 * self.noise(1);
        let commands = 3000.0 * busy * step * (1.0 + 0.04 * self.noise(2));
        let misses = 0.08 + 0.006 * self.noise(3) + when(Fault::EvictionStorm, 0.25);
        let burn = if is(Fault::SlowBurn) { 1.1_f64.powf(since.min(60.0)) } else { 1.0 };
        let ping = 0.000_4 * (1.0 + 0.2 * busy) * (1.0 + 0.1 * self.noise(4).abs()) * burn;
        let hot: f64 = if is(Fault::HotKey) { 4.0 } else { 1.0 };
        let blocked = when(Fault::Blocked, 140.0) + (1.4 + self.noise(5)).max(0.0).floor();
        let behind = when(Fault::ReplicaBehind, 300.0 * 1_048_576.0 * since) + 2000.0 * (2.0 + self.noise(6));
        let grows = 400e6 * (1.0 + 0.1 * busy) * (1.0 + 0.003 * days) + 1e6 * self.noise(7);
        self.memory = grows + when(Fault::Leak, since * 20.0 / 12.0 * 1_048_576.0);
        let memory = self.memory;
        let cpu = commands * 9e-5 * hot.sqrt() + 0.005 * self.noise(8).abs();
        let lag = if is(Fault::ReplicaBehind) { 5.0 * since } else { (1.2 + self.noise(9)).max(0.0).floor() };
        let keys = 80_000.0 * (1.0 + 0.2 * busy) + 300.0 * self.noise(10);
        let offset = 1e9 + self.at() * 1e5;
        let evictions = when(Fault::EvictionStorm, 400.0 + 40.0 * self.noise(11));
        let mut samples: Vec<(&'static str, f64)> = vec![
            ("redis_uptime_in_seconds", self.at() + 1000.0),
            ("redis_connected_clients", clients.round()),
            ("redis_max_clients", 10_000.0),
            ("redis_blocked_clients", blocked),
            ("redis_connected_slaves", 1.0),
            ("redis_memory_used_bytes", memory),
            ("redis_memory_max_bytes", 1e9),
            ("redis_mem_fragmentation_ratio", 1.1 + 0.01 * self.noise(12)),
            ("redis_db_keys", keys.round()),
            ("redis_master_repl_offset", offset),
            ("redis_connected_slave_offset_bytes", offset - behind),
            ("redis_connected_slave_lag_seconds", lag),
            ("redis_latest_fork_seconds", 0.004),
            ("redis_lazyfree_pending_objects", 0.0),
            ("redis_client_recent_max_output_buffer_bytes", 20_480.0 * hot),
        ];
        for (metric, per_second) in [
            ("redis_commands_processed_total", commands),
            ("redis_commands_total", commands),
            ("redis_commands_duration_seconds_total", commands * 1.1e-5 * (1.0 + 0.03 * self.noise(13))),
            ("redis_connections_received_total", 2.0 * busy + 0.3 * self.noise(14)),
            ("redis_cpu_user_seconds_total", cpu * 0.7),
            ("redis_cpu_sys_seconds_total", cpu * 0.3),
            ("redis_errors_total", 0.02),
            ("redis_evicted_keys_total", evictions),
            ("redis_expired_keys_total", 12.0 * busy + self.noise(15)),
            ("redis_keyspace_hits_total", commands * 0.8 * (1.0 - misses)),
            ("redis_keyspace_misses_total", commands * 0.8 * misses),
            ("redis_net_input_bytes_total", commands * 110.0),
            ("redis_net_output_bytes_total", commands * 420.0 * hot * (1.0 + 0.02 * self.noise(16))),
            ("redis_rejected_connections_total", 0.0),
        ] {
            let value = self.count(metric, per_second);
            samples.push((metric, value));
        }
        let sample = |(metric, value)| Sample { metric, labels: Vec::new(), value };
        TargetSnapshot {
            target: target(),
            ping: Ok(Duration::from_secs_f64(ping)),
            facts: Ok(Facts::default()),
            canary: CanaryResult::Written(Duration::from_secs_f64(ping * 1.3)),
            samples: samples.into_iter().map(sample).collect(),
            elapsed: Duration::ZERO,
        }
    }
}

fn site() -> SiteName {
    SiteName::new("dc-a").unwrap()
}

fn target() -> TargetName {
    TargetName::new("redis-1").unwrap()
}

fn settings() -> Settings {
    Settings { period_seconds: PERIOD_SECONDS, ..Settings::default() }
}

/// A round: what the site is worth as evidence, and the row that it completed.
fn round(
    analyser: &mut Analyser,
    look: TargetSnapshot,
    at: f64,
    is_calm: bool,
) -> (Option<Ratio>, Vec<Lesson>) {
    let wall = Duration::from_secs_f64(at);
    let taken = Moment { mono: wall, wall };
    let (targets, domain) = (vec![look], Vec::new());
    let mut snapshots = [Snapshot { site: site(), taken, targets, control: None, domain, anomaly: None }];
    analyser.score(&mut snapshots);
    let calm = if is_calm { vec![site()] } else { Vec::new() };
    let lessons = analyser.remember(&calm.iter().collect::<Vec<_>>());
    (snapshots[0].anomaly, lessons)
}

/// The next round of a Redis.
fn next(analyser: &mut Analyser, redis: &mut Redis) -> (Anomaly, Option<Ratio>) {
    let look = redis.look();
    let (severity, _) = round(analyser, look, redis.at(), true);
    let anomaly = analyser.anomalies().into_iter().next().expect("the target has a score").2;
    (anomaly, severity)
}

/// An analyser that has seen the days before, and their rows.
fn seen() -> (Analyser, Redis, Table) {
    let (mut analyser, mut redis) = (Analyser::new(settings()), Redis::new());
    let mut table = Table::new(measure_names());
    for _ in 0..TRAIN_DAYS * DAY_ROWS {
        let look = redis.look();
        for lesson in round(&mut analyser, look, redis.at(), true).1 {
            table.push(lesson.time, &lesson.row, lesson.is_usual);
        }
    }
    (analyser, redis, table)
}

/// A model of rows, and the time of the last one.
fn model(table: &Table, settings: &Settings) -> (Follower, i64) {
    let service = ServiceName::new("sessions").unwrap();
    let recipe = settings.recipe(&service, &site(), &target());
    let mut follower = Follower::new(train(table, &recipe).unwrap(), settings.threshold);
    (0..table.rows()).for_each(|row| follower.recall(table.times()[row], table.row(row)));
    (follower, table.times()[table.rows() - 1])
}

/// An analyser that has learned the days before.
fn learned() -> (Analyser, Redis) {
    let (mut analyser, redis, table) = seen();
    let (follower, trained) = model(&table, &settings());
    analyser.adopt(&site(), &target(), follower, trained, Entrance::AfterTrial);
    (analyser, redis)
}

#[test]
fn each_fault_is_found_in_time_and_called_by_its_name() {
    let (healthy, _) = learned();
    // The fault, the rows until it is found at most, and the signals of which one must come first.
    let cases: [(Fault, u32, &[&str]); 7] = [
        (
            Fault::DeployStep,
            2,
            &["connected_clients", "connections_share", "commands_per_second", "net_input", "cpu_share"],
        ),
        (Fault::Leak, 24, &["memory_used_bytes", "memory_share"]),
        (Fault::SlowBurn, 24, &["ping_seconds", "write_seconds"]),
        (Fault::HotKey, 1, &["output_bytes_per_command", "net_output", "cpu_share"]),
        (Fault::EvictionStorm, 1, &["evictions_per_second", "hit_share"]),
        (Fault::ReplicaBehind, 1, &["replication_lag_bytes", "replica_lag_seconds"]),
        (Fault::Blocked, 1, &["blocked_clients"]),
    ];
    let mut wrong = Vec::new();
    for (fault, within, names) in cases {
        let (mut analyser, mut redis) = (healthy.clone(), learned_redis());
        redis.break_by(fault);
        let found = (1..=within).find_map(|row| {
            let (anomaly, _) = next(&mut analyser, &mut redis);
            anomaly.is_anomalous().then_some((row, anomaly))
        });
        let Some((row, anomaly)) = found else {
            wrong.push(format!("{fault:?}: not found within {within} rows"));
            continue;
        };
        let top = anomaly.contributions[0].signal;
        println!(
            "{fault:?}: found in row {row}, {:.1} over {:.1}: {:?}",
            anomaly.score.get(),
            anomaly.threshold.get(),
            anomaly.because
        );
        if !names.contains(&top) || anomaly.because.is_empty() {
            wrong.push(format!("{fault:?}: {top} comes first: {:?}", anomaly.because));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_deviates_now_comes_before_what_did() {
    let (mut analyser, _) = learned();
    let mut redis = learned_redis();
    for (fault, rows) in [(Fault::SlowBurn, 40), (Fault::DeployStep, 1)] {
        redis.break_by(fault);
        (0..rows).for_each(|_| drop(next(&mut analyser, &mut redis)));
    }
    let (_, _, anomaly) = analyser.anomalies().into_iter().next().unwrap();
    let first = &anomaly.contributions[0];
    let ping = anomaly.contributions.iter().find(|contribution| contribution.signal == "ping_seconds");
    assert!(ping.is_some_and(|ping| ping.deviation > first.deviation), "{first:?} {ping:?}");
    assert!(!["ping_seconds", "write_seconds"].contains(&first.signal), "{:?}", anomaly.because);
}

/// The Redis of [`learned`], at the end of what was learned.
fn learned_redis() -> Redis {
    let mut redis = Redis::new();
    (0..TRAIN_DAYS * DAY_ROWS).for_each(|_| drop(redis.look()));
    redis
}

#[test]
fn a_healthy_week_has_few_alarms_and_severity_needs_two_looks() {
    let (mut analyser, mut redis) = learned();
    let mut alarms = 0;
    let mut was_alarm = false;
    for _ in 0..7 * DAY_ROWS {
        let (anomaly, severity) = next(&mut analyser, &mut redis);
        assert_eq!(anomaly.basis, Basis::Model);
        assert!(anomaly.drift.is_some_and(|drift| drift < Drift::FAR), "{:?}", anomaly.drift);
        assert_eq!(anomaly.because.is_empty(), !anomaly.is_anomalous(), "{anomaly:?}");
        alarms += u32::from(anomaly.is_anomalous() && !was_alarm);
        was_alarm = anomaly.is_anomalous();
        assert!(severity.is_some_and(|severity| severity.get() < 0.75), "{severity:?} {anomaly:?}");
    }
    assert!(alarms <= 7, "{alarms} false alarms in a week");

    redis.break_by(Fault::Blocked);
    let (anomaly, severity) = next(&mut analyser, &mut redis);
    assert!(anomaly.is_anomalous() && severity == Some(Ratio::ZERO), "once is not enough: {severity:?}");
    let (anomaly, severity) = next(&mut analyser, &mut redis);
    assert!(severity.is_some_and(|severity| severity > Ratio::ZERO), "{severity:?} {anomaly:?}");
    let sentence = &anomaly.because[0];
    assert!(sentence.starts_with("blocked clients 1") && sentence.ends_with(" at this hour"), "{sentence}");
}

#[test]
fn what_lasts_for_a_day_is_drift_and_what_is_soon_over_is_none() {
    let (mut analyser, mut redis) = learned();
    let mut live = |redis: &mut Redis, rows: u32| {
        let mut last = None;
        for _ in 0..rows {
            let look = redis.look();
            last = round(&mut analyser, look, redis.at(), true).1.pop();
        }
        let drift = analyser.anomalies().remove(0).2.drift.expect("there is a day");
        (drift, last.expect("a row is complete").has_drifted)
    };
    redis.break_by(Fault::DeployStep);
    let (drift, has_drifted) = live(&mut redis, DAY_ROWS / 4);
    assert!(drift < Drift::FAR && !has_drifted, "six hours are no day: {drift}");
    let (drift, has_drifted) = live(&mut redis, DAY_ROWS);
    assert!(drift >= Drift::FAR && has_drifted, "{drift}");
    redis.break_by(Fault::Nothing);
    let (drift, has_drifted) = live(&mut redis, DAY_ROWS);
    assert!(drift < Drift::FAR && !has_drifted, "it is as before: {drift}");
}

#[test]
fn without_a_model_fixed_limits_speak_and_are_no_evidence() {
    let (mut analyser, mut redis) = (Analyser::new(settings()), Redis::new());
    let (anomaly, severity) = next(&mut analyser, &mut redis);
    assert_eq!((anomaly.basis, anomaly.is_anomalous(), severity), (Basis::Limits, false, None));
    let mut look = redis.look();
    look.samples.iter_mut().filter(|s| s.metric == "redis_memory_used_bytes").for_each(|s| s.value = 0.96e9);
    let (severity, _) = round(&mut analyser, look, redis.at(), true);
    let anomaly = analyser.anomalies().remove(0).2;
    assert!(anomaly.is_anomalous() && severity.is_none());
    assert!(anomaly.because[0].starts_with("memory in use"), "{:?}", anomaly.because);
}

#[test]
fn what_fails_is_neither_learned_nor_scored() {
    let (mut analyser, mut redis) = (Analyser::new(settings()), Redis::new());
    let lessons =
        |analyser: &mut Analyser, redis: &mut Redis, shape: &dyn Fn(&mut TargetSnapshot), is_calm| {
            let mut look = redis.look();
            shape(&mut look);
            round(analyser, look, redis.at(), is_calm).1
        };
    let gap = Gap::new(GapReason::Oom, "");
    assert_eq!(lessons(&mut analyser, &mut redis, &|_| (), true), [], "the first period is not over");
    assert!(lessons(&mut analyser, &mut redis, &|_| (), true)[0].is_usual);
    assert!(!lessons(&mut analyser, &mut redis, &|_| (), false)[0].is_usual, "an incident");
    let failed = |look: &mut TargetSnapshot| look.canary = CanaryResult::Failed(gap.clone());
    assert!(!lessons(&mut analyser, &mut redis, &failed, true)[0].is_usual);
    let loading =
        |look: &mut TargetSnapshot| look.facts = Ok(Facts { loading: Some(true), ..Facts::default() });
    assert!(!lessons(&mut analyser, &mut redis, &loading, true)[0].is_usual);
    let silent = |look: &mut TargetSnapshot| look.facts = Err(gap.clone());
    assert_eq!(lessons(&mut analyser, &mut redis, &silent, true), []);
    assert_eq!(analyser.anomalies(), [], "no series rather than an old one");
    assert_eq!(lessons(&mut analyser, &mut redis, &|_| (), true), [], "a gap in time is no row");
}

#[test]
fn a_new_model_takes_over_after_its_time_if_it_is_no_worse() {
    let (mut analyser, mut redis, table) = seen();
    let (good, before) = model(&table, &settings());
    analyser.adopt(&site(), &target(), good.clone(), before, Entrance::AfterTrial);
    let at = redis.at() as i64;
    analyser.adopt(&site(), &target(), good, at, Entrance::AfterTrial);
    assert_eq!(analyser.models()[0].2, Some(at));
    let rows = super::SHADOW_SECONDS / i64::from(PERIOD_SECONDS);
    for _ in 0..rows - 1 {
        let (anomaly, _) = next(&mut analyser, &mut redis);
        assert_eq!(anomaly.trained, Some(before));
    }
    (0..3).for_each(|_| drop(next(&mut analyser, &mut redis)));
    assert_eq!(next(&mut analyser, &mut redis).0.trained, Some(at), "it has taken over");

    // One for which everything counts raises more alarms, and is dropped.
    let everything = measure_names().map(|name| (name.to_owned(), Rule::default())).collect();
    let shy = Settings { threshold: Threshold::Fixed(0.01), rules: everything, ..settings() };
    let later = redis.at() as i64;
    analyser.adopt(&site(), &target(), model(&table, &shy).0, later, Entrance::AfterTrial);
    (0..rows + 3).for_each(|_| drop(next(&mut analyser, &mut redis)));
    assert_eq!(next(&mut analyser, &mut redis).0.trained, Some(at), "the old one stays");
    assert!(!analyser.watched().next().expect("a target").has_shadow());
}

#[test]
fn a_model_that_may_enter_at_once_does_and_ends_a_trial() {
    let (mut analyser, mut redis, table) = seen();
    let (model, before) = model(&table, &settings());
    analyser.adopt(&site(), &target(), model.clone(), before, Entrance::AfterTrial);
    let at = redis.at() as i64;
    analyser.adopt(&site(), &target(), model.clone(), at, Entrance::AfterTrial);
    assert_eq!(next(&mut analyser, &mut redis).0.trained, Some(before), "it follows beside");
    analyser.adopt(&site(), &target(), model, at + 1, Entrance::AtOnce);
    assert!(!analyser.watched().next().expect("a target").has_shadow());
    assert_eq!(next(&mut analyser, &mut redis).0.trained, Some(at + 1));
}
