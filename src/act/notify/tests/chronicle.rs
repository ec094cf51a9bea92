//! From entries to messages.

use super::super::chronicle::Chronicle;
use super::super::message::{Kind, Phase};
use super::world::{ack, calm, closed, decided, entry, plan, site};
use crate::config::Level;
use crate::decide::saga::{Fencing, Outcome, Step};
use crate::decide::{AlertLevel, Health, Reason, StandingOrder, Strength, Verdict, Veto};
use crate::store::Body;

/// Tells the bodies, one a second; returns kind, phase and level of every message, by the body's place.
fn told(bodies: Vec<Body>) -> Vec<(u64, Kind, Phase, Level)> {
    let mut chronicle = Chronicle::default();
    let mut all = Vec::new();
    for (seq, body) in (1..).zip(bodies) {
        let messages = chronicle.tell(&entry(seq, seq as i64, body));
        all.extend(messages.iter().map(|m| (seq, m.kind, m.phase, m.level)));
    }
    all
}

fn no_target() -> Reason {
    Reason::NoTarget { site: Some(site("dc-b")), detail: "it lags".to_owned() }
}

fn confirming() -> Reason {
    Reason::Confirming { seconds: 1, seconds_needed: 20, rounds: 1, rounds_needed: 4 }
}

fn ended(outcome: Outcome) -> Body {
    Body::Ended { decision: plan().decision, outcome, epoch: None }
}

fn stepped(step: Step) -> Body {
    Body::Stepped { decision: plan().decision, step, took_ms: 1 }
}

#[test]
fn a_failover_is_told_from_its_beginning_to_the_end_of_the_incident() {
    let failover = || decided(Verdict::Failover, AlertLevel::Page, vec![Reason::Confirmed]);
    let switching = || decided(Verdict::Hold, AlertLevel::Page, vec![Reason::Switching]);
    let bodies = vec![
        decided(Verdict::Hold, AlertLevel::Warn, vec![confirming()]),
        failover(),
        Body::Ticketed { plan: Box::new(plan()) },
        switching(),
        stepped(Step::Claimed),
        stepped(Step::Fenced { how: vec![Fencing::Gone] }),
        stepped(Step::Switched),
        ended(Outcome::Switched),
        calm_in_incident(),
        closed(),
    ];
    let incident = |seq, kind| (seq, kind, Phase::Lasts, Level::Critical);
    assert_eq!(
        told(bodies.clone()),
        [
            incident(3, Kind::SwitchBegun),
            incident(8, Kind::Switched),
            (10, Kind::Over, Phase::Over, Level::Critical),
        ]
    );

    let mut chronicle = Chronicle::default();
    let messages: Vec<_> =
        (1..).zip(bodies).flat_map(|(seq, body)| chronicle.tell(&entry(seq, 0, body))).collect();
    assert!(messages.iter().all(|m| m.key == messages[0].key), "one key for the whole incident");
    let switched = &messages[1];
    assert_eq!(switched.title, "sessions: moved from dc-a to dc-b");
    let confirmed = "the active site is down for the whole confirm window, and the target is fit";
    assert_eq!(switched.why, [confirmed], "and not that a switch was under way");
    assert_eq!(
        switched.done,
        [
            "The fence was claimed.",
            "The old primary takes no writes: gone.",
            "Record and fence name the new site."
        ]
    );
    assert!(switched.todo.iter().any(|line| line.contains("redrover ack sessions")), "{switched:?}");
    assert_eq!(chronicle.lasting().count(), 0);
}

fn calm_in_incident() -> Body {
    let Body::Decided { mut decision, .. } = calm(AlertLevel::None, vec![Reason::ActiveServes]) else {
        panic!("a decision")
    };
    decision.incident = super::world::decision().incident;
    Body::Decided { decision, evidence: None }
}

