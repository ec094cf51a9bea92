//! The story that a service's entries tell: what is known, what is forbidden, what is unfinished. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Body, Entry, OperatorAction};
use crate::decide::Plan;
use crate::decide::saga::{Outcome, Step};
use crate::types::{Alert, AlertKey, AlertState, SiteName};

/// Alerts that are over and still remembered, so that a late "firing" of one of them is harmless.
const RESOLVED_MAX: usize = 1_000;
/// Firing alerts remembered for one service.
const FIRING_MAX: usize = 1_000;

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAlert {
    /// Its name.
    pub name: String,
    /// The site it speaks of, if it names one.
    pub site: Option<SiteName>,
    /// When it was last said to fire, Unix milliseconds.
    pub last_unix_ms: i64,
}

/// A switch whose end is not written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// Where its intent stands in the journal.
    pub seq: u64,
    /// What was intended.
    pub plan: Plan,
    /// What was done.
    pub steps: Vec<Step>,
}

/// The story of one service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Story {
    /// The last entry read.
    pub seq: u64,
    /// The fence's epoch as last written or accepted.
    pub epoch: Option<u64>,
    /// A person has paused the service.
    pub is_paused: bool,
    /// Why the service is halted, if it is.
    pub halted: Option<String>,
    /// What fires.
    pub firing: BTreeMap<AlertKey, KnownAlert>,
    /// When the unacknowledged switches happened, Unix milliseconds.
    pub switches: Vec<i64>,
    /// A switch whose end is not written down.
    pub unfinished: Option<Unfinished>,
    /// When the last attempt was abandoned, Unix milliseconds, and why.
    pub abandoned: Option<(i64, String)>,
    /// The incident of the last decision.
    pub incident: Option<String>,
    resolved: BTreeSet<AlertKey>,
    resolved_order: VecDeque<AlertKey>,
}

impl Story {
    /// Tells one more entry.
    pub fn tell(&mut self, entry: &Entry) {
        self.seq = self.seq.max(entry.seq);
        match &entry.body {
            Body::Adopted { epoch, .. } => {
                self.epoch = Some(*epoch);
                self.halted = None;
            }
            Body::Notified { alerts } => {
                for alert in alerts {
                    self.note_alert(alert, entry.at_unix_ms);
                }
            }
            Body::Decided { decision } => self.incident = decision.incident.clone(),
            Body::Ticketed { plan } => {
                self.unfinished =
                    Some(Unfinished { seq: entry.seq, plan: (**plan).clone(), steps: Vec::new() });
            }
            Body::Stepped { decision, step, .. } => self.note_step(decision, step),
            Body::Ended { decision, outcome, epoch } => {
                self.note_end(decision, outcome, *epoch, entry.at_unix_ms)
            }
            Body::Halted { why } => self.halted = Some(why.clone()),
            Body::Held { .. } => {}
            Body::Ordered { action, .. } => self.note_order(action),
        }
    }

    fn note_alert(&mut self, alert: &Alert, at_unix_ms: i64) {
        let key = alert.key.clone();
        match alert.state {
            AlertState::Firing if self.resolved.contains(&key) => {}
            AlertState::Firing => {
                if self.firing.len() < FIRING_MAX || self.firing.contains_key(&key) {
                    let (name, site) = (alert.name.clone(), alert.site.clone());
                    self.firing.insert(key, KnownAlert { name, site, last_unix_ms: at_unix_ms });
                }
            }
            AlertState::Resolved => {
                self.firing.remove(&key);
                if self.resolved.insert(key.clone()) {
                    self.resolved_order.push_back(key);
                }
                if self.resolved_order.len() > RESOLVED_MAX
                    && let Some(oldest) = self.resolved_order.pop_front()
                {
                    self.resolved.remove(&oldest);
                }
            }
        }
    }

    fn note_step(&mut self, decision: &str, step: &Step) {
        let Some(unfinished) = self.unfinished.as_mut().filter(|u| u.plan.decision == decision) else {
            return;
        };
        unfinished.steps.push(step.clone());
        let epoch = unfinished.plan.fence.epoch;
        match step {
            Step::Claimed => self.epoch = Some(epoch.saturating_add(1)),
            Step::Switched => self.epoch = Some(epoch.saturating_add(2)),
            Step::Fenced { .. } | Step::Promoting | Step::Promoted | Step::Proven | Step::Verified { .. } => {
            }
        }
    }

    fn note_end(&mut self, decision: &str, outcome: &Outcome, epoch: Option<u64>, at_unix_ms: i64) {
        if self.unfinished.as_ref().is_some_and(|u| u.plan.decision == decision) {
            self.unfinished = None;
        }
        self.epoch = epoch.or(self.epoch);
        match outcome {
            Outcome::Switched => {
                self.switches.push(at_unix_ms);
                self.abandoned = None;
            }
            Outcome::Abandoned { why } => self.abandoned = Some((at_unix_ms, why.clone())),
            Outcome::PromotedNotSwitched { why } | Outcome::Foreign { why } => {
                self.halted = Some(why.clone())
            }
        }
    }

    fn note_order(&mut self, action: &OperatorAction) {
        match action {
            OperatorAction::Pause => self.is_paused = true,
            OperatorAction::Resume => self.is_paused = false,
            OperatorAction::Acknowledge { epoch } => {
                self.halted = None;
                self.switches.clear();
                self.abandoned = None;
                self.epoch = epoch.or(self.epoch);
            }
        }
    }
}
