//! What was written stays as it was written, or it shows.

use super::*;

fn flaws(folder: &TempDir) -> Vec<String> {
    verify(folder.path()).unwrap().flaws.iter().map(ToString::to_string).collect()
}

fn change(folder: &TempDir, sql: &str) {
    assert!(raw(folder).execute(sql, []).unwrap() > 0, "{sql}");
}

fn notified(at: i64) -> NewEntry {
    entry("s", at, Body::Notified { alerts: Vec::new() })
}

/// Places 1 to 6: halted, notified, halted, notified, halted, notified.
async fn written() -> TempDir {
    let folder = folder();
    let journal = open(&folder);
    for at in 0..3 {
        journal.append(vec![entry("s", at, halted("why")), notified(at)]).await.unwrap();
    }
    folder
}

#[tokio::test]
async fn an_untouched_journal_is_whole_also_when_entries_repeat_themselves() {
    let folder = written().await;
    open(&folder).repeat(2, 99).await.unwrap();
    let found = verify(folder.path()).unwrap();
    let names: Vec<&str> = found.heads.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((found.sealed, found.unsealed, found.flaws.len()), (6, 0, 0), "{found:?}");
    assert_eq!(names, ["kept", "notified"]);
}

#[tokio::test]
async fn every_change_shows_at_its_place() {
    let broken = |seq| format!("entry {seq} was changed or inserted, or one before it was removed");
    let cut = |chain, seq| format!("the entries of chain {chain} up to place {seq} are not all there");
    let rows = [
        ("UPDATE entries SET body = replace(body, 'why', 'not') WHERE seq = 3", vec![broken(3)]),
        ("UPDATE entries SET at_ms = 7 WHERE seq = 4", vec![broken(4)]),
        ("UPDATE entries SET incident = 'i' WHERE seq = 1", vec![broken(1)]),
        ("UPDATE entries SET service = 't' WHERE seq = 1", vec![broken(1)]),
        ("DELETE FROM entries WHERE seq = 3", vec![broken(5)]),
        ("DELETE FROM entries WHERE seq = 5", vec![cut("kept", 5)]),
        (
            "UPDATE chains SET start_seq = 1, start = (SELECT seal FROM entries WHERE seq = 1) WHERE name = 'kept'",
            vec![broken(1), "the oldest entries of chain kept were removed".to_owned()],
        ),
        ("DELETE FROM entries WHERE seq >= 5", vec![cut("kept", 5), cut("notified", 6)]),
        ("DELETE FROM entries", vec![cut("kept", 5), cut("notified", 6)]),
        ("UPDATE entries SET seal = NULL WHERE seq = 3", vec![broken(3)]),
        (
            "UPDATE entries SET kind = 'strange' WHERE seq = 3",
            vec!["entry 3 is not of this journal".to_owned(), broken(5)],
        ),
        ("UPDATE entries SET seq = 9 WHERE seq = 3", vec![broken(5), broken(9), cut("kept", 5)]),
        (
            "INSERT INTO entries (at_ms, last_ms, service, kind, body, seal) \
             SELECT at_ms, last_ms, service, kind, body, seal FROM entries WHERE seq = 5",
            vec![broken(7), cut("kept", 5)],
        ),
        (
            "DELETE FROM chains WHERE name = 'kept'",
            (1..=5).step_by(2).map(|seq| format!("entry {seq} is not of this journal")).collect(),
        ),
    ];
    for (sql, wanted) in rows {
        let folder = written().await;
        change(&folder, sql);
        assert_eq!(flaws(&folder), wanted, "{sql}");
    }
}

#[tokio::test]
async fn the_heads_tell_a_journal_that_was_made_anew() {
    let (one, other) = (written().await, folder());
    let journal = open(&other);
    for at in 0..3 {
        journal.append(vec![entry("s", at, halted("because")), notified(at)]).await.unwrap();
    }
    let heads = |folder: &TempDir| verify(folder.path()).unwrap().heads;
    assert_eq!(heads(&one), heads(&written().await), "the same words make the same seals");
    assert_ne!(heads(&one)[0], heads(&other)[0]);
    assert_eq!(heads(&one)[1], heads(&other)[1]);
}

#[tokio::test]
async fn what_an_earlier_version_wrote_is_counted_apart() {
    let folder = folder();
    let sql = "INSERT INTO entries (at_ms, last_ms, service, kind, body) VALUES (1, 1, 's', 'halted', '{}')";
    let journal = open(&folder);
    change(&folder, sql);
    change(&folder, sql);
    journal.append(vec![entry("s", 1, halted("1")), entry("s", 1, halted("2"))]).await.unwrap();
    let found = verify(folder.path()).unwrap();
    assert_eq!((found.sealed, found.unsealed, found.flaws.len()), (2, 2, 0), "{found:?}");
    change(&folder, sql);
    assert_eq!(
        flaws(&folder),
        [
            "entry 5 was changed or inserted, or one before it was removed",
            "the entries of chain kept up to place 4 are not all there"
        ]
    );
}

#[tokio::test]
async fn dropping_old_entries_breaks_no_chain() {
    let folder = folder();
    let journal = open(&folder);
    journal.append(vec![entry("s", 0, halted("first"))]).await.unwrap();
    let many = 101_000;
    for first in (1..many).step_by(5_000) {
        journal.append((first..many.min(first + 5_000)).map(notified).collect()).await.unwrap();
    }
    let found = verify(folder.path()).unwrap();
    assert_eq!((found.sealed, found.unsealed, found.flaws.len()), (100_002, 0, 0), "{:?}", found.flaws);
    assert_eq!((found.anchors.len(), found.anchors[0].chain.as_str()), (1, "notified"));
    journal.append(vec![notified(many)]).await.unwrap();
    assert_eq!(flaws(&folder), Vec::<String>::new());
    change(&folder, "DELETE FROM entries WHERE kind = 'notified' AND seq < 1100");
    assert_eq!(flaws(&folder), ["entry 1100 was changed or inserted, or one before it was removed"]);
}

#[tokio::test]
async fn a_journal_without_chains_gets_them() {
    let folder = folder();
    let first = raw(&folder);
    first.execute_batch(include_str!("../schema.sql")).unwrap();
    first.pragma_update(None, "user_version", 1).unwrap();
    let sql = "INSERT INTO entries (at_ms, last_ms, service, kind, body) \
               VALUES (1, 1, 's', 'halted', '{\"kind\":\"halted\",\"why\":\"before\"}')";
    first.execute(sql, []).unwrap();
    let journal = open(&folder);
    journal.append(vec![entry("s", 1, halted("after"))]).await.unwrap();
    assert_eq!(whys(&journal.read(Query::default()).await.unwrap()), ["before", "after"]);
    let found = verify(folder.path()).unwrap();
    assert_eq!((found.sealed, found.unsealed, found.flaws.len()), (1, 1, 0), "{found:?}");
}