#[test]
fn what_is_told_about_an_incident_is_told_once_and_again_when_it_changes() {
    let outage = || decided(Verdict::Hold, AlertLevel::Page, vec![no_target()]);
    let halt = |level| {
        let Body::Decided { mut decision, .. } = decided(Verdict::Halt, level, vec![Reason::NotAdopted])
        else {
            panic!("a decision")
        };
        decision.is_outage = false;
        Body::Decided { decision, evidence: None }
    };
    let about = |seq, kind| (seq, kind, Phase::Lasts, Level::Critical);
    let warned = (1, Kind::Halted, Phase::Lasts, Level::Warning);
    let recommend = || decided(Verdict::Recommend, AlertLevel::Page, vec![Reason::Paused]);
    for (what, bodies, wanted) in [
        ("the same", vec![outage(), outage(), outage()], vec![about(1, Kind::Outage)]),
        (
            "another verdict",
            vec![outage(), recommend(), recommend()],
            vec![about(1, Kind::Outage), about(2, Kind::Recommended)],
        ),
        (
            "more urgent",
            vec![halt(AlertLevel::Warn), halt(AlertLevel::Page)],
            vec![warned, about(2, Kind::Halted)],
        ),
        (
            "a given up attempt is told each time",
            vec![
                outage(),
                ended(Outcome::Abandoned { why: "x".to_owned() }),
                ended(Outcome::Abandoned { why: "x".to_owned() }),
            ],
            vec![about(1, Kind::Outage), about(2, Kind::SwitchGivenUp), about(3, Kind::SwitchGivenUp)],
        ),
        (
            "the halt after a switch that froze",
            vec![
                outage(),
                ended(Outcome::PromotedNotSwitched { why: "x".to_owned() }),
                halt(AlertLevel::Page),
            ],
            vec![about(1, Kind::Outage), about(2, Kind::PromotedNotSwitched)],
        ),
        (
            "seen by a person",
            vec![outage(), ack("anna")],
            vec![about(1, Kind::Outage), (2, Kind::Acknowledged, Phase::Acknowledged, Level::Info)],
        ),
        ("nothing to see", vec![ack("anna")], vec![(1, Kind::Acknowledged, Phase::Alone, Level::Info)]),
        (
            "a new incident without the end of the old one",
            vec![outage(), calm(AlertLevel::None, vec![Reason::ActiveServes])],
            vec![about(1, Kind::Outage), (2, Kind::Over, Phase::Over, Level::Critical)],
        ),
    ] {
        assert_eq!(told(bodies), wanted, "{what}");
    }
}

/// A decision of a service that waits for a person, for the first of the reasons.
fn halted(reasons: Vec<Reason>, health: Health) -> Body {
    let why = Veto { strength: Strength::Halt, reason: reasons[0].clone() };
    let Body::Decided { mut decision, .. } = decided(Verdict::Halt, AlertLevel::Page, reasons) else {
        panic!("a decision")
    };
    decision.vetoes = vec![why];
    decision.health[0].1 = health;
    decision.is_outage = health == Health::Failed;
    Body::Decided { decision, evidence: None }
}

#[test]
fn a_halted_service_tells_of_its_outages_and_of_what_else_happens() {
    let why = || Reason::UnfamiliarFence { epoch: 1 };
    let down = || Reason::StandbyDown { site: site("dc-b") };
    let bodies = vec![
        halted(vec![why()], Health::Healthy),
        halted(vec![why(), down()], Health::Healthy),
        halted(vec![why(), down()], Health::Failing),
        halted(vec![why()], Health::Failed),
        halted(vec![why()], Health::Failed),
        halted(vec![why()], Health::Healthy),
        halted(vec![why()], Health::Healthy),
    ];
    let incident = |seq, kind| (seq, kind, Phase::Lasts, Level::Critical);
    assert_eq!(
        told(bodies),
        [
            incident(1, Kind::Halted),
            (2, Kind::Notice, Phase::Lasts, Level::Error),
            incident(4, Kind::Outage),
            (4, Kind::Over, Phase::Over, Level::Error),
            incident(6, Kind::Halted),
        ]
    );
}

