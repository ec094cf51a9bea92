//! What is too old is dropped; what it said is not forgotten, and nobody else may drop anything.

use super::*;

const DAY: i64 = 24 * 3_600_000;

fn flaws(folder: &TempDir) -> Vec<String> {
    verify(folder.path()).unwrap().flaws.iter().map(ToString::to_string).collect()
}

async fn tidy(journal: &SqliteJournal, oldest: i64, entries_max: usize) -> usize {
    for step in 0..1_000 {
        if journal.tidy(oldest, entries_max, oldest + 400 * DAY).await.unwrap() == Tidied::Done {
            return step;
        }
    }
    panic!("it never ends");
}

async fn kinds(journal: &SqliteJournal) -> Vec<Kind> {
    journal.read(Query::default()).await.unwrap().iter().map(|entry| entry.body.kind()).collect()
}

async fn story(journal: &SqliteJournal, service: &str) -> Story {
    let query = Query { service: Some(ServiceName::new(service).unwrap()), ..Query::default() };
    let mut story = Story::default();
    journal.read(query).await.unwrap().iter().for_each(|entry| story.tell(entry));
    // Where it was read is no part of what it says.
    story.seq = 0;
    story
}

fn ordered(at: i64, action: OperatorAction) -> NewEntry {
    entry("s", at, Body::Ordered { action, by: "a person".to_owned() })
}

/// All that a story can say, over thirty days, and as much of another service at its end.
fn told() -> Vec<NewEntry> {
    let site = |name: &str| SiteName::new(name).unwrap();
    let decision = "d-1".to_owned();
    let ended =
        |decision: &str, outcome| Body::Ended { decision: decision.to_owned(), outcome, epoch: Some(9) };
    let adopted = Body::Adopted { epoch: 1, active: site("dc-a"), by: Some("a person".to_owned()) };
    let abandoned = crate::decide::saga::Outcome::Abandoned { why: "it was paused".to_owned() };
    let closing = crate::decide::Closing {
        incident: "i-1".to_owned(),
        confirmed: true,
        sources: ["vantage/a1".to_owned()].into(),
    };
    let ticketed = |decision: &str| Body::Ticketed { plan: Box::new(plan(decision)) };
    vec![
        entry("s", 0, adopted),
        entry("s", DAY, ticketed("d-1")),
        entry("s", DAY, Body::Stepped { decision, step: crate::decide::saga::Step::Claimed, took_ms: 1 }),
        entry("s", DAY, ended("d-1", crate::decide::saga::Outcome::Switched)),
        entry("s", 2 * DAY, Body::Closed { closing }),
        ordered(3 * DAY, OperatorAction::Maintain { site: Some(site("dc-a")), until_unix_ms: 99 * DAY }),
        ordered(4 * DAY, OperatorAction::Failover { to: site("dc-a") }),
        entry("s", 5 * DAY, ticketed("d-2")),
        entry("s", 5 * DAY, ended("d-2", abandoned)),
        ordered(6 * DAY, OperatorAction::Pause),
        entry("s", 7 * DAY, halted("somebody else's hand")),
        entry("t", 20 * DAY, halted("another service")),
        entry("s", 30 * DAY, Body::Held { site: site("dc-a"), error: None, how: Vec::new() }),
    ]
}

