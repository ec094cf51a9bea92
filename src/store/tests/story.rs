//! What entries add up to.

use super::*;
use crate::decide::saga::{Outcome, Step};

const D: &str = "d-1";

fn told(bodies: &[Body]) -> Story {
    let mut story = Story::default();
    for (at, body) in bodies.iter().enumerate() {
        let at_unix_ms = i64::try_from(at).unwrap();
        story.tell(&Entry {
            seq: u64::try_from(at).unwrap() + 1,
            at_unix_ms,
            last_unix_ms: at_unix_ms,
            count: 1,
            service: ServiceName::new("sessions").unwrap(),
            incident: None,
            body: body.clone(),
        });
    }
    assert_eq!(story.seq, u64::try_from(bodies.len()).unwrap());
    story
}

fn alert(fingerprint: &str, starts_at: &str, state: AlertState) -> Body {
    let key = AlertKey { fingerprint: fingerprint.to_owned(), starts_at: starts_at.to_owned() };
    let service = ServiceName::new("sessions").unwrap();
    let name = "RedisDown".to_owned();
    Body::Notified { alerts: vec![Alert { key, state, service, site: None, name }] }
}

fn adopted(epoch: u64) -> Body {
    Body::Adopted { epoch, active: SiteName::new("dc-a").unwrap(), by: None }
}

fn ticketed() -> Body {
    Body::Ticketed { plan: Box::new(plan(D)) }
}

fn stepped(decision: &str, step: Step) -> Body {
    Body::Stepped { decision: decision.to_owned(), step, took_ms: 1 }
}

fn ended(outcome: Outcome, epoch: Option<u64>) -> Body {
    Body::Ended { decision: D.to_owned(), outcome, epoch }
}

fn ordered(action: OperatorAction) -> Body {
    Body::Ordered { action, by: "a person".to_owned() }
}

fn abandoned() -> Outcome {
    Outcome::Abandoned { why: "why".to_owned() }
}

fn stuck() -> Outcome {
    Outcome::PromotedNotSwitched { why: "why".to_owned() }
}

#[test]
fn an_alert_fires_from_its_first_firing_to_its_resolution() {
    use AlertState::{Firing, Resolved};
    let (firing, resolved) = (|| alert("f", "1", Firing), || alert("f", "1", Resolved));
    let rows: [(&[Body], usize, &str); 8] = [
        (&[firing()], 1, "it fires"),
        (&[firing(), firing()], 1, "said twice"),
        (&[firing(), resolved()], 0, "it is over"),
        (&[firing(), resolved(), resolved()], 0, "over twice"),
        (&[resolved(), firing()], 0, "the end overtook the beginning"),
        (&[firing(), resolved(), firing()], 0, "a late repetition"),
        (&[firing(), resolved(), alert("f", "2", Firing)], 1, "a new start is a new alert"),
        (&[firing(), alert("g", "1", Firing), resolved()], 1, "another one still fires"),
    ];
    for (bodies, count, what) in rows {
        assert_eq!(told(bodies).firing.len(), count, "{what}");
    }
    let story = told(&[firing(), firing()]);
    assert_eq!(story.firing.values().next().unwrap().last_unix_ms, 1, "the last word counts");
}

#[test]
fn alerts_are_remembered_within_bounds() {
    let each = |state| (0..2_500).map(move |n| alert(&n.to_string(), "1", state));
    let firing = told(&each(AlertState::Firing).collect::<Vec<_>>());
    assert_eq!(firing.firing.len(), 1_000);
    let mut bodies: Vec<_> = each(AlertState::Resolved).collect();
    bodies.push(alert("2499", "1", AlertState::Firing));
    assert_eq!(told(&bodies).firing.len(), 0, "the newest resolution is remembered");
}

