//! What would have to change for another outcome, worked out from a stored decision alone.

use std::fmt;

use super::{Decision, Group, Reason, Strength, Verdict};

/// One thing that would have to be different.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Something that stands against it would have to end.
    End {
        /// It.
        reason: Reason,
    },
    /// The confirm window would have to fill.
    Wait {
        /// Seconds.
        seconds: u64,
        /// Rounds.
        rounds: u32,
    },
    /// More vantages would have to see the active site down.
    Vantages {
        /// So many more.
        more: usize,
    },
    /// A group of evidence would have to speak.
    Evidence {
        /// The group.
        group: Group,
        /// With at least this strength.
        at_least: f64,
    },
    /// No single group is enough.
    MoreEvidence {
        /// The log-odds that are missing, nats.
        nats: f64,
        /// The log-odds that the groups together still hold back, nats.
        held_back: f64,
    },
    /// The target would have to be fitter, or the switches before longer ago: no evidence is enough.
    FitterTarget {
        /// Fitness times damping as it is.
        present: f64,
        /// What it would have to be at least.
        needed: f64,
    },
}

/// What another verdict needs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Needs {
    /// The verdict.
    pub verdict: Verdict,
    /// All of these,
    pub all: Vec<Change>,
    /// and one of these, where there are any.
    pub one_of: Vec<Change>,
}

/// What the bolder verdicts would have needed, the next one first; empty for a failover.
#[must_use]
pub fn otherwise(decision: &Decision) -> Vec<Needs> {
    let bolder: &[Verdict] = match decision.verdict {
        Verdict::Halt | Verdict::Hold => &[Verdict::Recommend, Verdict::Failover],
        Verdict::Recommend => &[Verdict::Failover],
        Verdict::Failover => &[],
    };
    bolder.iter().map(|verdict| needs(decision, *verdict)).collect()
}

fn needs(decision: &Decision, verdict: Verdict) -> Needs {
    let majority = decision.vantages / 2 + 1;
    let missing = majority.saturating_sub(decision.down_votes);
    let mut all = Vec::new();
    if missing > 0 {
        all.push(Change::Vantages { more: missing });
    }
    let is_in_the_way = |strength: Strength| match verdict {
        Verdict::Failover => true,
        Verdict::Hold | Verdict::Recommend | Verdict::Halt => strength > Strength::Soft,
    };
    // How many votes are missing is said above.
    let is_said = |reason: &Reason| matches!(reason, Reason::NoMajority { .. });
    let in_the_way = decision.vetoes.iter().filter(|v| is_in_the_way(v.strength) && !is_said(&v.reason));
    all.extend(in_the_way.map(|v| Change::End { reason: v.reason.clone() }));
    all.extend(decision.reasons.iter().find_map(wait));
    let (automatic, recommend) = decision.thresholds;
    let rest = decision.confidence.fitness.get() * decision.confidence.damping.get();
    let one_of = match verdict {
        Verdict::Failover if rest < automatic => {
            all.push(Change::FitterTarget { present: rest, needed: automatic });
            Vec::new()
        }
        Verdict::Failover => shortfall(decision, automatic / rest, missing),
        // A recommendation needs the belief alone, or the product at the lower threshold.
        Verdict::Hold | Verdict::Recommend | Verdict::Halt => {
            let enough = if rest > recommend { automatic.min(recommend / rest) } else { automatic };
            shortfall(decision, enough, missing)
        }
    };
    Needs { verdict, all, one_of }
}

fn wait(reason: &Reason) -> Option<Change> {
    let Reason::Confirming { seconds, seconds_needed, rounds, rounds_needed } = reason else { return None };
    let (seconds, rounds) = (seconds_needed.saturating_sub(*seconds), rounds_needed.saturating_sub(*rounds));
    Some(Change::Wait { seconds, rounds })
}

/// How the belief could reach `belief`, when so many more vantages say down.
fn shortfall(decision: &Decision, belief: f64, more_votes: usize) -> Vec<Change> {
    let terms = &decision.confidence.terms;
    let vote = |weight: f64| weight / decision.vantages.max(1) as f64;
    let granted: f64 =
        terms.iter().filter(|t| t.group == Group::Vantage).map(|t| vote(t.weight) * more_votes as f64).sum();
    let nats = (belief / (1.0 - belief)).ln() - decision.confidence.log_odds - granted;
    if nats.is_nan() || nats <= 0.0 {
        return Vec::new();
    }
    let mut held_back = 0.0;
    let mut changes = Vec::new();
    for term in terms {
        let strength = term.strength.map_or(0.0, |s| s.get());
        let already = if term.group == Group::Vantage { granted } else { 0.0 };
        let left = term.weight * (1.0 - strength) - already;
        held_back += left.max(0.0);
        if left < nats {
            continue;
        }
        changes.push(match term.group {
            Group::Vantage => {
                Change::Vantages { more: more_votes + (nats / vote(term.weight)).ceil() as usize }
            }
            group @ (Group::Control
            | Group::Peer
            | Group::Client
            | Group::Domain
            | Group::Alert
            | Group::Anomaly) => Change::Evidence { group, at_least: strength + nats / term.weight },
        });
    }
    if changes.is_empty() { vec![Change::MoreEvidence { nats, held_back }] } else { changes }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End { reason } => write!(f, "an end to this: {reason}"),
            Self::Wait { seconds: 0, rounds } => write!(f, "{rounds} more rounds like this"),
            Self::Wait { seconds, rounds } => write!(f, "{seconds} s and {rounds} rounds more like this"),
            Self::Vantages { more: 1 } => f.write_str("1 more vantage that sees the active site down"),
            Self::Vantages { more } => write!(f, "{more} more vantages that see the active site down"),
            Self::Evidence { group, at_least } => {
                write!(f, "{} evidence of at least {at_least:.2}", group.as_str())
            }
            Self::MoreEvidence { nats, held_back } => write!(
                f,
                "{nats:.2} nats of evidence from several groups together (they hold back {held_back:.2})"
            ),
            Self::FitterTarget { present, needed } => write!(
                f,
                "a fitter target, or more time since earlier switches: q x D is {present:.3}, and no evidence makes up \
                 for less than {needed:.2}"
            ),
        }
    }
}
