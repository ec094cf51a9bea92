//! How long what happened is remembered.

use std::time::Duration;

use super::read::{Item, Section, boolean, duration, integer};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// Default: a year, and some weeks to look back at the year.
const RETENTION: Duration = Duration::from_secs(400 * 86_400);
/// Default and most of the entries kept of each kind that comes without end: some 500 MB of decisions.
const ENTRIES_MAX: u64 = 100_000;

const MIB: u64 = 1024 * 1024;
/// Default: fine enough for a day's curve.
const RESOLUTION: Duration = Duration::from_secs(60);
/// Default: a quarter.
const METRICS_RETENTION: Duration = Duration::from_secs(90 * 86_400);
/// Default: a point is some 30 bytes, so a minute's points of ten targets for a month, or of one for most of a year.
const MIB_MAX: u64 = 256;

/// How long what happened is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Older entries of the journal are dropped. What they said of a service as it is stays known.
    pub retention: Duration,
    /// Of decisions, notifications and denials, so many are kept of each.
    pub entries_max: usize,
    /// What the rounds measured; absent means that it is not kept.
    pub metrics: Option<MetricsHistory>,
}

/// How measurements are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsHistory {
    /// The measurements of so long a time become one point.
    pub resolution: Duration,
    /// Older points are dropped.
    pub retention: Duration,
    /// Largest size of their file; what is more is dropped, the oldest first.
    pub bytes_max: u64,
}

impl Default for History {
    fn default() -> Self {
        let entries_max = usize::try_from(ENTRIES_MAX).unwrap_or(usize::MAX);
        Self { retention: RETENTION, entries_max, metrics: Some(MetricsHistory::default()) }
    }
}

impl Default for MetricsHistory {
    fn default() -> Self {
        Self { resolution: RESOLUTION, retention: METRICS_RETENTION, bytes_max: MIB_MAX * MIB }
    }
}

/// Reads `history`.
pub(super) fn read(file: &Section<'_>) -> Option<History> {
    let Some(item) = file.item("history") else { return Some(History::default()) };
    let section = item.section(&["retention", "entries_max", "metrics"])?;
    // A week: longer than any window of a decision, and than a person is away.
    let retention = section.or("retention", RETENTION, duration(7 * DAY..=3660 * DAY));
    let entries_max = section.or("entries_max", ENTRIES_MAX, integer(1_000..=ENTRIES_MAX));
    let metrics = section.item("metrics").map_or(Some(MetricsHistory::default()), |item| metrics(&item));
    Some(History { retention, entries_max: usize::try_from(entries_max).ok()?, metrics })
}

fn metrics(item: &Item<'_>) -> Option<MetricsHistory> {
    let section = item.section(&["enabled", "resolution", "retention", "size_max_mib"])?;
    let is_enabled = section.or("enabled", true, boolean);
    let resolution = section.or("resolution", RESOLUTION, duration(10 * SECOND..=DAY));
    let retention = section.or("retention", METRICS_RETENTION, duration(DAY..=3660 * DAY));
    let size_max = section.or("size_max_mib", MIB_MAX, integer(16..=65_536));
    is_enabled.then_some(MetricsHistory { resolution, retention, bytes_max: size_max * MIB })
}
