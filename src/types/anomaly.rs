//! How unusual one look at a target is.

use super::Ratio;

/// The names of all signals of a target, in the order of the columns that the analysis learns from.
pub const SIGNALS: [&str; 7] = [
    "data_path",
    "latency",
    "loading",
    "replication_link",
    "persistence",
    "memory_pressure",
    "clients_pressure",
];

/// What the analysis makes of one look at one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// How unusual the look is; 0.5 is as expected.
    pub score: Ratio,
    /// Scores above this one are called anomalous.
    pub threshold: Ratio,
    /// What each signal that was seen adds, in the order of [`SIGNALS`].
    pub contributions: Vec<Contribution>,
}

/// What one signal adds to a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// The signal's name.
    pub signal: &'static str,
    /// Its part of log2(score / 0.5): above 0 it makes the look more unusual, below 0 less.
    pub gain: f64,
}

impl Anomaly {
    /// Whether the score is above its threshold.
    #[must_use]
    pub fn is_anomalous(&self) -> bool {
        self.score > self.threshold
    }

    /// How far the score is on the way from its threshold to 1; 0 for all that is usual. Evidence is made of this: the
    /// score itself is about 0.5 for a target that has nothing.
    #[must_use]
    pub fn severity(&self) -> Ratio {
        let room = 1.0 - self.threshold.get();
        if room <= 0.0 {
            return Ratio::ZERO;
        }
        Ratio::clamped((self.score.get() - self.threshold.get()) / room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_begins_at_the_threshold_and_ends_at_one() {
        for (score, threshold, severity, is_anomalous) in [
            (0.5, 0.6, 0.0, false),
            (0.6, 0.6, 0.0, false),
            (0.8, 0.6, 0.5, true),
            (1.0, 0.6, 1.0, true),
            (1.0, 1.0, 0.0, false),
            (0.2, 0.0, 0.2, true),
        ] {
            let ratio = Ratio::clamped;
            let anomaly =
                Anomaly { score: ratio(score), threshold: ratio(threshold), contributions: Vec::new() };
            assert!((anomaly.severity().get() - severity).abs() < 1e-9, "{score} over {threshold}");
            assert_eq!(anomaly.is_anomalous(), is_anomalous, "{score} over {threshold}");
        }
    }
}
