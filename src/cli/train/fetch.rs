//! The past of one target, from Prometheus: a day at a time, and each day only once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use url::Url;

use crate::analyse::{Recorded, recorded_inputs};
use crate::config::{Address, Config, Prometheus, Target};
use crate::learn::{History, Place};
use crate::monitor::{RANGE_POINTS_MAX, RangeClient, RangeSeries};

const DAY_SECONDS: i64 = 86_400;
/// A question is asked so many times,
const TRIES: u32 = 5;
/// with this wait after the first failure, twice as long after each further one.
const WAIT: Duration = Duration::from_secs(1);

/// Fetches the past of one target.
pub(super) struct Fetcher {
    client: RangeClient,
    period_seconds: u32,
    /// The labels of the target's series: as an agent names it, and as an exporter does.
    selectors: [String; 2],
}

impl Fetcher {
    pub(super) fn new(
        config: &Config,
        url: &Url,
        place: &Place,
        target: &Target,
        period_seconds: u32,
    ) -> anyhow::Result<Self> {
        // The configured login is for the configured server alone.
        let known = config.prometheus.as_ref().filter(|known| known.url.origin() == url.origin());
        let prometheus = Prometheus {
            url: url.clone(),
            login: known.and_then(|known| known.login.clone()),
            ca_file: known.and_then(|known| known.ca_file.clone()),
        };
        let client = RangeClient::new(&prometheus).context("Prometheus cannot be asked")?;
        let (service, site, name) = place;
        let own = format!(
            "redis_service={},datacenter={},target={}",
            quoted(service.as_str()),
            quoted(site.as_str()),
            quoted(name.as_str())
        );
        let instance = match &target.address {
            Address::Tcp { host, port } => format!("{host}:{port}"),
            Address::Unix(_) => name.to_string(),
        };
        let other = format!("redis_service=\"\",instance={}", quoted(&instance));
        Ok(Self { client, period_seconds, selectors: [own, other] })
    }

    /// Adds what is missing to a history, up to `until`; all times are Unix seconds.
    pub(super) async fn fetch(
        &self,
        past: &History,
        from: i64,
        until: i64,
        at: &mut dyn FnMut(i64),
    ) -> anyhow::Result<()> {
        let period = i64::from(self.period_seconds);
        let known = past.youngest()?;
        let mut next = known.map_or(from, |known| known.max(from) + period);
        next -= next % period;
        let days = DAY_SECONDS.min(period * i64::from(RANGE_POINTS_MAX - 1));
        let mut recorded = Recorded::default();
        while next <= until {
            let last = until.min(next + days - period);
            let mut steps: BTreeMap<i64, Vec<(&str, f64)>> = BTreeMap::new();
            for (metric, function) in recorded_inputs() {
                for (time, value) in self.ask(metric, function, next, last).await? {
                    steps.entry(time).or_default().push((metric, value));
                }
            }
            // A moment of which nothing is known is no row.
            let rows =
                steps.iter().map(|(time, known)| (*time, recorded.row(*time, self.period_seconds, known)));
            past.extend(&rows.collect::<Vec<_>>())?;
            next = last + period;
            at(next);
        }
        Ok(())
    }

    async fn ask(
        &self,
        metric: &str,
        function: &str,
        from: i64,
        until: i64,
    ) -> anyhow::Result<Vec<(i64, f64)>> {
        let mut promql = String::new();
        for (place, selector) in self.selectors.iter().enumerate() {
            let or = if place > 0 { " or " } else { "" };
            // Writing into a string cannot fail.
            let _ = write!(promql, "{or}{function}({metric}{{{selector}}})");
        }
        let step = Duration::from_secs(u64::from(self.period_seconds));
        let mut tried = 0;
        let answer: Vec<RangeSeries> = loop {
            tried += 1;
            match self.client.ask(&promql, from * 1000, until * 1000, step).await {
                Ok(answer) => break answer,
                Err(error) if tried >= TRIES || !error.is_retryable() => {
                    return Err(error).with_context(|| format!("asked {tried} times for {promql}"));
                }
                Err(_) => tokio::time::sleep(WAIT * (1 << (tried - 1))).await,
            }
        };
        let points = answer.into_iter().flat_map(|series| series.points);
        Ok(points.map(|(at, value)| (at / 1000, value)).collect())
    }
}

/// A text as a string of PromQL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
