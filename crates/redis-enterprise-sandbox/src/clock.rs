//! Time: a steady clock that a test may move forward, and the forms in which the API writes moments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use tokio::time::Instant;

/// Milliseconds since the sandbox was started.
pub type Ms = u64;

/// The one reader of the system's clocks.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    started_unix_ms: u64,
    skipped_ms: AtomicU64,
}

impl Clock {
    /// A clock at 0.
    #[expect(
        clippy::disallowed_methods,
        reason = "this crate shares no code with the product, nor its Clock"
    )]
    pub fn start() -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_unix_ms = u64::try_from(since_epoch.as_millis()).unwrap_or_default();
        Self { started: Instant::now(), started_unix_ms, skipped_ms: AtomicU64::new(0) }
    }

    /// The moment.
    pub fn now(&self) -> Ms {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        elapsed.saturating_add(self.skipped_ms.load(Ordering::Relaxed))
    }

    /// The wall clock at 0.
    pub fn started_unix_ms(&self) -> u64 {
        self.started_unix_ms
    }

    /// Moves the clock forward.
    pub fn skip(&self, ms: Ms) {
        self.skipped_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

/// Milliseconds since the epoch as ISO 8601 in UTC, to the second, as the API writes most moments.
pub fn iso(unix_ms: u64) -> String {
    let (date, time) = parts(unix_ms);
    format!("{date}T{time}Z")
}

/// The same without a zone, as the API writes the moment of a maintenance snapshot.
pub fn without_zone(unix_ms: u64) -> String {
    let (date, time) = parts(unix_ms);
    format!("{date} {time}")
}

fn parts(unix_ms: u64) -> (String, String) {
    let seconds = unix_ms / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{second:02}"))
}

/// Days since 1970-01-01 to a civil date, counted from the first of March of the year 0.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_api_does() {
        for (unix_ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
        ] {
            assert_eq!(iso(unix_ms), text);
        }
        assert_eq!(without_zone(1_709_251_199_999), "2024-02-29 23:59:59");
    }
}
