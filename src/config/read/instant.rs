//! Points in time as RFC 3339 writes them: `2026-12-01T22:00:00Z`, `2026-12-01T23:00:00+01:00`.

use std::time::UNIX_EPOCH;

use super::Value;
use super::values::{Wrong, text};

const HINT: &str = "write it as 2026-12-01T22:00:00Z or 2026-12-01T23:00:00+01:00";
const MINUTE_MS: i64 = 60_000;

/// A point in time, as milliseconds since the Unix epoch.
///
/// # Errors
/// Anything else, and a time without its offset from UTC.
pub fn instant(value: &Value) -> Result<i64, Wrong> {
    unix_ms(text(value)?).ok_or_else(|| Wrong::new("is not a time with its offset from UTC", HINT))
}

fn unix_ms(text: &str) -> Option<i64> {
    let (local, offset_minutes) = match text.strip_suffix('Z') {
        Some(local) => (local, 0),
        None => {
            let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
            (local, offset_minutes(offset)?)
        }
    };
    let moment = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let ms = i64::try_from(moment.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    ms.checked_sub(offset_minutes * MINUTE_MS)
}

/// `+01:00` is 60.
fn offset_minutes(text: &str) -> Option<i64> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let number = |digits: &str, max: i64| {
        let is_plain = digits.len() == 2 && digits.chars().all(|c| c.is_ascii_digit());
        digits.parse().ok().filter(|n| is_plain && (0..=max).contains(n))
    };
    Some(sign * (number(hours, 23)? * 60 + number(minutes, 59)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_rfc_3339() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T23:30:00-00:30", None),
            ("2026-12-01T22:00:00Z", Some(1_796_162_400_000)),
            ("2026-12-01T22:00:00.250Z", Some(1_796_162_400_250)),
            ("2026-12-01T16:30:00-05:30", Some(1_796_162_400_000)),
            ("2026-12-01T22:00:00", None),
            ("2026-12-01 22:00", None),
            ("2026-12-01", None),
            ("2026-13-01T22:00:00Z", None),
            ("2026-12-01T22:00:00+24:00", None),
            ("2026-12-01T22:00:00+0100", None),
            ("2026-12-01T22:00:00+1:000", None),
            ("Z", None),
            ("", None),
            ("é12-01T22:00:00+01:0é", None),
        ] {
            assert_eq!(unix_ms(text), ms, "{text}");
        }
    }
}
