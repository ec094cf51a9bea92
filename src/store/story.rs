//! The story that a service's entries tell: what is known, what is forbidden, what is unfinished. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Body, Entry, OperatorAction};
use crate::decide::saga::{Outcome, Step};
use crate::decide::{Closing, Plan, RequestKind, Trigger};
use crate::types::{Alert, AlertKey, AlertState, Fence, SiteName};

/// Alerts that are over and still remembered, so that a late "firing" of one of them is harmless.
const RESOLVED_MAX: usize = 1_000;
/// Firing alerts remembered for one service.
pub const FIRING_MAX: usize = 1_000;
/// Sources whose track is remembered.
const TRACKS_MAX: usize = 1_000;

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

/// Attempts to switch that were given up since one succeeded or a person acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attempts {
    /// When the last one was given up, Unix milliseconds.
    pub last_unix_ms: i64,
    /// Why.
    pub why: String,
    /// How many there were.
    pub count: u32,
}

/// A person's order to move to a site.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Asked {
    /// Where to.
    pub to: SiteName,
    /// Who asked.
    pub by: String,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// What kind of move.
    pub kind: RequestKind,
}

/// In how many incidents a source spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Track {
    /// Incidents that a majority confirmed.
    pub confirmed: u32,
    /// Incidents that nothing confirmed.
    pub unconfirmed: u32,
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
    /// How often an alert that fires was not remembered, because as many as can be are remembered already.
    pub dropped: u64,
    /// When the unacknowledged switches happened, Unix milliseconds.
    pub switches: Vec<i64>,
    /// A switch whose end is not written down.
    pub unfinished: Option<Unfinished>,
    /// The site that the name points to, as far as the journal knows.
    pub active: Option<SiteName>,
    /// The sites that switches have left since a person adopted the service.
    pub left: BTreeSet<SiteName>,
    /// Attempts that were given up.
    pub abandoned: Option<Attempts>,
    /// The incident of the last decision.
    pub incident: Option<String>,
    /// When a person acknowledged last, Unix milliseconds.
    pub acknowledged: Option<i64>,
    /// An order to switch that nobody has followed yet.
    pub asked: Option<Asked>,
    /// Sites in maintenance, or the whole service, and until when, Unix milliseconds.
    pub maintenance: BTreeMap<Option<SiteName>, i64>,
    /// How the sources did in the incidents that are over.
    pub tracks: BTreeMap<String, Track>,
    resolved: BTreeSet<AlertKey>,
    resolved_order: VecDeque<AlertKey>,
}

impl Story {
    /// Tells one more entry.
    pub fn tell(&mut self, entry: &Entry) {
        self.seq = self.seq.max(entry.seq);
        match &entry.body {
            Body::Adopted { epoch, active, .. } => {
                self.epoch = Some(*epoch);
                self.active = Some(active.clone());
                self.left.clear();
                self.halted = None;
            }
            Body::Notified { alerts } => {
                for alert in alerts {
                    self.note_alert(alert, entry.at_unix_ms);
                }
            }
            Body::Decided { decision, .. } => self.incident = decision.incident.clone(),
            Body::Ticketed { plan } => {
                self.unfinished =
                    Some(Unfinished { seq: entry.seq, plan: (**plan).clone(), steps: Vec::new() });
                if plan.trigger == Trigger::Operator {
                    self.asked = None;
                }
            }
            Body::Stepped { decision, step, .. } => self.note_step(decision, step),
            Body::Ended { decision, outcome, epoch } => {
                self.note_end(decision, outcome, *epoch, entry.at_unix_ms)
            }
            Body::Halted { why } => self.halted = Some(why.clone()),
            Body::Held { .. }
            | Body::Compared { .. }
            | Body::Configured { .. }
            | Body::Denied { .. }
            | Body::Dropped { .. } => {}
            Body::Remembered { remembered } => remembered.recall(self),
            Body::Observed { fence } => self.note_fence(fence),
            Body::Closed { closing } => self.note_closing(closing),
            Body::Ordered { action, by } => self.note_order(action, by, entry.at_unix_ms),
        }
    }

