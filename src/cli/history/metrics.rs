//! `redrover history metrics SERVICE`: what was measured, for people who plan.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use clap::Args;

use crate::app::now;
use crate::cli::explain::time;
use crate::cli::parts::{Failure, JournalArgs, Output};
use crate::store::{Point, SeriesKey, read_points};

const SECONDS_OF_DAY: f64 = 86_400.0;
/// A growth is told of so long a time at least: less is chance.
const GROWTH_SECONDS_MIN: i64 = 3600;
/// What each measurement may grow to, where the target says so.
const LIMITS: [(&str, &str); 2] =
    [("redis_memory_used_bytes", "redis_memory_max_bytes"), ("redis_connected_clients", "redis_max_clients")];

#[derive(Debug, Args)]
pub(super) struct MetricsArgs {
    /// The service.
    service: String,
    /// Only of the last so long a time, such as 7d.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// Only this measurement, such as redis_memory_used_bytes.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    #[command(flatten)]
    journal: JournalArgs,
    /// How to print: text sums up each series; json is one line for each point.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(super) fn run(args: &MetricsArgs) -> Result<(), Failure> {
    let (directory, service) = args.journal.find(&args.service)?;
    let age = args.since.map(|since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    let since = age.map_or(i64::MIN, |age| (now().unix_ms() / 1000).saturating_sub(age));
    let metric = args.metric.as_deref();
    let mut out = std::io::stdout().lock();
    match args.output {
        Output::Json => {
            // Whoever reads may have seen enough.
            let mut is_heard = true;
            read_points(&directory, service.as_str(), metric, since, |key, point| {
                is_heard = is_heard && writeln!(out, "{}", json(key, point)).is_ok();
            })?;
        }
        Output::Text => {
            let mut all: BTreeMap<SeriesKey, Summary> = BTreeMap::new();
            read_points(&directory, service.as_str(), metric, since, |key, point| {
                all.entry(key.clone()).or_insert_with(|| Summary::begun(point)).note(point);
            })?;
            let _ = write!(out, "{}", text(&all));
        }
    }
    Ok(())
}

fn json(key: &SeriesKey, point: Point) -> serde_json::Value {
    serde_json::json!({
        "at": time(point.at.saturating_mul(1000)),
        "service": key.service,
        "datacenter": key.site,
        "target": key.target,
        "metric": key.metric,
        "mean": point.mean,
        "most": point.most,
    })
}

/// One series, summed up while it is read.
#[derive(Debug, Clone, Copy)]
struct Summary {
    first: i64,
    last: Point,
    count: f64,
    sum: f64,
    most: f64,
    // For the straight line that fits best, over seconds since the first point.
    sum_x: f64,
    sum_xx: f64,
    sum_xy: f64,
}

impl Summary {
    fn begun(point: Point) -> Self {
        let (count, sum, sum_x, sum_xx, sum_xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        Self { first: point.at, last: point, count, sum, most: f64::MIN, sum_x, sum_xx, sum_xy }
    }

    fn note(&mut self, point: Point) {
        let x = (point.at - self.first) as f64;
        self.last = point;
        self.count += 1.0;
        self.sum += point.mean;
        self.most = self.most.max(point.most);
        self.sum_x += x;
        self.sum_xx += x * x;
        self.sum_xy += x * point.mean;
    }

    fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The growth of a day along the line that fits best.
    fn growth(&self) -> Option<f64> {
        let spread = self.count * self.sum_xx - self.sum_x * self.sum_x;
        let is_long = self.last.at - self.first >= GROWTH_SECONDS_MIN && spread > 0.0;
        is_long.then(|| (self.count * self.sum_xy - self.sum_x * self.sum) / spread * SECONDS_OF_DAY)
    }
}

fn text(all: &BTreeMap<SeriesKey, Summary>) -> String {
    let mut text = String::new();
    let mut heading = None;
    for (key, summary) in all {
        if heading != Some(&key.metric) {
            let unit = if key.metric.ends_with("_total") { ", per second" } else { "" };
            text.push_str(&format!("{}{unit}\n", key.metric));
            heading = Some(&key.metric);
        }
        let growth = summary.growth();
        let told = growth.map_or(String::new(), |growth| format!("  {:>+12} a day", short(growth)));
        let full = growth.and_then(|growth| until_full(all, key, summary, growth));
        text.push_str(&format!(
            "  {:<10} {:<32} now {:>10}  mean {:>10}  most {:>10}{told}{}\n",
            key.site,
            key.target,
            short(summary.last.mean),
            short(summary.mean()),
            short(summary.most),
            full.unwrap_or_default(),
        ));
    }
    if text.is_empty() { "nothing was measured in that time\n".to_owned() } else { text }
}

/// When a measurement reaches what the target allows, if it goes on so.
fn until_full(
    all: &BTreeMap<SeriesKey, Summary>,
    key: &SeriesKey,
    summary: &Summary,
    growth: f64,
) -> Option<String> {
    let (_, limit) = LIMITS.iter().find(|(metric, _)| *metric == key.metric)?;
    let limit = all.get(&SeriesKey { metric: (*limit).to_owned(), ..key.clone() })?.last.mean;
    let days = (limit - summary.last.mean) / growth;
    (limit > 0.0 && growth > 0.0 && (0.0..3650.0).contains(&days))
        .then(|| format!("  reaches {} in {days:.0} days", short(limit)))
}

/// A number with three digits and a prefix.
fn short(number: f64) -> String {
    let steps = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match steps.iter().find(|(step, _)| number.abs() >= *step) {
        Some((step, prefix)) => format!("{:.2}{prefix}", number / step),
        None if number.abs() >= 10.0 || number == 0.0 => format!("{number:.0}"),
        None => format!("{number:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(metric: &str) -> SeriesKey {
        let text = |text: &str| text.to_owned();
        SeriesKey {
            service: text("s"),
            metric: text(metric),
            site: text("dc-a"),
            target: text("redis://a:6379"),
        }
    }

    fn summary(values: impl Iterator<Item = (i64, f64)>) -> Summary {
        let mut found: Option<Summary> = None;
        for (at, value) in values {
            let point = Point { at, mean: value, most: value };
            found.get_or_insert_with(|| Summary::begun(point)).note(point);
        }
        found.unwrap()
    }

    #[test]
    fn a_growth_leads_to_a_day() {
        // 10 MB a day for ten days, of 1 GB.
        let hour = |hour: i64| (hour * 3600, 5e8 + hour as f64 * 1e7 / 24.0);
        let used = summary((0..240).map(hour));
        let all = BTreeMap::from([
            (key("redis_memory_used_bytes"), used),
            (key("redis_memory_max_bytes"), summary([(0, 1e9)].into_iter())),
            (key("redis_commands_processed_total"), summary([(0, 5.0), (60, 7.0)].into_iter())),
        ]);
        assert!((used.growth().unwrap() - 1e7).abs() < 1.0, "{used:?}");
        let told = text(&all);
        assert!(told.contains("reaches 1.00G in 40 days"), "{told}");
        assert!(told.contains("redis_commands_processed_total, per second"), "{told}");
        assert!(told.contains("mean     6.0000  most     7.0000\n"), "a minute tells no growth: {told}");
        assert!(text(&BTreeMap::new()).contains("nothing"));
    }
}
