//! How long what happened is remembered.

use std::time::Duration;

use super::read::{Section, duration, integer};

const DAY: Duration = Duration::from_secs(86_400);
/// Default: a year, and some weeks to look back at the year.
const RETENTION: Duration = Duration::from_secs(400 * 86_400);
/// Default and most of the entries kept of each kind that comes without end: some 500 MB of decisions.
const ENTRIES_MAX: u64 = 100_000;

/// How long what happened is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Older entries of the journal are dropped. What they said of a service as it is stays known.
    pub retention: Duration,
    /// Of decisions, notifications and denials, so many are kept of each.
    pub entries_max: usize,
}

impl Default for History {
    fn default() -> Self {
        Self { retention: RETENTION, entries_max: usize::try_from(ENTRIES_MAX).unwrap_or(usize::MAX) }
    }
}

/// Reads `history`.
pub(super) fn read(file: &Section<'_>) -> Option<History> {
    let default =
        || History { retention: RETENTION, entries_max: usize::try_from(ENTRIES_MAX).unwrap_or(usize::MAX) };
    let Some(item) = file.item("history") else { return Some(default()) };
    let section = item.section(&["retention", "entries_max"])?;
    // A week: longer than any window of a decision, and than a person is away.
    let retention = section.or("retention", RETENTION, duration(7 * DAY..=3660 * DAY));
    let entries_max = section.or("entries_max", ENTRIES_MAX, integer(1_000..=ENTRIES_MAX));
    Some(History { retention, entries_max: usize::try_from(entries_max).ok()? })
}
