//! The journal on disk, and the story it tells.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the variants that it is about")]

mod aside;
mod chain;
mod evidence;
mod outbox;
mod points;
mod story;
mod tidy;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::decide::{Plan, Trigger};
use crate::types::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> SqliteJournal {
    SqliteJournal::open(folder.path()).unwrap()
}

fn raw(folder: &TempDir) -> Connection {
    Connection::open(folder.path().join("journal.db")).unwrap()
}

fn halted(why: &str) -> Body {
    Body::Halted { why: why.to_owned() }
}

fn entry(service: &str, at_unix_ms: i64, body: Body) -> NewEntry {
    NewEntry { at_unix_ms, service: ServiceName::new(service).unwrap(), incident: None, body }
}

fn plan(decision: &str) -> Plan {
    let (a, b) = (SiteName::new("dc-a").unwrap(), SiteName::new("dc-b").unwrap());
    let text = "v=1;owner=a1;epoch=7;active=dc-a;from=dc-a;at=1;decision=adopt";
    Plan {
        decision: decision.to_owned(),
        service: ServiceName::new("sessions").unwrap(),
        from: a,
        to: b,
        expected: RecordState {
            record: Some(ResourceSet::single(5, "a.example.com")),
            fence: Some(ResourceSet::single(5, text)),
        },
        fence: Fence::parse(text).unwrap(),
        to_values: ["b.example.com".to_owned()].into(),
        ttl_seconds: 5,
        made_unix_ms: 0,
        expires_unix_ms: 60_000,
        promotes: true,
        lossless: false,
        trigger: Trigger::Automatic,
    }
}

fn whys(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| match &entry.body {
            Body::Halted { why } => why.as_str(),
            other => panic!("unexpected: {other:?}"),
        })
        .collect()
}

/// Where a journal outlives those who write it: each opening finds what was written before.
trait Keeper {
    fn open(&self) -> Box<dyn Journal>;
}

impl Keeper for TempDir {
    fn open(&self) -> Box<dyn Journal> {
        Box::new(open(self))
    }
}

impl Keeper for MemoryJournal {
    fn open(&self) -> Box<dyn Journal> {
        Box::new(self.clone())
    }
}

/// Every journal there is.
fn keepers() -> [Box<dyn Keeper>; 2] {
    [Box::new(folder()), Box::new(MemoryJournal::new())]
}

#[tokio::test]
async fn a_reopened_journal_keeps_entries_and_order() {
    for keeper in keepers() {
        reopen(&*keeper).await;
    }
}

async fn reopen(keeper: &dyn Keeper) {
    let first = keeper.open();
    let seqs = first.append(vec![entry("s", 2, halted("1")), entry("s", 1, halted("2"))]).await.unwrap();
    drop(first);
    let second = keeper.open();
    let more = second.append(vec![entry("t", 3, halted("3"))]).await.unwrap();
    assert!(seqs[0] < seqs[1] && seqs[1] < more[0]);
    drop(second);
    let third = keeper.open();
    let all = third.read(Query::default()).await.unwrap();
    assert_eq!(whys(&all), ["1", "2", "3"]);
    let of_s =
        Query { service: Some(ServiceName::new("s").unwrap()), is_newest_first: true, ..Query::default() };
    assert_eq!(whys(&third.read(of_s).await.unwrap()), ["2", "1"]);
    let after = Query { after: seqs[0], limit: 1, ..Query::default() };
    assert_eq!(whys(&third.read(after).await.unwrap()), ["2"]);
    let orders = Query { kinds: vec![Kind::Ordered], ..Query::default() };
    assert_eq!(third.read(orders).await.unwrap(), []);
}

#[tokio::test]
async fn a_journal_opened_for_reading_takes_nothing() {
    let folder = folder();
    open(&folder).append(vec![entry("s", 1, halted("1"))]).await.unwrap();
    let reader = SqliteJournal::open_read_only(folder.path()).unwrap();
    assert_eq!(whys(&reader.read(Query::default()).await.unwrap()), ["1"]);
    assert!(reader.append(vec![entry("s", 4, halted("4"))]).await.is_err());
}