#[tokio::test]
async fn a_story_outlives_its_entries() {
    // Dropped at every age, and once more after that.
    for oldest in 0..=32 {
        let folder = folder();
        let journal = open(&folder);
        for entry in told() {
            journal.append(vec![entry]).await.unwrap();
        }
        let before = [story(&journal, "s").await, story(&journal, "t").await];
        assert!(
            before[0].is_paused && before[0].halted.is_some() && !before[0].left.is_empty(),
            "{before:?}"
        );
        tidy(&journal, oldest * DAY, 100_000).await;
        assert_eq!(story(&journal, "s").await, before[0], "older than day {oldest} is dropped");
        assert_eq!(story(&journal, "t").await, before[1], "older than day {oldest} is dropped");
        assert_eq!(flaws(&folder), Vec::<String>::new(), "older than day {oldest} is dropped");
        assert_eq!(tidy(&journal, oldest * DAY, 100_000).await, 0, "and then there is nothing to do");
        let kept = kinds(&journal).await;
        assert_eq!(kept.contains(&Kind::Adopted), oldest <= 1, "day {oldest}: {kept:?}");
        tidy(&journal, 200 * DAY, 100_000).await;
        assert_eq!(story(&journal, "s").await, before[0]);
        assert_eq!(story(&journal, "t").await, before[1]);
        assert_eq!(flaws(&folder), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_switch_that_is_under_way_is_not_forgotten() {
    let folder = folder();
    let journal = open(&folder);
    journal.append(vec![entry("s", 0, Body::Ticketed { plan: Box::new(plan("d-1")) })]).await.unwrap();
    tidy(&journal, 50 * DAY, 100_000).await;
    assert!(story(&journal, "s").await.unfinished.is_some());
}

#[tokio::test]
async fn the_newest_of_the_kinds_without_end_are_kept() {
    let folder = folder();
    let journal = open(&folder);
    let notified = |at| entry("s", at, Body::Notified { alerts: Vec::new() });
    journal.append((0..5_000).map(notified).collect()).await.unwrap();
    journal.append((5_000..5_100).map(|at| entry("s", at, halted("kept"))).collect()).await.unwrap();
    tidy(&journal, 0, 1_000).await;
    let count = |kinds: &[Kind], wanted| kinds.iter().filter(|kind| **kind == wanted).count();
    let kept = kinds(&journal).await;
    assert_eq!((count(&kept, Kind::Notified), count(&kept, Kind::Halted)), (1_000, 100));
    tidy(&journal, 4_500, 1_000).await;
    let kept = kinds(&journal).await;
    assert_eq!((count(&kept, Kind::Notified), count(&kept, Kind::Halted)), (500, 100));
    let found = verify(folder.path()).unwrap();
    assert_eq!((found.anchors.len(), found.flaws.len()), (1, 0), "{found:?}");
    assert_eq!((found.anchors[0].chain.as_str(), found.anchors[0].seq), ("notified", 4_500));
}

#[tokio::test]
async fn whoever_drops_something_else_is_found() {
    let begins = |chain: &str| format!("the oldest entries of chain {chain} were removed");
    for (chain, kind) in [("kept", "halted"), ("notified", "notified")] {
        let folder = folder();
        let journal = open(&folder);
        for at in 0..6 {
            let notified = entry("s", at * DAY, Body::Notified { alerts: Vec::new() });
            journal.append(vec![entry("s", at * DAY, halted("why")), notified]).await.unwrap();
        }
        tidy(&journal, 3 * DAY, 100_000).await;
        assert_eq!(flaws(&folder), Vec::<String>::new());
        // Two more, with the chain's beginning moved as the journal itself would have done.
        let forged = format!(
            "UPDATE chains SET (start_seq, start) = (SELECT seq, seal FROM entries WHERE kind = '{kind}' \
             ORDER BY seq LIMIT 1 OFFSET 1) WHERE name = '{chain}'"
        );
        assert_eq!(raw(&folder).execute(&forged, []).unwrap(), 1);
        let gone = format!(
            "DELETE FROM entries WHERE kind = '{kind}' AND seq <= (SELECT start_seq FROM chains WHERE name = '{chain}')"
        );
        assert!(raw(&folder).execute(&gone, []).unwrap() > 0);
        assert_eq!(flaws(&folder), [begins(chain)], "{chain}");
    }
}

#[tokio::test]
async fn what_an_earlier_version_dropped_gets_an_anchor() {
    let folder = folder();
    let journal = open(&folder);
    journal
        .append((0..6).map(|at| entry("s", at, Body::Notified { alerts: Vec::new() })).collect())
        .await
        .unwrap();
    drop(journal);
    let file = raw(&folder);
    file.execute_batch(
        "UPDATE chains SET (start_seq, start) = (SELECT seq, seal FROM entries WHERE seq = 3);
         DELETE FROM entries WHERE seq <= 3;
         DROP INDEX entries_by_kind; DROP INDEX entries_kept; DROP TABLE outline; PRAGMA user_version = 3;",
    )
    .unwrap();
    drop(open(&folder));
    let found = verify(folder.path()).unwrap();
    assert_eq!((found.anchors.len(), found.flaws.len()), (1, 0), "{found:?}");
}
