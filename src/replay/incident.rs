//! Incidents: what happened between two quiet times, what was decided then, and what the policy would have decided.

use super::player::Played;
use super::stretch::{Then, potential};
use crate::decide::{Reason, Trigger, Verdict};
use crate::types::{Moment, SiteName};

/// Incidents told one by one; those that follow are only counted.
const INCIDENTS_MAX: usize = 10_000;

/// The boldest thing that was said in an incident.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Said {
    /// The verdict.
    pub verdict: Verdict,
    /// When it was first said, Unix milliseconds.
    pub at_unix_ms: i64,
    /// Why, weightiest first.
    pub reasons: Vec<String>,
    /// The highest confidence in the incident, before vetoes.
    pub confidence: Option<f64>,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Incident {
    /// Its first round, Unix milliseconds.
    pub from_unix_ms: i64,
    /// The last round in which anything was wrong, Unix milliseconds.
    pub until_unix_ms: i64,
    /// It goes on where the history ends.
    pub is_open: bool,
    /// What was decided then, where that is known.
    pub then: Option<Said>,
    /// What the policy would have decided.
    pub would: Option<Said>,
    /// The recorded name moved before the policy decided anything: what it would have made of the rest is not known.
    pub is_cut_short: bool,
}

/// Collects the incidents of one service, round by round.
#[derive(Debug, Default)]
pub struct Incidents {
    told: Vec<Incident>,
    uncounted: u64,
    present: Option<Incident>,
    active: Option<SiteName>,
}

impl Incidents {
    /// Notes one round.
    pub fn note(&mut self, now: Moment, then: Option<&Then>, played: &Played) {
        let decision = &played.decision;
        let was = std::mem::replace(&mut self.active, decision.active.clone());
        let has_moved = was.is_some() && decision.active.is_some() && was != decision.active;
        let was_incident = then.is_some_and(|then| then.is_incident);
        if !(decision.incident.is_some() || played.is_after || was_incident) {
            self.close();
            return;
        }
        let at_unix_ms = now.unix_ms();
        let incident = self.present.get_or_insert(Incident {
            from_unix_ms: at_unix_ms,
            until_unix_ms: at_unix_ms,
            is_open: true,
            then: None,
            would: None,
            is_cut_short: false,
        });
        let has_acted = incident.would.as_ref().is_some_and(|would| would.verdict == Verdict::Failover);
        incident.is_cut_short |= has_moved && !has_acted;
        if decision.verdict != Verdict::Hold || !decision.reasons.iter().all(Reason::is_calm) {
            incident.until_unix_ms = at_unix_ms;
        }
        if let Some(then) = then {
            let said = Said {
                verdict: then.verdict,
                at_unix_ms,
                reasons: then.reasons.clone(),
                confidence: then.confidence,
            };
            bolder(&mut incident.then, said);
        }
        if !played.is_after {
            let said = Said {
                verdict: decision.verdict,
                at_unix_ms,
                reasons: decision.reasons.iter().map(ToString::to_string).collect(),
                confidence: Some(potential(decision)),
            };
            bolder(&mut incident.would, said);
        }
    }

    /// The incidents, and how many more there were.
    #[must_use]
    pub fn end(mut self) -> (Vec<Incident>, u64) {
        if let Some(open) = self.present.take() {
            self.tell(open);
        }
        (self.told, self.uncounted)
    }

    fn close(&mut self) {
        if let Some(over) = self.present.take() {
            self.tell(Incident { is_open: false, ..over });
        }
    }

    fn tell(&mut self, incident: Incident) {
        if self.told.len() < INCIDENTS_MAX { self.told.push(incident) } else { self.uncounted += 1 }
    }
}

/// Keeps the boldest verdict with the time and the reasons of its first round, and the highest confidence of all.
fn bolder(kept: &mut Option<Said>, said: Said) {
    let Some(before) = kept else {
        *kept = Some(said);
        return;
    };
    let confidence = match (before.confidence, said.confidence) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    };
    if rank(said.verdict) > rank(before.verdict) {
        *before = said;
    }
    before.confidence = confidence;
}

/// How much a verdict would have changed.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Hold => 0,
        Verdict::Halt => 1,
        Verdict::Recommend => 2,
        Verdict::Failover => 3,
    }
}

/// One time in which more than hold was said.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Mark {
    /// What.
    pub verdict: Verdict,
    /// Since when, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Until when, Unix milliseconds.
    pub until_unix_ms: i64,
    /// A person asked for it.
    pub is_asked: bool,
}

/// Marks of one side kept; a chart has no room for more.
const MARKS_MAX: usize = 10_000;

/// Collects the marks of one side.
#[derive(Debug, Default)]
pub struct Marks {
    told: Vec<Mark>,
    last: Option<Verdict>,
}

impl Marks {
    /// Notes what was said in one round; `None` when that is not known.
    pub fn note(&mut self, now: Moment, said: Option<(Verdict, Trigger)>) {
        let before = std::mem::replace(&mut self.last, said.map(|(verdict, _)| verdict));
        let Some((verdict, trigger)) = said.filter(|(verdict, _)| *verdict != Verdict::Hold) else { return };
        let at_unix_ms = now.unix_ms();
        if before == Some(verdict)
            && let Some(mark) = self.told.last_mut()
        {
            mark.until_unix_ms = at_unix_ms;
        } else if self.told.len() < MARKS_MAX {
            let is_asked = verdict == Verdict::Failover && trigger == Trigger::Operator;
            self.told.push(Mark { verdict, from_unix_ms: at_unix_ms, until_unix_ms: at_unix_ms, is_asked });
        }
    }

    /// All marks, in the order of time.
    #[must_use]
    pub fn end(self) -> Vec<Mark> {
        self.told
    }
}
