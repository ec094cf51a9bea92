//! What is unusual, in a person's words.

use super::measures::Measure;
use crate::analyse::model::Usual;
use crate::analyse::peers::Worst;

/// What a measure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    PerSecond,
    Seconds,
    Bytes,
    BytesPerSecond,
    Share,
    Ratio,
}

impl Unit {
    pub(super) fn words(self, value: f64) -> String {
        match self {
            Self::Count | Self::Ratio => number(value),
            Self::PerSecond => format!("{} a second", number(value)),
            Self::Share => format!("{} %", number(value * 100.0)),
            Self::Bytes => bytes(value),
            Self::BytesPerSecond => format!("{} a second", bytes(value)),
            Self::Seconds if value.abs() >= 1.0 => format!("{} s", number(value)),
            Self::Seconds if value.abs() >= 1e-3 => format!("{} ms", number(value * 1e3)),
            Self::Seconds => format!("{} µs", number(value * 1e6)),
        }
    }
}

/// "blocked clients 140, usually 0 to 3 at this hour"
pub(super) fn unlike(measure: &Measure, value: f64, usual: Usual, is_daily: bool) -> String {
    let is_inside = usual.holds(value);
    let [value, low, high] = [value, usual.low, usual.high].map(|value| measure.unit.words(value));
    let range = if low == high { low } else { format!("{low} to {high}") };
    let when = if is_daily { " at this hour" } else { "" };
    // A value within its range deviates by its change, or by how it swings.
    let but = if is_inside || value == range { ", but unsteady" } else { "" };
    format!("{} {value}, usually {range}{when}{but}", measure.words)
}

/// "memory in use 95 %, above the limit of 90 % for any Redis"
pub(super) fn beyond(measure: &Measure, value: f64, limit: f64) -> String {
    let [value, limit] = [value, limit].map(|value| measure.unit.words(value));
    format!("{} {value}, above the limit of {limit} for any Redis", measure.words)
}

/// "connected clients 400, its 4 peers 20 to 30"
pub(super) fn unlike_peers(measure: &Measure, worst: &Worst) -> String {
    let [value, low, high] = [worst.value, worst.low, worst.high].map(|value| measure.unit.words(value));
    let range = if low == high { low } else { format!("{low} to {high}") };
    format!("{} {value}, its {} peers {range}", measure.words, worst.peers)
}

fn bytes(value: f64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.iter().find(|(_, power)| value.abs() >= f64::from(1_u32 << power));
    match unit {
        Some((unit, power)) => format!("{} {unit}", number(value / f64::from(1_u32 << power))),
        None => format!("{} B", number(value)),
    }
}

/// Three digits that count, without zeros at the end.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if !(1e-9..99.95).contains(&size) => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::measures::MEASURES;
    use super::*;

    #[test]
    fn a_sentence_says_what_and_what_it_usually_is() {
        let of = |name: &str| MEASURES.iter().find(|measure| measure.name == name).unwrap();
        let usual = |low: f64, high: f64| Usual { expected: low, low, high };
        assert_eq!(
            unlike(of("blocked_clients"), 140.2, usual(0.0, 3.0), true),
            "blocked clients 140, usually 0 to 3 at this hour"
        );
        assert_eq!(
            unlike(of("ping_seconds"), 0.1204, usual(0.000_25, 0.001_5), false),
            "round trip of PING 120 ms, usually 250 µs to 1.5 ms"
        );
        assert_eq!(
            unlike(of("memory_used_bytes"), 1.5e9, usual(3.0e8, 3.0e8), true),
            "memory used 1.4 GiB, usually 286 MiB at this hour"
        );
        assert_eq!(
            unlike(of("ping_seconds"), 0.001_75, usual(0.000_45, 0.005_19), false),
            "round trip of PING 1.75 ms, usually 450 µs to 5.19 ms, but unsteady"
        );
        assert_eq!(
            beyond(of("memory_share"), 0.953, 0.9),
            "memory in use 95.3 %, above the limit of 90 % for any Redis"
        );
        let worst = Worst { place: 0, value: 400.2, low: 20.0, high: 30.0, peers: 4 };
        assert_eq!(
            unlike_peers(of("connected_clients"), &worst),
            "connected clients 400, its 4 peers 20 to 30"
        );
    }
}