    /// A switch of another agent counts as one: the damping is the service's, not the agent's.
    fn note_fence(&mut self, fence: &Fence) {
        self.epoch = Some(fence.epoch);
        if self.active.as_ref() != Some(&fence.active) && fence.from != fence.active {
            self.switches.push(i64::try_from(fence.at).unwrap_or(i64::MAX).saturating_mul(1000));
            self.abandoned = None;
            self.note_move(&fence.from, &fence.active);
        }
        self.active = Some(fence.active.clone());
    }

    fn note_move(&mut self, from: &SiteName, to: &SiteName) {
        self.left.insert(from.clone());
        self.left.remove(to);
    }

    fn note_closing(&mut self, closing: &Closing) {
        for source in &closing.sources {
            if self.tracks.len() >= TRACKS_MAX && !self.tracks.contains_key(source) {
                continue;
            }
            let track = self.tracks.entry(source.clone()).or_default();
            let count = if closing.confirmed { &mut track.confirmed } else { &mut track.unconfirmed };
            *count = count.saturating_add(1);
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
                } else {
                    self.dropped = self.dropped.saturating_add(1);
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
            Step::Prepared { .. }
            | Step::Fenced { .. }
            | Step::CaughtUp { .. }
            | Step::Reached { .. }
            | Step::Following
            | Step::Followed { .. }
            | Step::Promoting
            | Step::Promoted
            | Step::Proven
            | Step::Verified { .. } => {}
        }
    }

    fn note_end(&mut self, decision: &str, outcome: &Outcome, epoch: Option<u64>, at_unix_ms: i64) {
        let ended = self.unfinished.take_if(|u| u.plan.decision == decision);
        self.epoch = epoch.or(self.epoch);
        match outcome {
            Outcome::Switched => {
                self.switches.push(at_unix_ms);
                self.abandoned = None;
                if let Some(plan) = ended.map(|u| u.plan) {
                    self.note_move(&plan.from, &plan.to);
                    self.active = Some(plan.to);
                }
            }
            Outcome::Cleared => {}
            Outcome::Abandoned { why } => {
                let count = self.abandoned.as_ref().map_or(0, |a| a.count).saturating_add(1);
                self.abandoned = Some(Attempts { last_unix_ms: at_unix_ms, why: why.clone(), count });
            }
            Outcome::PromotedNotSwitched { .. } | Outcome::Foreign { .. } => {
                self.halted = Some(outcome.to_string());
            }
        }
    }

    fn note_asked(&mut self, to: &SiteName, by: &str, at_unix_ms: i64, kind: RequestKind) {
        self.asked = Some(Asked { to: to.clone(), by: by.to_owned(), at_unix_ms, kind });
    }

    fn note_order(&mut self, action: &OperatorAction, by: &str, at_unix_ms: i64) {
        match action {
            OperatorAction::Pause => self.is_paused = true,
            OperatorAction::Resume => self.is_paused = false,
            OperatorAction::Acknowledge { epoch } => {
                self.halted = None;
                self.switches.clear();
                self.abandoned = None;
                self.epoch = epoch.or(self.epoch);
                self.acknowledged = Some(at_unix_ms);
            }
            OperatorAction::Failover { to } => {
                self.note_asked(to, by, at_unix_ms, RequestKind::Failover);
            }
            OperatorAction::Failback { to, early } => {
                let kind = if *early { RequestKind::EarlyFailback } else { RequestKind::Failback };
                self.note_asked(to, by, at_unix_ms, kind);
            }
            // What the Redis says of itself counts.
            OperatorAction::Demote { .. } => {}
            OperatorAction::Maintain { site, until_unix_ms } => {
                self.maintenance.retain(|_, until| *until > at_unix_ms);
                self.maintenance.insert(site.clone(), *until_unix_ms);
            }
        }
    }
}
