//! How unusual one look at a target is.

use super::{Rarity, Ratio};

/// The signals that the analysis learns from, sorted: the values of its label `signal`, and what `analysis.signals` may name.
pub const MEASURES: [&str; 28] = [
    "blocked_clients",
    "client_output_bytes",
    "command_seconds",
    "commands_per_second",
    "connected_clients",
    "connected_replicas",
    "connections_per_second",
    "connections_share",
    "cpu_share",
    "errors_per_second",
    "evictions_per_second",
    "expired_per_second",
    "fork_seconds",
    "fragmentation",
    "hit_share",
    "keys",
    "lazy_free",
    "memory_share",
    "memory_used_bytes",
    "net_input",
    "net_output",
    "output_bytes_per_command",
    "ping_seconds",
    "rejected_per_second",
    "replica_lag_seconds",
    "replication_lag_bytes",
    "upstream_seconds",
    "write_seconds",
];

/// What a judgement rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Fixed limits: too little was learned yet.
    Limits,
    /// A model of fewer than three days, which knows no time of day.
    YoungModel,
    /// A model that knows what is usual at each hour.
    Model,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Limits, Self::YoungModel, Self::Model];

    /// The basis as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::YoungModel => "young_model",
            Self::Model => "model",
        }
    }
}

/// What the analysis makes of one look at one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// How unusual the look is.
    pub score: Rarity,
    /// Scores above this one are called anomalous.
    pub threshold: Rarity,
    /// What it rests on.
    pub basis: Basis,
    /// When the model was trained, Unix seconds.
    pub trained: Option<i64>,
    /// How many usual deviations the last day lies from what the model was trained on, by its furthest signal.
    pub drift: Option<f64>,
    /// Every signal that was seen: those that deviate now, then those that did a while ago, each the most deviating first.
    pub contributions: Vec<Contribution>,
    /// What is unusual, in sentences, the most deviating first; empty while nothing is.
    pub because: Vec<String>,
}

/// What one signal has to do with a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// The signal's name.
    pub signal: &'static str,
    /// How much it deviates: of the value, of its change, and of its mean and deviation of late, the sum of ln(1 + z²).
    pub deviation: f64,
    /// What it adds to the forest's part of the score: log2(score of the forest / 0.5) is the sum over all signals. `None` by
    /// fixed limits.
    pub forest_gain: Option<f64>,
    /// The value.
    pub value: f64,
    /// What is expected.
    pub expected: f64,
    /// How many usual deviations the value is from it, above or below.
    pub z: f64,
}

/// How unlike the others of its role a target is.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerOutlier {
    /// The share of the last periods in which it was outside of its peers' band, by its worst signal.
    pub score: Ratio,
    /// That signal, if it ever was.
    pub signal: Option<&'static str>,
    /// What is unlike its peers, in a sentence; nothing while it is so seldom.
    pub because: Option<String>,
}

impl Anomaly {
    /// Whether the score is above its threshold.
    #[must_use]
    pub fn is_anomalous(&self) -> bool {
        self.score > self.threshold
    }

    /// What the score is worth as evidence: 0 up to the threshold, a half at twice the threshold, and ever nearer to 1.
    /// Fixed limits are no evidence: they know nothing of this target.
    #[must_use]
    pub fn severity(&self) -> Option<Ratio> {
        match self.basis {
            Basis::Limits => None,
            Basis::YoungModel | Basis::Model if !self.is_anomalous() => Some(Ratio::ZERO),
            Basis::YoungModel | Basis::Model => {
                Some(Ratio::clamped(1.0 - self.threshold.get() / self.score.get()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_begins_at_the_threshold_and_never_reaches_one() {
        for (score, threshold, severity) in
            [(0.5, 3.0, 0.0), (3.0, 3.0, 0.0), (6.0, 3.0, 0.5), (300.0, 3.0, 0.99), (2.0, 0.0, 1.0)]
        {
            let of = |basis| Anomaly {
                score: Rarity::clamped(score),
                threshold: Rarity::clamped(threshold),
                basis,
                trained: None,
                drift: None,
                contributions: Vec::new(),
                because: Vec::new(),
            };
            let found = of(Basis::Model).severity().map(Ratio::get);
            assert!(found.is_some_and(|found| (found - severity).abs() < 1e-9), "{score} over {threshold}");
            assert_eq!(of(Basis::Limits).severity(), None);
            assert_eq!(of(Basis::Model).is_anomalous(), severity > 0.0);
        }
    }
}
