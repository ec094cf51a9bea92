//! A service's journal, as tests write it.

use crate::config::Level;
use crate::decide::{AlertLevel, Closing, Decision, Plan, Reason, Verdict};
use crate::store::{Body, Entry, OperatorAction};
use crate::types::{ServiceName, SiteName};

use super::super::message::{Kind, Message, Phase};

const DECIDED: &str = include_str!("../../../../tests/testdata/journal/decided_without_evidence.json");
/// 2026-11-24T00:00:00Z.
pub const START: i64 = 1_795_478_400_000;
/// The incident of [`decision`].
pub const INCIDENT: &str = "sessions-1a20a8a9cd9-26";

pub fn service(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

pub fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

/// A decision to move from dc-a to dc-b.
pub fn decision() -> Decision {
    let Ok(Body::Decided { decision, .. }) = serde_json::from_str(DECIDED) else { panic!("a decision") };
    *decision
}

/// A decision with this verdict, level and reasons, in an incident.
pub fn decided(verdict: Verdict, level: AlertLevel, reasons: Vec<Reason>) -> Body {
    let decision = Decision { verdict, level, reasons, plan: None, is_outage: true, ..decision() };
    Body::Decided { decision: Box::new(decision), evidence: None }
}

/// A decision to hold outside of any incident.
pub fn calm(level: AlertLevel, reasons: Vec<Reason>) -> Body {
    let decision = Decision {
        verdict: Verdict::Hold,
        level,
        reasons,
        plan: None,
        incident: None,
        is_outage: false,
        ..decision()
    };
    Body::Decided { decision: Box::new(decision), evidence: None }
}

pub fn plan() -> Plan {
    decision().plan.unwrap()
}

pub fn ack(by: &str) -> Body {
    Body::Ordered { action: OperatorAction::Acknowledge { epoch: None }, by: by.to_owned() }
}

pub fn closed() -> Body {
    let closing = Closing { incident: INCIDENT.to_owned(), confirmed: true, sources: Default::default() };
    Body::Closed { closing }
}

/// An entry about `sessions`, so many seconds after the start.
pub fn entry(seq: u64, seconds: i64, body: Body) -> Entry {
    let at_unix_ms = START + 1000 * seconds;
    let service = service("sessions");
    Entry { seq, at_unix_ms, last_unix_ms: at_unix_ms, count: 1, service, incident: None, body }
}

/// A message with every part filled in.
pub fn message() -> Message {
    Message {
        key: format!("incident/{INCIDENT}"),
        condition: "incident".to_owned(),
        service: service("sessions"),
        datacenter: Some(site("dc-a")),
        incident: Some(INCIDENT.to_owned()),
        kind: Kind::Outage,
        phase: Phase::Lasts,
        level: Level::Critical,
        level_before: None,
        at_unix_ms: START + 60_000,
        since_unix_ms: START,
        title: "sessions: dc-a is down, and nothing is moved".to_owned(),
        happened: "1 of 1 vantages see dc-a down.".to_owned(),
        why: vec!["<b> & \"x\"".to_owned(), "the mode is recommend".to_owned()],
        done: vec!["Nothing was moved.".to_owned()],
        todo: vec!["Bring dc-a back.".to_owned()],
        earlier: Vec::new(),
        held_back: 0,
    }
}
