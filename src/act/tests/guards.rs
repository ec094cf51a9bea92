//! Who may stop a switch, and when it is heard.

use std::sync::Arc;
use std::time::Duration;

use super::fuse::Fuse;
use super::life::{Shape, Stage};
use super::world::Event;
use crate::act::{Permit, Refusal, Switch};
use crate::decide::saga::Outcome;
use crate::lead::Term;
use crate::store::{Body, Journal as _, JournalError, OperatorAction, Query, SqliteJournal};
use crate::types::Moment;

const TERM: Term = Term { number: 1, until: None };

fn ordered(action: OperatorAction) -> Body {
    Body::Ordered { action, by: "a person".to_owned() }
}

fn halted() -> Body {
    Body::Halted { why: "as the test wants".to_owned() }
}

fn acknowledged() -> Body {
    ordered(OperatorAction::Acknowledge { epoch: None })
}

/// Asks for a permit with these entries before and after the ticket.
async fn granted(before: &[Body], after: &[Body]) -> Result<(), Refusal> {
    let stage = Stage::new(Shape::Replication, |_| {});
    let hands = stage.hands(&Arc::new(Fuse::default()), usize::MAX);
    let write = async |bodies: &[Body]| {
        for body in bodies {
            hands.journal.append(vec![stage.entry(body.clone())]).await.unwrap();
        }
    };
    write(before).await;
    let body = Body::Ticketed { plan: Box::new(stage.plan.clone()) };
    let ticket = hands.journal.ticket(stage.entry(body), stage.plan.clone()).await.unwrap();
    write(after).await;
    Permit::grant(ticket, TERM, &hands).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn a_pause_or_a_halt_refuses_until_its_own_end() {
    let (pause, resume) = (|| ordered(OperatorAction::Pause), || ordered(OperatorAction::Resume));
    let rows: [(&[Body], &[Body], &str); 11] = [
        (&[], &[], "granted"),
        (&[], &[pause()], "a person has paused the service"),
        (&[], &[pause(), resume()], "granted"),
        (&[], &[halted()], "the service is halted"),
        (&[], &[halted(), acknowledged()], "granted"),
        // A person may pause while the cycle that leads to the ticket is under way.
        (&[pause()], &[], "a person has paused the service"),
        (&[pause()], &[resume()], "granted"),
        (&[halted()], &[], "the service is halted"),
        (&[halted(), acknowledged()], &[], "granted"),
        // An acknowledgement ends no pause, and a resumption no halt.
        (&[], &[pause(), acknowledged()], "a person has paused the service"),
        (&[], &[halted(), resume()], "the service is halted"),
    ];
    for (before, after, wanted) in rows {
        let found = granted(before, after).await.map_or_else(|e| e.to_string(), |()| "granted".to_owned());
        assert_eq!(found, wanted, "{before:?}, ticket, {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_young_enough_until_the_very_moment() {
    for (after_ms, is_granted) in [(59_999, true), (60_000, false)] {
        let stage = Stage::new(Shape::Replication, |_| {});
        let hands = stage.hands(&Arc::new(Fuse::default()), usize::MAX);
        let body = Body::Ticketed { plan: Box::new(stage.plan.clone()) };
        let ticket = hands.journal.ticket(stage.entry(body), stage.plan.clone()).await.unwrap();
        tokio::time::advance(Duration::from_millis(after_ms)).await;
        let permit = Permit::grant(ticket, TERM, &hands).await;
        assert_eq!(permit.is_ok(), is_granted, "after {after_ms} ms: {permit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_term_holds_before_its_end_only() {
    let now = Moment { mono: Duration::from_secs(9), wall: Duration::ZERO };
    for (until, is_live) in [(8, false), (9, false), (10, true)] {
        let until = Moment { mono: Duration::from_secs(until), wall: now.wall };
        assert_eq!(Term { number: 1, until: Some(until) }.is_live(now), is_live);
    }
}

/// After a restart with another configuration the target may be unknown: then nothing proves it.
#[tokio::test(start_paused = true)]
async fn a_site_without_targets_proves_nothing() {
    for shape in [Shape::Replication, Shape::ActiveActive] {
        let stage = Stage::new(shape, |s| s.roles.clear());
        let outcome = stage.live(&Arc::new(Fuse::default()), usize::MAX).await;
        assert!(matches!(outcome, Some(Outcome::Abandoned { .. })), "{outcome:?}");
        assert_eq!(stage.record_changes(), 0);
    }
}

/// The journal may write an intent after its wait ran out: nobody has a ticket for it, and it is dropped.
#[tokio::test(start_paused = true)]
async fn an_intent_that_is_written_late_is_dropped() {
    let stage = Stage::new(Shape::Replication, |_| {});
    let journal = SqliteJournal::open(stage.folder.path()).unwrap();
    journal.never_give_up();
    let other = rusqlite::Connection::open(stage.folder.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let body = Body::Ticketed { plan: Box::new(stage.plan.clone()) };
    let (ticket, ()) = tokio::join!(
        journal.ticket(stage.entry(body), stage.plan.clone()),
        tokio::time::advance(Duration::from_secs(5)),
    );
    assert!(matches!(ticket, Err(JournalError::Overdue { .. })), "{ticket:?}");
    other.execute_batch("COMMIT").unwrap();
    // The read waits for its turn, which comes after the late write.
    journal.read(Query::default()).await.unwrap();
    let unfinished = stage.story().await.unfinished.expect("it was written");
    assert_eq!(unfinished.steps, []);
    stage.settle().await;
    stage.check_end("a late intent").await;
    assert!(matches!(stage.outcome().await, Some(Outcome::Abandoned { .. })));
    assert_eq!(stage.world.events(), [Event::Wrote("abandoned".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_resumption_waits_for_the_record_to_be_readable() {
    let stage = Stage::new(Shape::Replication, |_| {});
    let body = Body::Ticketed { plan: Box::new(stage.plan.clone()) };
    let fuse = Arc::new(Fuse::default());
    let hands = stage.hands(&fuse, usize::MAX);
    hands.journal.ticket(stage.entry(body), stage.plan.clone()).await.unwrap();
    stage.world.state().is_unreadable = true;
    let unfinished = stage.story().await.unfinished.expect("the ticket stands");
    let ended = Switch::resume(&hands, &stage.service, &stage.agent, &unfinished).await.unwrap();
    assert_eq!(ended, None);
    assert!(stage.story().await.unfinished.is_some());
    let outcome = stage.go_on(&fuse).await;
    assert!(matches!(outcome, Some(Outcome::Abandoned { .. })), "{outcome:?}");
}
