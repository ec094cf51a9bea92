//! Rules that hold after every run, asked of the world's log and of the journals; those that are asked while it runs
//! stand beside the world.

use std::collections::BTreeSet;
use std::time::Duration;

use super::leaks::is_leak;
use super::play::Record;
use super::world::{Violation, What, moves};
use crate::decide::{Decision, Group, fence_of};
use crate::store::{Body, Kind};

/// An agent has so long to write down what came of a change.
const RESULT_WITHIN: Duration = Duration::from_secs(150);
/// How far the parts of a sum may be from it.
const ROUNDING: f64 = 1e-9;

/// The names of all rules, as the fault matrix has them; besides: two_primaries and
/// planned_loses_nothing (plain replication), and fresh_decision.
pub const RULES: [&str; 12] = [
    "never_to_unhealthy",
    "single_writer",
    "record_never_empty",
    "audit_before_act",
    "no_act_without_lease",
    "no_ping_pong",
    "veto_wins",
    "no_secret_in_output",
    "explainable",
    "two_primaries",
    "fresh_decision",
    "planned_loses_nothing",
];

/// Every way in which a run broke a rule.
pub(super) fn violations(record: &Record) -> Vec<Violation> {
    let seen = record.trace.iter().filter_map(|line| match &line.what {
        What::Broken(violation) => Some(violation.clone()),
        What::Event(_)
        | What::Decided { .. }
        | What::Wrote { .. }
        | What::Changed { .. }
        | What::Acted { .. }
        | What::Life { .. }
        | What::NeedsPerson { .. }
        | What::Forgot { .. }
        | What::RefusedConfig { .. }
        | What::Notified { .. } => None,
    });
    let mut found: Vec<Violation> = seen.collect();
    found.extend(unrecorded(record));
    found.extend(record.trace.iter().filter_map(|line| match &line.what {
        What::Decided { decision, .. } => unexplained(decision),
        What::Event(_)
        | What::Wrote { .. }
        | What::Changed { .. }
        | What::Acted { .. }
        | What::Life { .. }
        | What::NeedsPerson { .. }
        | What::Forgot { .. }
        | What::RefusedConfig { .. }
        | What::Notified { .. }
        | What::Broken(_) => None,
    }));
    found.extend(leaked(record));
    found.dedup();
    found
}

/// Moves whose end nobody has written down, although somebody could have.
fn unrecorded(record: &Record) -> Vec<Violation> {
    if record.end.can_write.iter().all(|can| !can) {
        return Vec::new();
    }
    let mut known = BTreeSet::new();
    for journal in &record.journals {
        journal.each(Kind::Ended, |entry| {
            if let Body::Ended { decision, .. } = &entry.body {
                known.insert(decision.clone());
            }
        });
        journal.each(Kind::Observed, |entry| {
            if let Body::Observed { fence } = &entry.body {
                known.insert(fence.decision.clone());
            }
        });
    }
    // A journal that was damaged afterwards may have held the end.
    let forgets = |agent: usize, since: Duration| {
        record
            .trace
            .iter()
            .any(|line| line.at >= since && matches!(line.what, What::Forgot { agent: who } if who == agent))
    };
    let changes = record.trace.iter().filter_map(|line| match &line.what {
        What::Changed { by: Some(agent), before, after, .. }
            if moves(before, after) && !forgets(*agent, line.at) =>
        {
            Some((line.at, after))
        }
        What::Changed { .. }
        | What::Event(_)
        | What::Decided { .. }
        | What::Wrote { .. }
        | What::Acted { .. }
        | What::Life { .. }
        | What::NeedsPerson { .. }
        | What::Forgot { .. }
        | What::RefusedConfig { .. }
        | What::Notified { .. }
        | What::Broken(_) => None,
    });
    let is_due = |at: Duration| record.end.at.saturating_sub(at) > RESULT_WITHIN;
    changes
        .filter(|(at, _)| is_due(*at))
        .filter_map(|(_, after)| fence_of(after).ok().flatten())
        .filter(|fence| !known.contains(&fence.decision))
        .map(|fence| Violation {
            rule: "audit_before_act",
            detail: format!("no journal holds the end of {}", fence.decision),
        })
        .collect()
}

/// What a decision does not explain.
fn unexplained(decision: &Decision) -> Option<Violation> {
    let confidence = &decision.confidence;
    let sum = confidence.bias + confidence.terms.iter().map(|term| term.contribution()).sum::<f64>();
    let groups = confidence.terms.iter().map(|term| term.group);
    let why = if !groups.eq(Group::ALL) {
        "does not name every group of evidence"
    } else if (sum - confidence.log_odds).abs() > ROUNDING || !sum.is_finite() {
        "has contributions that do not add up"
    } else if decision.reasons.is_empty() {
        "has no reason"
    } else if decision.thresholds.0 < decision.thresholds.1 {
        "has thresholds in the wrong order"
    } else {
        return None;
    };
    Some(Violation { rule: "explainable", detail: format!("the decision {} {why}", decision.id) })
}

/// Secrets that reached a journal, a log or an HTTP answer.
fn leaked(record: &Record) -> Option<Violation> {
    let mut found = record.leaks.first().cloned();
    for journal in &record.journals {
        for kind in Kind::ALL {
            journal.each(kind, |entry| {
                let text = serde_json::to_string(&entry.body).unwrap_or_default();
                if is_leak(&text) {
                    found = Some(format!("an entry of the kind {} holds a secret", kind.as_str()));
                }
            });
        }
    }
    found.map(|detail| Violation { rule: "no_secret_in_output", detail })
}
