//! What the catalog says of a metric.

use super::source::Source;

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up and down.
    Gauge,
    /// Only rises, but for a restart; its name ends with `_total`.
    Counter,
    /// Quantiles, with sum and count.
    Summary,
    /// Counts up to upper bounds, with sum and count.
    Histogram,
}

impl MetricKind {
    /// The type's word in both text forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Summary => "summary",
            Self::Histogram => "histogram",
        }
    }
}

/// What a metric's numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things, flags, offsets.
    None,
    /// Seconds, of a duration or since the Unix epoch.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share, or one number over another.
    Ratio,
    /// Thousandths of a second: only where redis_exporter has them.
    Milliseconds,
    /// Millionths of a second: only where redis_exporter has them.
    Microseconds,
    /// Hundredths: only where redis_exporter has them.
    Percent,
}

impl Unit {
    /// The unit as a word, as it ends the metric's name; empty for none.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Percent => "percent",
        }
    }

    /// The unit that a name ends with, before the ending of a counter.
    const fn of_name(name: &str) -> Self {
        if has_unit(name, "_seconds") {
            Self::Seconds
        } else if has_unit(name, "_bytes") {
            Self::Bytes
        } else if has_unit(name, "_ratio") {
            Self::Ratio
        } else {
            Self::None
        }
    }
}

/// One metric family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricSpec {
    /// The name of its samples in the classic text form; that of a summary or a histogram without `_sum` and the like.
    pub name: &'static str,
    /// One sentence without its full stop.
    pub help: &'static str,
    /// The type.
    pub kind: MetricKind,
    /// What its numbers count.
    pub unit: Unit,
    /// The labels in their order; for metrics of a target, those beside the target's own. `quantile` and `le` are not named.
    pub labels: &'static [&'static str],
    /// Where the value comes from.
    pub source: Source,
    /// Whether the linter of Prometheus complains of the name or the type, so that it comes on request only
    /// (`--compat.redis-exporter`).
    pub is_compat: bool,
}

impl MetricSpec {
    const fn new(name: &'static str, help: &'static str, kind: MetricKind, source: Source) -> Self {
        Self { name, help, kind, unit: Unit::of_name(name), labels: &[], source, is_compat: false }
    }

    /// A gauge without labels; its unit is what its name ends with.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str, source: Source) -> Self {
        Self::new(name, help, MetricKind::Gauge, source)
    }

    /// As [`MetricSpec::gauge`], a counter.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str, source: Source) -> Self {
        Self::new(name, help, MetricKind::Counter, source)
    }

    /// As [`MetricSpec::gauge`], a summary.
    #[must_use]
    pub const fn summary(name: &'static str, help: &'static str, source: Source) -> Self {
        Self::new(name, help, MetricKind::Summary, source)
    }

    /// As [`MetricSpec::gauge`], a histogram.
    #[must_use]
    pub const fn histogram(name: &'static str, help: &'static str, source: Source) -> Self {
        Self::new(name, help, MetricKind::Histogram, source)
    }

    /// The same with labels.
    #[must_use]
    pub const fn labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// The same with a unit that its name does not end with.
    #[must_use]
    pub const fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// The same, on request only.
    #[must_use]
    pub const fn compat(self) -> Self {
        Self { is_compat: true, ..self }
    }

    /// The name that must be unique: without a counter's ending.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self.kind {
            MetricKind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            MetricKind::Gauge | MetricKind::Summary | MetricKind::Histogram => self.name,
        }
    }
}

/// Which names a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// Those that the linter of Prometheus has nothing to say about.
    #[default]
    Clean,
    /// Also those that only redis_exporter has.
    Compat,
}

impl Names {
    /// Whether a page has this metric.
    #[must_use]
    pub fn have(self, spec: &MetricSpec) -> bool {
        match self {
            Self::Clean => !spec.is_compat,
            Self::Compat => true,
        }
    }
}

/// The labels that name a target, first on every series of the fleet's page.
pub const TARGET_LABELS: [&str; 3] = ["redis_service", "datacenter", "target"];

/// Whether a name ends with a unit, or with it and `_total`.
const fn has_unit(name: &str, unit: &str) -> bool {
    let (name, unit, total) = (name.as_bytes(), unit.as_bytes(), b"_total");
    if ends_with(name, name.len(), total) {
        ends_with(name, name.len() - total.len(), unit)
    } else {
        ends_with(name, name.len(), unit)
    }
}

/// Whether the first `end` bytes of a text end with another one.
const fn ends_with(text: &[u8], end: usize, tail: &[u8]) -> bool {
    if end < tail.len() {
        return false;
    }
    let mut i = 0;
    while i < tail.len() {
        if text[end - tail.len() + i] != tail[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_what_the_name_ends_with() {
        for (name, unit) in [
            ("redis_memory_used_bytes", Unit::Bytes),
            ("redis_net_input_bytes_total", Unit::Bytes),
            ("redis_cpu_sys_seconds_total", Unit::Seconds),
            ("redis_mem_fragmentation_ratio", Unit::Ratio),
            ("redis_master_last_io_seconds_ago", Unit::None),
            ("redis_db_keys", Unit::None),
            ("_total", Unit::None),
            ("bytes", Unit::None),
        ] {
            assert_eq!(Unit::of_name(name), unit, "{name}");
        }
    }
}