#[tokio::test]
async fn the_file_is_as_durable_as_promised() {
    let folder = folder();
    let journal = open(&folder);
    journal.append(vec![entry("s", 1, halted("1"))]).await.unwrap();
    let mode: String = raw(&folder).pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(journal.pragma("synchronous"), 2, "2 is FULL");
    assert_eq!(journal.pragma("user_version"), 4);
    // A repetition changes nothing of that.
    journal.repeat(1, 2).await.unwrap();
    assert_eq!(journal.pragma("synchronous"), 2);
}

#[test]
fn a_later_or_impossible_schema_is_refused_and_left_alone() {
    for version in [5, 99, -1] {
        let folder = folder();
        drop(open(&folder));
        raw(&folder).pragma_update(None, "user_version", version).unwrap();
        let error = SqliteJournal::open(folder.path()).unwrap_err();
        assert!(matches!(error, JournalError::Version { found, known: 4 } if found == version), "{error:?}");
        let still: i64 = raw(&folder).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(still, version);
    }
}

#[test]
fn an_older_journal_is_not_migrated_under_the_hands_of_its_agent() {
    let folder = folder();
    let agent = SqliteJournal::open_for_agent(folder.path(), Arc::new(SystemClock::new())).unwrap();
    drop(open(&folder));
    // As if the agent were of the version before.
    raw(&folder).pragma_update(None, "user_version", 3).unwrap();
    for opened in [SqliteJournal::open(folder.path()), SqliteJournal::open_existing(folder.path())] {
        let error = opened.unwrap_err();
        assert!(matches!(error, JournalError::Older { found: 3, known: 4, .. }), "{error:?}");
    }
    let still: i64 = raw(&folder).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(still, 3);
    drop(agent);
    raw(&folder)
        .execute_batch("DROP INDEX entries_by_kind; DROP INDEX entries_kept; DROP TABLE outline")
        .unwrap();
    assert_eq!(open(&folder).pragma("user_version"), 4);
}