#[test]
fn lasting_reasons_begin_and_end_one_by_one() {
    let down = |name: &str| Reason::StandbyDown { site: site(name) };
    let ttl = || Reason::TtlDrift { found_seconds: 300, configured_seconds: 5 };
    let alerts = || Reason::AlertContradicted { alerts: 1 };
    let notice = |seq, phase, level| {
        let kind = if phase == Phase::Over { Kind::Over } else { Kind::Notice };
        (seq, kind, phase, level)
    };
    let found = told(vec![
        calm(AlertLevel::Page, vec![Reason::ActiveServes, down("dc-b")]),
        calm(AlertLevel::Page, vec![Reason::ActiveServes, down("dc-b"), down("dc-c"), ttl()]),
        calm(AlertLevel::Info, vec![alerts(), ttl()]),
        calm(AlertLevel::None, vec![Reason::ActiveServes]),
        calm(AlertLevel::Info, vec![alerts()]),
    ]);
    assert_eq!(
        found,
        [
            notice(1, Phase::Lasts, Level::Error),
            notice(2, Phase::Lasts, Level::Error),
            notice(2, Phase::Lasts, Level::Warning),
            notice(3, Phase::Alone, Level::Info),
            notice(3, Phase::Over, Level::Error),
            notice(3, Phase::Over, Level::Error),
            notice(4, Phase::Over, Level::Warning),
            notice(5, Phase::Alone, Level::Info),
        ]
    );
}

#[test]
fn an_old_primary_is_told_of_until_no_order_holds_it() {
    let held = |error: Option<&str>| {
        let how = if error.is_none() { vec![Fencing::Paused] } else { Vec::new() };
        Body::Held { site: site("dc-a"), error: error.map(str::to_owned), how }
    };
    let ordered = |sites: &[&str]| {
        let Body::Decided { mut decision, .. } = calm(AlertLevel::None, vec![Reason::ActiveServes]) else {
            panic!("a decision")
        };
        decision.orders = sites.iter().map(|name| StandingOrder { pause: site(name) }).collect();
        Body::Decided { decision, evidence: None }
    };
    let found =
        told(vec![ordered(&["dc-a"]), held(None), ordered(&["dc-a"]), held(Some("no")), ordered(&[])]);
    assert_eq!(
        found,
        [
            (2, Kind::OldPrimaryHeld, Phase::Lasts, Level::Error),
            (4, Kind::TwoPrimaries, Phase::Lasts, Level::Critical),
            (5, Kind::Over, Phase::Over, Level::Critical),
        ]
    );
}

#[test]
fn what_to_do_with_an_old_primary_depends_on_how_it_is_held() {
    let rows = [
        (Fencing::Paused, "Its writes are paused", "redrover demote sessions --datacenter dc-a"),
        (
            Fencing::Stopped,
            "Its cluster has stopped its traffic",
            "At its cluster, make dc-a a copy (Replica Of)",
        ),
    ];
    for (how, done, todo) in rows {
        let held = Body::Held { site: site("dc-a"), error: None, how: vec![how] };
        let messages = Chronicle::default().tell(&entry(1, 0, held));
        let [message] = messages.as_slice() else { panic!("{messages:?}") };
        assert!(message.done[0].starts_with(done), "{:?}", message.done);
        assert!(message.todo[0].contains(todo), "{:?}", message.todo);
        assert_eq!(message.title, "sessions: the old primary dc-a is back, and is kept from taking writes");
    }
}

#[test]
fn every_message_has_all_its_parts_on_bounded_lines() {
    let long = "x\r\n".repeat(10_000);
    let reason = Reason::NoTarget { site: None, detail: long.clone() };
    let bodies = vec![
        decided(Verdict::Hold, AlertLevel::Page, vec![reason; 50]),
        Body::Ticketed { plan: Box::new(plan()) },
        ended(Outcome::Foreign { why: long.clone() }),
        Body::Held { site: site("dc-a"), error: Some(long), how: Vec::new() },
        Body::Adopted { epoch: 1, active: site("dc-a"), by: None },
        closed(),
    ];
    let mut chronicle = Chronicle::default();
    for (seq, body) in (1..).zip(bodies) {
        for message in chronicle.tell(&entry(seq, 0, body)) {
            assert!(!message.title.is_empty() && !message.happened.is_empty(), "{message:?}");
            assert!(!message.done.is_empty() && !message.todo.is_empty(), "{message:?}");
            let lines = message.why.iter().chain(&message.done).chain(&message.todo);
            for line in lines.chain([&message.title, &message.happened]) {
                assert!(line.chars().count() < 700 && !line.contains(['\r', '\n']), "{line}");
            }
            assert!(message.why.len() <= 12);
        }
    }
}
