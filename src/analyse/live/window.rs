//! The readings of one target over one period: gauges are means, counters become rates.

use std::collections::VecDeque;

use crate::types::{CanaryResult, TargetSnapshot};

/// Readings that are kept of a period at most; with more looks, some are left out.
const READINGS_MAX: usize = 16;

/// How the series of a metric become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Sum,
    Most,
    Least,
}

/// Every metric that a measure reads, sorted.
const INPUTS: &[(&str, Fold)] = &[
    ("canary", Fold::Sum),
    ("ping", Fold::Sum),
    ("redis_blocked_clients", Fold::Sum),
    ("redis_client_recent_max_output_buffer_bytes", Fold::Sum),
    ("redis_commands_duration_seconds_total", Fold::Sum),
    ("redis_commands_processed_total", Fold::Sum),
    ("redis_commands_total", Fold::Sum),
    ("redis_connected_clients", Fold::Sum),
    ("redis_connected_slave_lag_seconds", Fold::Most),
    ("redis_connected_slave_offset_bytes", Fold::Least),
    ("redis_connected_slaves", Fold::Sum),
    ("redis_connections_received_total", Fold::Sum),
    ("redis_cpu_sys_seconds_total", Fold::Sum),
    ("redis_cpu_user_seconds_total", Fold::Sum),
    ("redis_db_keys", Fold::Sum),
    ("redis_errors_total", Fold::Sum),
    ("redis_evicted_keys_total", Fold::Sum),
    ("redis_expired_keys_total", Fold::Sum),
    ("redis_keyspace_hits_total", Fold::Sum),
    ("redis_keyspace_misses_total", Fold::Sum),
    ("redis_latest_fork_seconds", Fold::Sum),
    ("redis_lazyfree_pending_objects", Fold::Sum),
    ("redis_master_last_io_seconds_ago", Fold::Most),
    ("redis_master_repl_offset", Fold::Sum),
    ("redis_max_clients", Fold::Sum),
    ("redis_mem_fragmentation_ratio", Fold::Sum),
    ("redis_memory_max_bytes", Fold::Sum),
    ("redis_memory_used_bytes", Fold::Sum),
    ("redis_net_input_bytes_total", Fold::Sum),
    ("redis_net_output_bytes_total", Fold::Sum),
    ("redis_rejected_connections_total", Fold::Sum),
    ("redis_total_system_memory_bytes", Fold::Sum),
    ("redis_uptime_in_seconds", Fold::Sum),
];
const INPUT_COUNT: usize = INPUTS.len();
const UPTIME: Input = Input::named("redis_uptime_in_seconds");

/// A metric that a measure reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input(usize);

impl Input {
    /// The input of that name; in a constant, a name that is none does not compile.
    pub(super) const fn named(name: &str) -> Self {
        let mut place = 0;
        while place < INPUT_COUNT {
            if is_same(INPUTS[place].0.as_bytes(), name.as_bytes()) {
                return Self(place);
            }
            place += 1;
        }
        panic!("no input has this name");
    }
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

/// An input by its name, looked up by the compiler.
macro_rules! input {
    ($name:literal) => {
        const { crate::analyse::live::window::Input::named($name) }
    };
}
pub(super) use input;

/// What one look read.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    at: f64,
    values: [f64; INPUT_COUNT],
}

/// The readings of the last period, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Window {
    readings: VecDeque<Reading>,
}

impl Window {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.readings.clear();
    }

    /// Adds a look at a time in Unix seconds. A process that began anew has no past: its counters began at 0.
    pub(super) fn push<'a>(&mut self, at: f64, period: f64, numbers: impl Iterator<Item = (&'a str, f64)>) {
        let reading = Reading { at, values: values(numbers) };
        if let Some(last) = self.readings.back()
            && (reading.at <= last.at || reading.values[UPTIME.0] < last.values[UPTIME.0])
        {
            self.clear();
        }
        // The last reading is always kept; one too near to the one before gives way to the next.
        let near = |one: &Reading, other: &Reading| other.at - one.at < period / READINGS_MAX as f64;
        if let [.., before, last] = self.readings.make_contiguous()
            && near(before, last)
        {
            self.readings.pop_back();
        }
        self.readings.push_back(reading);
        // The oldest is the one a period ago, so that rates span the whole period.
        while self.readings.get(1).is_some_and(|second| at - second.at >= period) {
            self.readings.pop_front();
        }
        while self.readings.len() > 2 * READINGS_MAX {
            self.readings.pop_front();
        }
    }

    /// The mean of what was read; NaN where nothing was.
    pub(super) fn gauge(&self, of: Input) -> f64 {
        // The reading a period ago belongs to the period before.
        let skip = usize::from(self.readings.len() > 1);
        let (mut sum, mut count) = (0.0, 0.0);
        for value in self.readings.iter().skip(skip).map(|reading| reading.values[of.0]) {
            if value.is_finite() {
                sum += value;
                count += 1.0;
            }
        }
        sum / count
    }

    /// How fast a counter grows, per second; NaN where it was not read twice.
    pub(super) fn rate(&self, of: Input) -> f64 {
        let (Some(first), Some(last)) = (self.readings.front(), self.readings.back()) else {
            return f64::NAN;
        };
        let grown = last.values[of.0] - first.values[of.0];
        if grown >= 0.0 && last.at > first.at { grown / (last.at - first.at) } else { f64::NAN }
    }
}