#[test]
fn orders_and_halts_end_only_each_their_own() {
    use OperatorAction::{Pause, Resume};
    let ack = || ordered(OperatorAction::Acknowledge { epoch: Some(9) });
    let rows: [(&[Body], bool, bool); 9] = [
        (&[ordered(Pause)], true, false),
        (&[ordered(Pause), ordered(Resume)], false, false),
        (&[ordered(Pause), ack()], true, false),
        (&[halted("why")], false, true),
        (&[halted("why"), ordered(Resume)], false, true),
        (&[halted("why"), ack()], false, false),
        (&[halted("why"), adopted(3)], false, false),
        (&[ticketed(), ended(stuck(), None)], false, true),
        (&[ticketed(), ended(Outcome::Foreign { why: "why".to_owned() }, None), ack()], false, false),
    ];
    for (bodies, is_paused, is_halted) in rows {
        let story = told(bodies);
        assert_eq!((story.is_paused, story.halted.is_some()), (is_paused, is_halted), "{bodies:?}");
    }
}

#[test]
fn a_switch_is_unfinished_from_its_ticket_to_its_own_end() {
    let claimed = || stepped(D, Step::Claimed);
    let rows: [(&[Body], Option<usize>); 7] = [
        (&[], None),
        (&[ticketed()], Some(0)),
        (&[ticketed(), claimed()], Some(1)),
        (&[ticketed(), claimed(), stepped("another", Step::Promoted)], Some(1)),
        (&[ticketed(), claimed(), ended(abandoned(), None)], None),
        (&[ticketed(), ended(Outcome::Switched, Some(9)), claimed()], None),
        (
            &[ticketed(), Body::Ended { decision: "another".to_owned(), outcome: abandoned(), epoch: None }],
            Some(0),
        ),
    ];
    for (bodies, steps) in rows {
        let unfinished = told(bodies).unfinished;
        assert_eq!(unfinished.as_ref().map(|u| u.steps.len()), steps, "{bodies:?}");
        if let Some(unfinished) = unfinished {
            assert_eq!((unfinished.seq, unfinished.plan), (1, plan(D)));
        }
    }
}

#[test]
fn the_known_epoch_follows_what_was_written() {
    let ack = |epoch| ordered(OperatorAction::Acknowledge { epoch });
    let (claimed, switched) = (|| stepped(D, Step::Claimed), || stepped(D, Step::Switched));
    let rows: [(&[Body], Option<u64>); 10] = [
        (&[], None),
        (&[adopted(1)], Some(1)),
        (&[adopted(7), ticketed()], Some(7)),
        (&[adopted(7), ticketed(), claimed()], Some(8)),
        (&[adopted(7), ticketed(), claimed(), switched()], Some(9)),
        (&[adopted(7), ticketed(), claimed(), ended(abandoned(), Some(9))], Some(9)),
        (&[adopted(7), ticketed(), claimed(), ended(stuck(), None)], Some(8)),
        (&[adopted(7), ticketed(), ended(Outcome::Switched, Some(9))], Some(9)),
        (&[adopted(7), ack(Some(20))], Some(20)),
        (&[adopted(7), ack(None)], Some(7)),
    ];
    for (bodies, epoch) in rows {
        assert_eq!(told(bodies).epoch, epoch, "{bodies:?}");
    }
}

#[test]
fn switches_and_attempts_are_remembered_until_acknowledged() {
    let ack = || ordered(OperatorAction::Acknowledge { epoch: None });
    let rows: [(&[Body], usize, bool); 4] = [
        (&[ticketed(), ended(Outcome::Switched, None)], 1, false),
        (&[ticketed(), ended(abandoned(), None)], 0, true),
        (&[ticketed(), ended(abandoned(), None), ticketed(), ended(Outcome::Switched, None)], 1, false),
        (
            &[ticketed(), ended(Outcome::Switched, None), ticketed(), ended(abandoned(), None), ack()],
            0,
            false,
        ),
    ];
    for (bodies, switches, is_abandoned) in rows {
        let story = told(bodies);
        assert_eq!((story.switches.len(), story.abandoned.is_some()), (switches, is_abandoned), "{bodies:?}");
    }
}
