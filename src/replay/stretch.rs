//! A stretch of history: what was known, and the moments at which an agent decided on it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::decide::{Decision, Evidence, RecordReading, Trigger, Verdict};
use crate::types::{Moment, Role, TargetSnapshot};

/// What was decided at the time.
#[derive(Debug, Clone, PartialEq)]
pub struct Then {
    /// The verdict.
    pub verdict: Verdict,
    /// `p·q·D`, before any veto, where that is known.
    pub confidence: Option<f64>,
    /// The reasons, weightiest first.
    pub reasons: Vec<String>,
    /// It belonged to an incident.
    pub is_incident: bool,
    /// Who wanted a failover.
    pub trigger: Trigger,
}

impl Then {
    /// What a decision said.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        Self {
            verdict: decision.verdict,
            confidence: Some(potential(decision)),
            reasons: decision.reasons.iter().map(ToString::to_string).collect(),
            is_incident: decision.incident.is_some(),
            trigger: decision.plan.as_ref().map(|plan| plan.trigger).unwrap_or_default(),
        }
    }
}

/// `p·q·D`: what the confidence would be without any veto. A mode that only recommends is a veto as well, and the
/// confidence under it would be a flat line.
#[must_use]
pub fn potential(decision: &Decision) -> f64 {
    let c = &decision.confidence;
    (c.belief * c.fitness * c.damping).get()
}

/// How fast replication streams moved, bytes a second, by the identity of their history.
pub type Flow = BTreeMap<String, f64>;

/// The same evidence at evenly spaced moments.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// What was known at the first moment.
    pub evidence: Evidence,
    /// The first moment.
    pub first: Moment,
    /// How many moments there are.
    pub rounds: u64,
    /// From one to the next.
    pub step: Duration,
    /// How fast the streams moved meanwhile.
    pub flow: Flow,
    /// What was decided.
    pub then: Option<Then>,
    /// The agent was started anew before it: it remembered nothing.
    pub is_restart: bool,
}

impl Stretch {
    /// The last moment.
    #[must_use]
    pub fn last(&self) -> Moment {
        self.first.plus(times(self.step, self.rounds.saturating_sub(1)))
    }

    /// The moments between two times, Unix milliseconds, each with the evidence as it was then.
    pub fn between(&self, from: i64, until: i64) -> impl Iterator<Item = (Moment, Evidence)> {
        let step_ms = i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX).max(1);
        let skipped = from.saturating_sub(self.first.unix_ms()).max(0) / step_ms;
        let skipped = u64::try_from(skipped).unwrap_or(0);
        (skipped..self.rounds)
            .map(|round| times(self.step, round))
            .map(|by| (self.first.plus(by), by))
            .skip_while(move |(now, _)| now.unix_ms() < from)
            .take_while(move |(now, _)| now.unix_ms() <= until)
            .map(|(now, by)| (now, aged(&self.evidence, &self.flow, by)))
    }
}

fn times(step: Duration, count: u64) -> Duration {
    Duration::from_nanos(u64::try_from(step.as_nanos().saturating_mul(u128::from(count))).unwrap_or(u64::MAX))
}

/// Evidence that was found again, word for word, so much later: what is an age has grown, and what counts bytes of a
/// stream has moved on with it. Left where they were, the offsets of a replica that is a moment behind would look like
/// a lag that grows.
fn aged(evidence: &Evidence, flow: &Flow, by: Duration) -> Evidence {
    let mut aged = evidence.clone();
    for seen in &mut aged.snapshots {
        seen.taken = seen.taken.plus(by);
        seen.targets.iter_mut().for_each(|target| move_on(target, flow, by));
    }
    for report in aged.vantages.iter_mut().filter_map(|vantage| vantage.said.as_mut().ok()) {
        report.wall = report.wall.saturating_add(by);
    }
    aged.alerts.iter_mut().for_each(|alert| alert.age = alert.age.saturating_add(by));
    if let RecordReading::Seen(view) = &mut aged.record {
        view.read = view.read.plus(by);
    }
    let controls = &mut aged.controls;
    let ages = controls.switch_ages.iter_mut().chain(controls.acknowledged.as_mut());
    let ages = ages.chain(controls.abandoned.as_mut().map(|a| &mut a.age));
    for age in ages.chain(controls.request.as_mut().map(|r| &mut r.age)) {
        *age = age.saturating_add(by);
    }
    aged
}

fn move_on(target: &mut TargetSnapshot, flow: &Flow, by: Duration) {
    let Ok(facts) = &mut target.facts else { return };
    let rate = facts.replication_id.as_ref().and_then(|id| flow.get(id));
    if let (Some(rate), Some(offset)) = (rate, &mut facts.offset_bytes) {
        *offset = offset.saturating_add((rate * by.as_secs_f64()) as u64);
    }
}

/// How fast the streams moved from one evidence to a later one: as the primary says, or else its replicas.
#[must_use]
pub fn flow(earlier: &Evidence, later: &Evidence, passed: Duration) -> Flow {
    let mut flow = Flow::new();
    if passed.is_zero() {
        return flow;
    }
    for role in [Role::Primary, Role::Replica] {
        for (id, offset) in offsets(earlier, role) {
            let reached =
                offsets(later, role).filter(|(other, _)| *other == id).map(|(_, reached)| reached).max();
            if let Some(moved) = reached.and_then(|reached| reached.checked_sub(offset)) {
                flow.entry(id.to_owned()).or_insert(moved as f64 / passed.as_secs_f64());
            }
        }
    }
    flow
}

fn offsets(evidence: &Evidence, role: Role) -> impl Iterator<Item = (&str, u64)> {
    let targets = evidence.snapshots.iter().flat_map(|seen| &seen.targets);
    let facts = targets.filter_map(|target| target.facts.as_ref().ok());
    facts
        .filter(move |facts| facts.role == Some(role))
        .filter_map(|facts| Some((facts.replication_id.as_deref()?, facts.offset_bytes?)))
}