fn place(name: &str) -> Option<usize> {
    INPUTS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()
}

/// The numbers of a look.
pub(super) fn numbers(look: &TargetSnapshot) -> impl Iterator<Item = (&'static str, f64)> + '_ {
    let ping = look.ping.as_ref().ok().map(|trip| ("ping", trip.as_secs_f64()));
    let canary = match &look.canary {
        CanaryResult::Written(took) => Some(("canary", took.as_secs_f64())),
        CanaryResult::Failed(_) | CanaryResult::NotAsked => None,
    };
    let samples = look.samples.iter().map(|sample| (sample.metric, sample.value));
    ping.into_iter().chain(canary).chain(samples)
}

/// The metrics that measures read, each with the function of PromQL that makes one series of it.
pub fn recorded_inputs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_prometheus = INPUTS.iter().filter(|(name, _)| name.starts_with("redis_"));
    of_prometheus.map(|(name, fold)| {
        let function = match fold {
            Fold::Sum => "sum",
            Fold::Most => "max",
            Fold::Least => "min",
        };
        (*name, function)
    })
}

fn values<'a>(numbers: impl Iterator<Item = (&'a str, f64)>) -> [f64; INPUT_COUNT] {
    let mut values = [f64::NAN; INPUT_COUNT];
    for (name, value) in numbers {
        if let Some(place) = place(name) {
            let before = values[place];
            // The larger of a number and none is the number.
            values[place] = match INPUTS[place].1 {
                Fold::Sum if before.is_nan() => value,
                Fold::Sum => before + value,
                Fold::Most => before.max(value),
                Fold::Least => before.min(value),
            };
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::types::{Facts, Sample, TargetName};

    fn look(samples: &[(&'static str, f64)]) -> TargetSnapshot {
        let sample =
            |(metric, value): &(&'static str, f64)| Sample { metric, labels: Vec::new(), value: *value };
        TargetSnapshot {
            target: TargetName::new("redis-1").unwrap(),
            ping: Ok(Duration::from_millis(2)),
            facts: Ok(Facts::default()),
            canary: CanaryResult::NotAsked,
            samples: samples.iter().map(sample).collect(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn inputs_are_sorted() {
        assert!(INPUTS.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    fn gauges_are_means_and_counters_are_rates_over_the_period() {
        let mut window = Window::default();
        for second in 0..=120 {
            let clients = f64::from(second);
            let commands = f64::from(second) * 10.0;
            let samples =
                [("redis_connected_clients", clients), ("redis_commands_processed_total", commands)];
            window.push(f64::from(second), 60.0, numbers(&look(&samples)));
        }
        assert!((window.rate(input!("redis_commands_processed_total")) - 10.0).abs() < 1e-9);
        let clients = window.gauge(input!("redis_connected_clients"));
        assert!((85.0..=95.0).contains(&clients), "{clients}");
        assert!((window.gauge(input!("ping")) - 0.002).abs() < 1e-12);
        assert!(
            window.gauge(input!("redis_db_keys")).is_nan()
                && window.rate(input!("redis_errors_total")).is_nan()
        );
        assert!(window.readings.len() <= 2 * READINGS_MAX);
    }

    #[test]
    fn a_restart_is_a_gap_and_never_a_negative_rate() {
        let mut window = Window::default();
        let at = |uptime: f64, commands: f64| {
            look(&[("redis_uptime_in_seconds", uptime), ("redis_commands_processed_total", commands)])
        };
        window.push(0.0, 60.0, numbers(&at(1000.0, 5000.0)));
        window.push(10.0, 60.0, numbers(&at(1010.0, 6000.0)));
        assert_eq!(window.rate(input!("redis_commands_processed_total")), 100.0);
        window.push(20.0, 60.0, numbers(&at(3.0, 30.0)));
        assert!(window.rate(input!("redis_commands_processed_total")).is_nan());
        window.push(30.0, 60.0, numbers(&at(13.0, 330.0)));
        assert_eq!(window.rate(input!("redis_commands_processed_total")), 30.0);
        // CONFIG RESETSTAT
        window.push(40.0, 60.0, numbers(&at(23.0, 1.0)));
        assert!(window.rate(input!("redis_commands_processed_total")).is_nan());
    }
}
