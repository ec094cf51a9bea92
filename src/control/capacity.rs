//! Keeps what the rounds measured, at the configured resolution: for people who plan. No decision reads it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::View;
use crate::config::{Config, MetricsHistory};
use crate::store::{Keep, Point, PointsFile, SeriesKey};
use crate::types::{Clock, TargetSnapshot};

/// How the rounds of a stretch of time become one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    /// Values of one round are added up over their labels.
    Sum,
    /// The largest over their labels.
    Most,
    /// What a counter rose by in a second.
    Rate,
}

/// What is kept of every target: what it holds, what it does, and what it may.
const KEPT: &[(&str, Fold)] = &[
    ("redis_memory_used_bytes", Fold::Sum),
    ("redis_memory_used_rss_bytes", Fold::Sum),
    ("redis_memory_max_bytes", Fold::Sum),
    ("redis_mem_fragmentation_ratio", Fold::Sum),
    ("redis_connected_clients", Fold::Sum),
    ("redis_max_clients", Fold::Sum),
    ("redis_db_keys", Fold::Sum),
    ("redis_connected_slave_lag_seconds", Fold::Most),
    ("redis_commands_processed_total", Fold::Rate),
    ("redis_net_input_bytes_total", Fold::Rate),
    ("redis_net_output_bytes_total", Fold::Rate),
    ("redis_keyspace_hits_total", Fold::Rate),
    ("redis_keyspace_misses_total", Fold::Rate),
    ("redis_expired_keys_total", Fold::Rate),
    ("redis_evicted_keys_total", Fold::Rate),
    ("redis_rejected_connections_total", Fold::Rate),
    ("redis_cpu_sys_seconds_total", Fold::Rate),
    ("redis_cpu_user_seconds_total", Fold::Rate),
];
/// The round trip of a PING, which is no sample.
const PING: &str = "redrover_ping_seconds";

/// One series while a stretch of time lasts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Tally {
    sum: f64,
    count: u32,
    most: f64,
    /// A counter's last value, and when, seconds of the monotonic clock.
    counter: Option<(f64, f64)>,
}

impl Tally {
    fn note(&mut self, value: f64) {
        self.most = if self.count == 0 { value } else { self.most.max(value) };
        self.sum += value;
        self.count += 1;
    }

    /// A counter that fell was reset, and says nothing of the time between.
    fn note_counter(&mut self, value: f64, at: f64) {
        if let Some((last, then)) = self.counter
            && value >= last
            && at > then
        {
            self.note((value - last) / (at - then));
        }
        self.counter = Some((value, at));
    }

    fn take(&mut self, at: i64) -> Option<Point> {
        let mean = self.sum / f64::from(self.count);
        let point = Point { at, mean, most: self.most };
        let is_any = self.count > 0;
        *self = Self { counter: self.counter, ..Self::default() };
        is_any.then_some(point)
    }
}

/// All series of the present stretch of time.
#[derive(Debug, Default)]
struct Tallies {
    series: BTreeMap<SeriesKey, Tally>,
    /// When each target was seen last, nanoseconds of the monotonic clock: a picture that stays the same counts once.
    seen: BTreeMap<(String, String, String), u128>,
}

impl Tallies {
    fn note(&mut self, place: (&str, &str), target: &TargetSnapshot, taken: Duration) {
        let (service, site) = place;
        let name = target.target.as_str();
        let id = (service.to_owned(), site.to_owned(), name.to_owned());
        if self.seen.insert(id, taken.as_nanos()) == Some(taken.as_nanos()) {
            return;
        }
        let key = |metric: &str| SeriesKey {
            service: service.to_owned(),
            metric: metric.to_owned(),
            site: site.to_owned(),
            target: name.to_owned(),
        };
        for (metric, fold) in KEPT {
            let values = target.samples.iter().filter(|sample| sample.metric == *metric).map(|s| s.value);
            let found = match fold {
                Fold::Sum | Fold::Rate => values.reduce(|a, b| a + b),
                Fold::Most => values.reduce(f64::max),
            };
            let Some(value) = found else { continue };
            let tally = self.series.entry(key(metric)).or_default();
            match fold {
                Fold::Sum | Fold::Most => tally.note(value),
                Fold::Rate => tally.note_counter(value, taken.as_secs_f64()),
            }
        }
        if let Ok(ping) = target.ping {
            self.series.entry(key(PING)).or_default().note(ping.as_secs_f64());
        }
    }

    /// The points of a stretch that is over. A series that had none is forgotten.
    fn take(&mut self, at: i64) -> Vec<(SeriesKey, Point)> {
        let mut points = Vec::new();
        self.series.retain(|key, tally| match tally.take(at) {
            Some(point) => {
                points.push((key.clone(), point));
                true
            }
            // A counter needs two looks for its first value.
            None => tally.counter.is_some(),
        });
        self.seen.clear();
        points
    }
}

/// The task that keeps measurements.
pub struct Capacity {
    folder: PathBuf,
    view: View,
    config: Arc<ArcSwap<Config>>,
    clock: Arc<dyn Clock>,
    file: Option<PointsFile>,
    tallies: Tallies,
    /// The stretch of time that is under way: its number.
    stretch: Option<i64>,
    is_told: bool,
}

