//! How often and how long the collectors look, and what they miss.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::monitor::catalog::counted;
use crate::monitor::exposition::register;
use crate::types::Gap;

/// Upper bounds of the histogram, seconds: from a loopback to the largest sensible deadline.
const BUCKETS_SECONDS: [f64; 8] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collector {
    /// At what the agent must reach itself.
    SelfCheck,
    /// At what else is in a datacenter.
    Domain,
    /// At what applications report.
    Client,
    /// At what a cluster says of a database.
    Enterprise,
    /// At where people have asked for quiet.
    Silences,
}

impl Collector {
    fn as_str(self) -> &'static str {
        match self {
            Self::SelfCheck => "self_check",
            Self::Domain => "domain",
            Self::Client => "client",
            Self::Enterprise => "enterprise",
            Self::Silences => "silences",
        }
    }
}

type Label = (&'static str, &'static str);

/// The collectors' own metrics.
#[derive(Debug, Clone)]
pub(in crate::monitor) struct CollectorMetrics {
    duration: Family<[Label; 1], Histogram, fn() -> Histogram>,
    gaps: Family<[Label; 2], Counter>,
}

impl CollectorMetrics {
    /// Makes and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS_SECONDS);
        let metrics = Self { duration: Family::new_with_constructor(histogram), gaps: Family::default() };
        register(registry, &counted::COLLECTOR_DURATION, metrics.duration.clone());
        register(registry, &counted::COLLECTOR_GAPS, metrics.gaps.clone());
        metrics
    }

    /// Counts one look, and its gap.
    pub(super) fn count(&self, collector: Collector, elapsed: Duration, gap: Option<&Gap>) {
        let label = ("collector", collector.as_str());
        self.duration.get_or_create(&[label]).observe(elapsed.as_secs_f64());
        if let Some(gap) = gap {
            self.gaps.get_or_create(&[label, ("reason", gap.reason.as_str())]).inc();
        }
    }
}

#[cfg(test)]
impl CollectorMetrics {
    /// One observation of each collector, for pages in tests.
    pub fn touch(&self) {
        let gap = Gap::new(crate::types::GapReason::Timeout, "");
        for collector in [
            Collector::SelfCheck,
            Collector::Domain,
            Collector::Client,
            Collector::Enterprise,
            Collector::Silences,
        ] {
            self.count(collector, Duration::from_millis(1), Some(&gap));
        }
    }
}
