//! The confidence: grouped log-odds that the active site cannot serve, times the target's fitness, times the flap damping.
//!
//! Per evidence group `m = max(severity · reliability · freshness)`, nothing there is 0; for the vantages
//! `m = (sum of severities, one vote a failure domain) / (configured vantages)`. Then `L = bias + Σ weight·m`,
//! `p = 1/(1 + e^-L)`, `D = 2^(-φ/2000)` and `C = p·q·D`, or 0 under any veto. Weights of evidence after
//! I. J. Good, "Probability and the Weighing of Evidence" (1950); damping after RFC 2439.

use crate::config::Weights;
use crate::types::Ratio;

/// A group of evidence. The groups are independent of each other; items within a group are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The data path, as the vantages see it.
    Vantage,
    /// The cluster's control plane.
    Control,
    /// What the other sites see of the active one.
    Peer,
    /// What applications see.
    Client,
    /// What else of that datacenter is silent.
    Domain,
    /// Alertmanager.
    Alert,
    /// The anomaly score.
    Anomaly,
}

impl Group {
    /// All groups, in the order of the explanation.
    pub const ALL: [Self; 7] =
        [Self::Vantage, Self::Control, Self::Peer, Self::Client, Self::Domain, Self::Alert, Self::Anomaly];

    /// The group as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vantage => "vantage",
            Self::Control => "control",
            Self::Peer => "peer",
            Self::Client => "client",
            Self::Domain => "domain",
            Self::Alert => "alert",
            Self::Anomaly => "anomaly",
        }
    }

    fn weight(self, weights: &Weights) -> f64 {
        match self {
            Self::Vantage => weights.vantage,
            Self::Control => weights.control,
            Self::Peer => weights.peer,
            Self::Client => weights.client,
            Self::Domain => weights.domain,
            Self::Alert => weights.alert,
            Self::Anomaly => weights.anomaly,
        }
    }
}

/// One group's share of the log-odds.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Term {
    /// The group.
    pub group: Group,
    /// `m`; `None` when the group is silent or not configured, which counts as 0.
    pub strength: Option<Ratio>,
    /// The group's weight, nats.
    pub weight: f64,
    /// What the strength comes from, in words.
    pub because: String,
}

impl Term {
    /// A term of a group.
    #[must_use]
    pub fn new(group: Group, strength: Option<Ratio>, weights: &Weights, because: impl Into<String>) -> Self {
        Self { group, strength, weight: group.weight(weights), because: because.into() }
    }

    /// What it adds to the log-odds, nats.
    #[must_use]
    pub fn contribution(&self) -> f64 {
        self.strength.map_or(0.0, |m| self.weight * m.get())
    }
}

/// The confidence with its whole arithmetic.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Confidence {
    /// The bias, nats.
    pub bias: f64,
    /// One term for each group, in the order of [`Group::ALL`].
    pub terms: Vec<Term>,
    /// `L`: bias plus all contributions.
    pub log_odds: f64,
    /// `p`: belief that the active site cannot serve.
    pub belief: Ratio,
    /// `q`: fitness of the best target; 0 when there is none.
    pub fitness: Ratio,
    /// `D`: flap damping.
    pub damping: Ratio,
    /// `C`: the product, or 0 under any veto.
    pub confidence: Ratio,
}

impl Confidence {
    /// Computes all of it. `vetoed` forces `C` to 0; belief, fitness and damping stay visible.
    #[must_use]
    pub fn compute(
        weights: &Weights,
        terms: Vec<Term>,
        fitness: Ratio,
        damping: Ratio,
        vetoed: Vetoed,
    ) -> Self {
        let log_odds = weights.bias + terms.iter().map(Term::contribution).sum::<f64>();
        let belief = Ratio::clamped(1.0 / (1.0 + (-log_odds).exp()));
        let confidence = match vetoed {
            Vetoed::Yes => Ratio::ZERO,
            Vetoed::No => belief * fitness * damping,
        };
        Self { bias: weights.bias, terms, log_odds, belief, fitness, damping, confidence }
    }
}

/// Whether any veto stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vetoed {
    /// At least one.
    Yes,
    /// None.
    No,
}
