//! What a replay tells of one service.

use std::time::Duration;

use super::Span;
use super::chart::{Course, Point};
use super::incident::{Incident, Incidents, Mark, Marks};
use super::outages::Outage;
use super::player::Played;
use super::score::Score;
use super::stretch::{Then, potential};
use crate::config::Service;
use crate::types::{Moment, ServiceName};

/// A round that comes later than so many intervals ends a gap; so much more is what a slow round may take.
const LATE_INTERVALS: u32 = 4;
const LATE_GRACE: Duration = Duration::from_secs(10);

/// How much of the history there was.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Coverage {
    /// Rounds that were played.
    pub rounds: u64,
    /// The first of them, Unix milliseconds.
    pub first_unix_ms: Option<i64>,
    /// The last of them, Unix milliseconds.
    pub last_unix_ms: Option<i64>,
    /// Of those, rounds of which is known what was decided then, while the policy had not switched.
    pub compared: u64,
    /// Of those, rounds with the same verdict.
    pub same: u64,
    /// Rounds after a switch of the policy, about which nothing can be said.
    pub after_switch: u64,
    /// Times of which nothing was recorded.
    pub gaps: u64,
    /// Their length, seconds.
    pub gap_seconds: f64,
    /// Entries without evidence that this version understands.
    pub without_evidence: u64,
    /// Questions that had to be asked again.
    pub retries: u64,
}

/// One service, replayed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Account {
    /// The service.
    pub service: ServiceName,
    /// The thresholds of its policy: automatic, recommend.
    pub thresholds: (f64, f64),
    /// How much of the history there was.
    pub coverage: Coverage,
    /// What happened.
    pub incidents: Vec<Incident>,
    /// Incidents beyond those told.
    pub incidents_untold: u64,
    /// When more than hold was said then.
    pub then: Vec<Mark>,
    /// When the policy would have said more than hold.
    pub would: Vec<Mark>,
    /// How the decisions of the time compare with the marked outages; absent when none are marked.
    pub score_then: Option<Score>,
    /// How the policy compares with the marked outages; absent when none are marked.
    pub score_would: Option<Score>,
    /// The course of the confidence.
    #[serde(skip)]
    pub course: Vec<Point>,
    /// The marked outages of the service.
    #[serde(skip)]
    pub outages: Vec<Outage>,
}

/// Collects the account, round by round.
#[derive(Debug)]
pub struct Ledger {
    span: Span,
    late: Duration,
    coverage: Coverage,
    incidents: Incidents,
    then: Marks,
    would: Marks,
    course: Course,
    last: Option<i64>,
    /// Spans in which something was recorded, Unix milliseconds.
    seen: Vec<(i64, i64)>,
}

impl Ledger {
    /// An empty ledger for a span and a usual time between rounds.
    #[must_use]
    pub fn new(span: Span, interval: Duration) -> Self {
        Self {
            span,
            late: interval * LATE_INTERVALS + LATE_GRACE,
            coverage: Coverage::default(),
            incidents: Incidents::default(),
            then: Marks::default(),
            would: Marks::default(),
            course: Course::over(span.from_unix_ms, span.until_unix_ms),
            last: None,
            seen: Vec::new(),
        }
    }

    /// Notes one round; those before the span only warmed the policy up.
    pub fn note(&mut self, now: Moment, then: Option<&Then>, played: &Played) {
        let at = now.unix_ms();
        if !self.span.holds(at) {
            return;
        }
        let decision = &played.decision;
        let is_after_gap = self.note_time(at);
        self.coverage.rounds += 1;
        self.coverage.first_unix_ms.get_or_insert(at);
        self.coverage.last_unix_ms = Some(at);
        self.coverage.after_switch += u64::from(played.is_after);
        if let Some(then) = then.filter(|_| !played.is_after) {
            self.coverage.compared += 1;
            self.coverage.same += u64::from(then.verdict == decision.verdict);
        }
        self.incidents.note(now, then, played);
        self.then.note(now, then.map(|then| (then.verdict, then.trigger)));
        let trigger = decision.plan.as_ref().map(|plan| plan.trigger).unwrap_or_default();
        self.would.note(now, (!played.is_after).then_some((decision.verdict, trigger)));
        let would = (!played.is_after).then(|| potential(decision));
        self.course.note(now, would, then.and_then(|then| then.confidence), is_after_gap);
    }

    /// Whether nothing was recorded before this round for longer than a round may take.
    fn note_time(&mut self, at: i64) -> bool {
        let before = self.last.replace(at);
        let late = i64::try_from(self.late.as_millis()).unwrap_or(i64::MAX);
        let passed = before.map_or(i64::MAX, |before| at.saturating_sub(before));
        match self.seen.last_mut() {
            Some(seen) if passed <= late => seen.1 = seen.1.max(at),
            Some(_) | None => self.seen.push((at, at)),
        }
        let is_after_gap = before.is_some() && passed > late;
        if is_after_gap {
            self.coverage.gaps += 1;
            self.coverage.gap_seconds += passed as f64 / 1e3;
        }
        is_after_gap
    }

    /// The account.
    #[must_use]
    pub fn end(self, service: &Service, outages: Option<&[Outage]>) -> Account {
        let (then, would) = (self.then.end(), self.would.end());
        let (incidents, incidents_untold) = self.incidents.end();
        let marked: Option<Vec<Outage>> = outages.map(|all| {
            let in_span = |o: &&Outage| self.span.touches(o.from_unix_ms, o.until_unix_ms);
            all.iter().filter(|o| o.service == service.name).filter(in_span).cloned().collect()
        });
        let seen = self.seen;
        let is_seen = |from, until| seen.iter().any(|(begin, end)| *begin <= until && *end >= from);
        let score = |marks: &[Mark]| marked.as_ref().map(|outages| Score::of(marks, outages, is_seen));
        Account {
            service: service.name.clone(),
            thresholds: (service.policy.theta_auto.get(), service.policy.theta_recommend.get()),
            coverage: self.coverage,
            score_then: if self.coverage.compared > 0 { score(&then) } else { None },
            score_would: score(&would),
            incidents,
            incidents_untold,
            then,
            would,
            course: self.course.end(),
            outages: marked.unwrap_or_default(),
        }
    }
}

impl Account {
    /// Adds what the source of the history knows of it.
    #[must_use]
    pub fn read_with(mut self, without_evidence: u64, retries: u64) -> Self {
        self.coverage.without_evidence = without_evidence;
        self.coverage.retries = retries;
        self
    }
}