#[test]
fn an_empty_file_is_migrated_and_a_damaged_one_refused() {
    let folder = folder();
    let path = folder.path().join("journal.db");
    fs::write(&path, "").unwrap();
    drop(open(&folder));
    fs::write(
        &path,
        "this is no journal, and was none before; it is only long enough to be asked".repeat(99),
    )
    .unwrap();
    let error = SqliteJournal::open(folder.path()).unwrap_err();
    assert!(matches!(&error, JournalError::Open { path: at, .. } if *at == path), "{error:?}");
    assert!(error.to_string().contains("journal.db"), "{error}");
    let file = folder.path().join("journal.db/below");
    let error = SqliteJournal::open(&file).unwrap_err();
    assert!(matches!(error, JournalError::Directory { .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_page_or_entry_is_an_error_and_no_panic() {
    let folder = folder();
    let journal = open(&folder);
    let seqs = journal.append(vec![entry("s", 1, halted("1"))]).await.unwrap();
    for (column, text) in [("body", "{\"kind\":\"unheard-of\"}"), ("body", "{"), ("service", "no name")] {
        raw(&folder).execute(&format!("UPDATE entries SET {column} = ?1"), [text]).unwrap();
        let error = journal.read(Query::default()).await.unwrap_err();
        assert!(matches!(error, JournalError::Entry { seq, .. } if seq == seqs[0]), "{error:?}");
    }
    drop(journal);
    let path = folder.path().join("journal.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let damaged = match SqliteJournal::open(folder.path()) {
        Ok(journal) => journal.read(Query::default()).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(damaged, Err(JournalError::Open { .. } | JournalError::Read { .. })), "{damaged:?}");
}

/// Entries outlive the program that wrote them: what it said more than this one asks for is no mistake.
#[tokio::test]
async fn an_entry_that_says_more_is_understood() {
    let folder = folder();
    let journal = open(&folder);
    let more = r#"{"kind":"notified","alerts":[{"key":{"fingerprint":"ab","starts_at":"2026-01-01T00:00:00Z"},
        "state":"firing","service":"s","site":null,"name":"RedisDown","severity":"page"}]}"#;
    let sql = "INSERT INTO entries (at_ms, last_ms, service, kind, body) VALUES (1, 1, 's', 'notified', ?1)";
    raw(&folder).execute(sql, [more]).unwrap();
    let all = journal.read(Query::default()).await.unwrap();
    assert!(matches!(&all[0].body, Body::Notified { alerts } if alerts[0].name == "RedisDown"), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_wait_for_each_other() {
    const EACH: usize = 40;
    let folder = folder();
    let write = async |name: &'static str| {
        // Both open at once: only one of them makes the schema.
        let path = folder.path().to_owned();
        let journal = tokio::task::spawn_blocking(move || SqliteJournal::open(&path)).await.unwrap().unwrap();
        for at in 0..EACH {
            let at = i64::try_from(at).unwrap();
            journal.append(vec![entry(name, at, halted(name)), entry(name, at, halted(name))]).await.unwrap();
        }
    };
    tokio::join!(write("one"), write("two"));
    let all = open(&folder).read(Query::default()).await.unwrap();
    assert_eq!(all.len(), 4 * EACH);
    assert!(all.windows(2).all(|w| w[0].seq < w[1].seq));
    assert!(all.chunks(2).all(|pair| pair[0].service == pair[1].service), "a batch is never torn");
}

#[tokio::test]
async fn a_writer_waits_while_another_holds_the_file() {
    let folder = folder();
    let journal = open(&folder);
    let other = raw(&folder);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (appended, ()) = tokio::join!(journal.append(vec![entry("s", 1, halted("1"))]), async {
        other.execute_batch("COMMIT").unwrap();
    });
    appended.unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = journal.append(vec![entry("s", 1, halted("2"))]).await.unwrap_err();
    assert!(matches!(error, JournalError::Write { .. }), "{error:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(whys(&journal.read(Query::default()).await.unwrap()), ["1"], "a failed write leaves nothing");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_in_time_and_a_late_write_keeps_its_place() {
    let folder = folder();
    let journal = open(&folder);
    journal.never_give_up();
    let other = raw(&folder);
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let body = Body::Ticketed { plan: Box::new(plan("d")) };
    let limit = Duration::from_secs(5);
    let (ticket, busy, ()) = tokio::join!(
        journal.ticket(entry("sessions", 1, body), plan("d")),
        journal.append(vec![entry("sessions", 1, halted("never begun"))]),
        tokio::time::advance(limit),
    );
    assert!(matches!(&ticket, Err(JournalError::Overdue { limit: l }) if *l == limit), "{ticket:?}");
    assert!(matches!(&busy, Err(JournalError::Busy { limit: l }) if *l == limit), "{busy:?}");
    let (busy, ()) = tokio::join!(journal.read(Query::default()), tokio::time::advance(limit));
    assert!(matches!(busy, Err(JournalError::Busy { .. })), "{busy:?}");

    other.execute_batch("COMMIT").unwrap();
    journal.append(vec![entry("sessions", 1, halted("after it"))]).await.unwrap();
    let all = journal.read(Query::default()).await.unwrap();
    let kinds: Vec<_> = all.iter().map(|entry| entry.body.kind()).collect();
    assert_eq!(kinds, [Kind::Ticketed, Kind::Halted], "{all:?}");
}

#[tokio::test]
async fn a_repetition_is_counted() {
    for keeper in keepers() {
        let journal = keeper.open();
        let both = vec![entry("s", 1, halted("1")), entry("s", 1, halted("2"))];
        let seqs = journal.append(both).await.unwrap();
        journal.repeat(seqs[0], 5).await.unwrap();
        journal.repeat(seqs[0], 9).await.unwrap();
        let all = keeper.open().read(Query::default()).await.unwrap();
        let told: Vec<_> = all.iter().map(|e| (e.at_unix_ms, e.last_unix_ms, e.count)).collect();
        assert_eq!(told, [(1, 9, 3), (1, 1, 1)]);
    }
}

#[tokio::test]
async fn kinds_come_in_the_order_of_their_places() {
    for keeper in keepers() {
        let journal = keeper.open();
        let adopted = || Body::Adopted { epoch: 1, active: SiteName::new("dc-a").unwrap(), by: None };
        let mixed = vec![entry("s", 1, halted("1")), entry("s", 1, adopted()), entry("s", 1, halted("2"))];
        let seqs = journal.append(mixed).await.unwrap();
        let places = async |query| -> Vec<u64> {
            journal.read(query).await.unwrap().iter().map(|entry| entry.seq).collect()
        };
        let both = || vec![Kind::Halted, Kind::Adopted];
        assert_eq!(places(Query { kinds: both(), ..Query::default() }).await, seqs);
        let newest = Query { kinds: both(), is_newest_first: true, limit: 2, ..Query::default() };
        assert_eq!(places(newest).await, [seqs[2], seqs[1]]);
    }
}

#[tokio::test]
async fn a_ticket_is_the_receipt_of_its_entry() {
    for keeper in keepers() {
        let journal = keeper.open();
        let body = Body::Ticketed { plan: Box::new(plan("d")) };
        let ticket = journal.ticket(entry("sessions", 1, body.clone()), plan("d")).await.unwrap();
        let all = keeper.open().read(Query::default()).await.unwrap();
        assert_eq!((all[0].seq, &all[0].body), (ticket.seq(), &body));
        assert_eq!(*ticket.plan(), plan("d"));
    }
}

#[tokio::test]
async fn an_intent_stands_behind_what_it_follows_from() {
    for keeper in keepers() {
        let journal = keeper.open();
        let intent = entry("sessions", 1, Body::Ticketed { plan: Box::new(plan("d")) });
        let before = vec![entry("sessions", 1, halted("1")), entry("sessions", 1, halted("2"))];
        let (seqs, ticket) = journal.append_with_ticket(before, intent, plan("d")).await.unwrap();
        let all = keeper.open().read(Query::default()).await.unwrap();
        let places: Vec<u64> = all.iter().map(|entry| entry.seq).collect();
        assert_eq!(places, [seqs[0], seqs[1], ticket.seq()]);
        assert_eq!(all[2].body.kind(), Kind::Ticketed);
        assert_eq!(seqs.len(), 2);
    }
}

#[tokio::test]
async fn only_old_notifications_are_dropped_from_memory() {
    let journal = MemoryJournal::new();
    journal.append(vec![entry("s", 1, halted("the oldest"))]).await.unwrap();
    let notified = |at| entry("s", at, Body::Notified { alerts: Vec::new() });
    journal.append((0..100_002).map(notified).collect()).await.unwrap();
    let first = Query { kinds: vec![Kind::Notified], limit: 1, ..Query::default() };
    assert_eq!(journal.read(first).await.unwrap()[0].at_unix_ms, 2, "the newest stay");
    assert!(journal.newest(Kind::Halted, |entry| entry.seq == 1).is_some());
    let mut seen = 0;
    journal.each(Kind::Notified, |_| seen += 1);
    assert_eq!(seen, 100_000);
}

#[tokio::test]
async fn only_old_decisions_are_dropped() {
    let folder = folder();
    let journal = open(&folder);
    journal.append(vec![entry("s", 1, halted("the oldest"))]).await.unwrap();
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100998) \
               INSERT INTO entries (at_ms, last_ms, service, kind, body) SELECT i, i, 's', 'decided', '{}' FROM n";
    raw(&folder).execute(sql, []).unwrap();
    let count = |kind: &str| -> i64 {
        let sql = "SELECT count(*) FROM entries WHERE kind = ?1";
        raw(&folder).query_row(sql, [kind], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("decided"), 100_998);
    let seqs = journal.append(vec![entry("s", 1, halted("the newest"))]).await.unwrap();
    assert_eq!(seqs, [101_000]);
    assert_eq!(count("decided"), 100_000, "the newest stay");
    let kept = Query { kinds: vec![Kind::Halted], ..Query::default() };
    assert_eq!(whys(&journal.read(kept).await.unwrap()), ["the oldest", "the newest"]);
}
