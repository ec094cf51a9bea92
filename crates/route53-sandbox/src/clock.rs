//! Time: one reading of both clocks, and the form in which the API writes it.

use std::fmt;
use std::time::UNIX_EPOCH;

use tokio::time::Instant;

/// One reading: the steady clock for waiting, the wall clock for writing.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For due times; follows tokio's clock, so a paused test clock works.
    pub instant: Instant,
    /// For time stamps.
    pub stamp: Stamp,
}

impl Now {
    /// Reads both clocks.
    #[expect(
        clippy::disallowed_methods,
        reason = "this crate shares no code with the product, nor its Clock"
    )]
    pub fn read() -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Self { instant: Instant::now(), stamp: Stamp(millis) }
    }
}

/// Milliseconds since the epoch, written as ISO 8601 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub u64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (year, month, day) = date(days);
        let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

impl serde::Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Days since 1970-01-01 to a civil date (Howard Hinnant's algorithm, for dates after the epoch).
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    #[test]
    fn stamps_are_iso_8601() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
        ];
        for (millis, text) in table {
            assert_eq!(Stamp(millis).to_string(), text);
        }
    }
}
