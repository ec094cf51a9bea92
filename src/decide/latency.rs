//! What a site's answers usually take, and whether they take conspicuously longer.

use std::time::Duration;

/// Share of a new round trip in the usual one.
const GAIN: f64 = 0.02;
/// The same while the site is slow: it learns to live with it, but not within an incident.
const GAIN_WHILE_SLOW: f64 = 0.002;
/// So many times the usual counts as slow,
const SLOW_FACTOR: f64 = 5.0;
/// and so much more at least, seconds: below that a person has nothing to do.
const SLOW_MARGIN_SECONDS: f64 = 0.01;

/// The round trips of one site, as an exponential average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Latency {
    usual_seconds: Option<f64>,
    last_seconds: f64,
    slow_rounds: u32,
}

impl Latency {
    /// Notes the round trip of one round.
    pub(super) fn note(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        self.last_seconds = took;
        let usual = self.usual_seconds.unwrap_or(took);
        let is_slow = took > usual * SLOW_FACTOR && took > usual + SLOW_MARGIN_SECONDS;
        self.slow_rounds = if is_slow { self.slow_rounds.saturating_add(1) } else { 0 };
        let gain = if is_slow { GAIN_WHILE_SLOW } else { GAIN };
        self.usual_seconds = Some(usual + gain * (took - usual));
    }

    /// The last round trip and the usual one, when so many rounds in a row were slow.
    pub(super) fn conspicuous(&self, rounds: u32) -> Option<(Duration, Duration)> {
        let usual = self.usual_seconds.filter(|_| self.slow_rounds >= rounds)?;
        Some((Duration::from_secs_f64(self.last_seconds), Duration::from_secs_f64(usual)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(round_trips_ms: &[u64]) -> Latency {
        let mut latency = Latency::default();
        round_trips_ms.iter().for_each(|ms| latency.note(Duration::from_millis(*ms)));
        latency
    }

    #[test]
    fn only_what_stays_much_slower_is_conspicuous() {
        let usual = [2; 30];
        for (then, want) in [
            (vec![20; 4], true),
            (vec![20; 3], false),
            (vec![20, 20, 20, 2, 20], false),
            (vec![9; 10], false),
            (vec![11; 10], false),
        ] {
            let latency = after(&[usual.as_slice(), &then].concat());
            assert_eq!(latency.conspicuous(4).is_some(), want, "{then:?}");
        }
    }

    #[test]
    fn what_is_always_slow_becomes_usual() {
        let latency = after(&[[2; 30].as_slice(), &[20; 2000]].concat());
        assert_eq!(latency.conspicuous(4), None);
    }
}
