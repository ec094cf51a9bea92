//! Durations as Prometheus writes them: `30s`, `1h30m`, `500ms`, `1d`, `0`.

use std::time::Duration;

/// The units, longest first: the order in which they must stand. A year has 365 days.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a duration; `None` when the text is none, or overflows.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        // The iterator only moves on, so each unit stands at most once, and after all longer ones.
        let (_, unit_ms) = units.find(|(unit, _)| *unit == &rest[..letters])?;
        total_ms = total_ms.checked_add(count.checked_mul(*unit_ms)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then(|| Duration::from_millis(total_ms))
}

/// A duration in the same way of writing; parts of a millisecond are left out.
#[must_use]
pub fn text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, unit_ms) in UNITS {
        if rest >= unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_prometheus() {
        for (text, ms) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("30s", Some(30_000)),
            ("1h30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("1d", Some(86_400_000)),
            ("1s500ms", Some(1500)),
            ("1y2w3d4h5m6s7ms", Some(33_019_506_007)),
            ("", None),
            ("30", None),
            ("s", None),
            ("30 s", None),
            (" 30s", None),
            ("30s1h", None),
            ("1s1s", None),
            ("1.5s", None),
            ("-5s", None),
            ("5S", None),
            ("5sec", None),
            ("99999999999999999999s", None),
            ("9999999999999999y", None),
            ("٣s", None),
        ] {
            assert_eq!(parse(text), ms.map(Duration::from_millis), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_duration_survives_its_text(ms in 0..=u64::MAX / 2) {
            let duration = Duration::from_millis(ms);
            proptest::prop_assert_eq!(parse(&text(duration)), Some(duration));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }
}