impl Capacity {
    /// A task that looks at the published picture, and keeps what a configuration, which may be replaced, wants.
    #[must_use]
    pub fn new(folder: PathBuf, view: View, config: Arc<ArcSwap<Config>>, clock: Arc<dyn Clock>) -> Self {
        let (file, tallies) = (None, Tallies::default());
        Self { folder, view, config, clock, file, tallies, stretch: None, is_told: false }
    }

    /// Keeps until cancelled; what the last, unfinished stretch measured is written too.
    pub async fn run(mut self, cancelled: CancellationToken) {
        loop {
            let interval = self.config.load().global.probe_interval;
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            let is_over = tokio::select! {
                () = cancelled.cancelled() => true,
                _ = ticks.tick() => false,
            };
            let rules = self.config.load().history.metrics.clone();
            if let Some(rules) = rules {
                self.round(&rules, is_over).await;
            }
            if is_over {
                return;
            }
        }
    }

    async fn round(&mut self, rules: &MetricsHistory, is_over: bool) {
        let length = i64::try_from(rules.resolution.as_secs()).unwrap_or(i64::MAX).max(1);
        let now = self.clock.now().unix_ms() / 1000;
        let stretch = now.div_euclid(length);
        let former = *self.stretch.get_or_insert(stretch);
        if former != stretch || is_over {
            let points = self.tallies.take(former.saturating_mul(length));
            self.stretch = Some(stretch);
            self.write(points, rules, now).await;
        }
        let views = self.view.services();
        for view in &views {
            for snapshot in &view.snapshots {
                let place = (view.service.name.as_str(), snapshot.site.as_str());
                snapshot.targets.iter().for_each(|t| self.tallies.note(place, t, snapshot.taken.mono));
            }
        }
    }

    async fn write(&mut self, points: Vec<(SeriesKey, Point)>, rules: &MetricsHistory, now: i64) {
        // A disk that the journal cannot use is not for us.
        let is_durable = self.view.services().iter().all(|view| view.is_durable);
        if points.is_empty() || !is_durable {
            return;
        }
        let age = i64::try_from(rules.retention.as_secs()).unwrap_or(i64::MAX);
        let keep = Keep { oldest: now.saturating_sub(age), bytes_max: rules.bytes_max };
        let (file, folder) = (self.file.take(), self.folder.clone());
        let work = tokio::task::spawn_blocking(move || {
            let mut file = file.map_or_else(|| PointsFile::open(&folder), Ok)?;
            file.write(&points, keep)?;
            Ok::<_, crate::store::JournalError>(file)
        });
        match work.await {
            Ok(Ok(file)) => {
                self.file = Some(file);
                self.is_told = false;
            }
            // The file is opened anew the next time, which mends it where that can be done.
            Ok(Err(error)) if !self.is_told => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the history of measurements cannot be written; nothing else needs it");
                self.is_told = true;
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::CATALOG;
    use crate::types::{CanaryResult, Facts, Sample, TargetName};

    fn seen(values: &[(&'static str, f64)]) -> TargetSnapshot {
        let sample =
            |(metric, value): &(&'static str, f64)| Sample { metric, labels: Vec::new(), value: *value };
        TargetSnapshot {
            target: TargetName::new("redis://a:6379").unwrap(),
            ping: Ok(Duration::from_millis(2)),
            facts: Ok(Facts::default()),
            canary: CanaryResult::NotAsked,
            samples: values.iter().map(sample).collect(),
            elapsed: Duration::ZERO,
        }
    }

    fn taken(tallies: &mut Tallies) -> BTreeMap<String, (f64, f64)> {
        tallies.take(60).into_iter().map(|(key, point)| (key.metric, (point.mean, point.most))).collect()
    }

    #[test]
    fn every_metric_that_is_kept_is_exported() {
        for (metric, fold) in KEPT {
            let spec = CATALOG.iter().find(|spec| spec.name == *metric);
            assert!(spec.is_some(), "{metric}");
            assert_eq!(metric.ends_with("_total"), *fold == Fold::Rate, "{metric}");
        }
    }

    #[test]
    fn gauges_are_averaged_and_counters_become_rates() {
        let mut tallies = Tallies::default();
        let mut look = |at: u64, memory: f64, commands: f64| {
            let keys = ("redis_db_keys", 5.0);
            let values = [
                ("redis_memory_used_bytes", memory),
                keys,
                keys,
                ("redis_commands_processed_total", commands),
            ];
            tallies.note(("s", "dc-a"), &seen(&values), Duration::from_secs(at));
        };
        look(0, 10.0, 100.0);
        look(10, 30.0, 200.0);
        look(10, 99.0, 999.0);
        look(20, 20.0, 400.0);
        let points = taken(&mut tallies);
        assert_eq!(
            points["redis_memory_used_bytes"],
            (20.0, 30.0),
            "a picture that stays the same counts once"
        );
        assert_eq!(points["redis_db_keys"], (10.0, 10.0), "databases are added up");
        assert_eq!(points["redis_commands_processed_total"], (15.0, 20.0));
        assert_eq!(points[PING].1, 0.002);
        // A restart sets counters back: no negative rate, and no huge one.
        let mut look = |at: u64, commands: f64| {
            let values = [("redis_commands_processed_total", commands)];
            tallies.note(("s", "dc-a"), &seen(&values), Duration::from_secs(at));
        };
        look(30, 500.0);
        look(40, 3.0);
        look(50, 13.0);
        assert_eq!(taken(&mut tallies)["redis_commands_processed_total"], (5.5, 10.0));
        assert!(taken(&mut tallies).is_empty(), "nothing was seen");
    }
}
