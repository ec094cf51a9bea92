//! A damaged journal at the start of the agent.

use std::fs;
use std::path::Path;

use super::*;
use crate::store::agent::Slot;
use crate::store::aside::move_aside;

const NOW: Moment = Moment { mono: Duration::ZERO, wall: Duration::from_millis(1_700_000_000_123) };
const ASIDE: &str = "journal.db.damaged-2023-11-14T22-13-20.123Z";
const PAGE_BYTES: usize = 4096;

fn open_or_begin_anew(directory: &Path, now: Moment) -> Result<SqliteJournal, JournalError> {
    let connection = SqliteJournal::connect_or_begin_anew(directory, now)?;
    Ok(SqliteJournal::of(Slot::Open { connection, _lock: None }))
}

type Damage = fn(&mut Vec<u8>);

/// A closed journal of many pages.
async fn filled(folder: &TempDir) -> Vec<u8> {
    let journal = open(folder);
    let entries = (0..500).map(|at| entry("s", at, halted(&"word ".repeat(20)))).collect();
    journal.append(entries).await.unwrap();
    drop(journal);
    let bytes = fs::read(folder.path().join("journal.db")).unwrap();
    assert!(bytes.len() > 21 * PAGE_BYTES);
    bytes
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn flip(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte ^= 0xa5);
}

#[tokio::test]
async fn a_damaged_journal_is_moved_aside_and_an_empty_one_begins() {
    let rows: [(&str, Damage); 5] = [
        ("no database", |bytes| flip(&mut bytes[..16])),
        ("the first page", |bytes| flip(&mut bytes[100..PAGE_BYTES])),
        ("pages in the middle", |bytes| flip(&mut bytes[10 * PAGE_BYTES..20 * PAGE_BYTES])),
        ("cut short", |bytes| bytes.truncate(3 * PAGE_BYTES)),
        ("nothing but noise", |bytes| *bytes = b"noise ".repeat(2000)),
    ];
    for (what, damage) in rows {
        let folder = folder();
        let mut bytes = filled(&folder).await;
        damage(&mut bytes);
        fs::write(folder.path().join("journal.db"), &bytes).unwrap();

        // Whoever only reads leaves it where it is.
        let read = match SqliteJournal::open_read_only(folder.path()) {
            Ok(journal) => journal.read(Query::default()).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "{what}");
        assert_eq!(fs::read(folder.path().join("journal.db")).unwrap(), bytes, "{what}");

        let journal = open_or_begin_anew(folder.path(), NOW).unwrap();
        assert_eq!(fs::read(folder.path().join(ASIDE)).unwrap(), bytes, "{what}: for a person to look at");
        assert_eq!(journal.read(Query::default()).await.unwrap(), [], "{what}");
        journal.append(vec![entry("s", 1, halted("new"))]).await.unwrap();
        drop(journal);
        let again = open_or_begin_anew(folder.path(), NOW).unwrap();
        assert_eq!(whys(&again.read(Query::default()).await.unwrap()), ["new"], "{what}");
    }
}

#[test]
fn what_belongs_to_the_file_goes_with_it() {
    let folder = folder();
    for part in ["", "-wal", "-shm"] {
        fs::write(folder.path().join(format!("journal.db{part}")), part).unwrap();
    }
    let aside = move_aside(&folder.path().join("journal.db"), NOW).unwrap();
    assert_eq!(aside, folder.path().join(ASIDE));
    // SQLite finds the parts by these names.
    assert_eq!(names(folder.path()), ["", "-shm", "-wal"].map(|part| format!("{ASIDE}{part}")));
    assert_eq!(fs::read(folder.path().join(format!("{ASIDE}-wal"))).unwrap(), b"-wal");
}

/// After a crash there is a log beside the file: read into the new file it would be another damage.
#[tokio::test]
async fn the_log_of_a_damaged_file_never_meets_the_new_one() {
    let folder = folder();
    filled(&folder).await;
    let path = folder.path().join("journal.db");
    let log_path = folder.path().join("journal.db-wal");
    let journal = open(&folder);
    journal.append(vec![entry("s", 1, halted("in the log only"))]).await.unwrap();
    let (mut bytes, log) = (fs::read(&path).unwrap(), fs::read(&log_path).unwrap());
    drop(journal);
    flip(&mut bytes[10 * PAGE_BYTES..11 * PAGE_BYTES]);
    for (bytes, log) in [(bytes, log), (b"noise ".repeat(2000), b"noise".to_vec())] {
        fs::write(&path, &bytes).unwrap();
        fs::write(&log_path, &log).unwrap();
        fs::write(folder.path().join("journal.db-shm"), b"left behind").unwrap();
        let journal = open_or_begin_anew(folder.path(), NOW).unwrap();
        assert_eq!(journal.read(Query::default()).await.unwrap(), []);
        drop(journal);
        let beside: Vec<_> = names(folder.path()).into_iter().filter(|n| !n.starts_with(ASIDE)).collect();
        assert_eq!(beside, ["journal.db"], "{:?}", names(folder.path()));
        assert!(folder.path().join(ASIDE).exists());
        fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn a_sound_journal_and_one_of_a_later_version_stay() {
    let folder = folder();
    filled(&folder).await;
    let journal = open_or_begin_anew(folder.path(), NOW).unwrap();
    assert_eq!(journal.read(Query::default()).await.unwrap().len(), 500);
    drop(journal);
    raw(&folder).pragma_update(None, "user_version", 99).unwrap();
    let error = open_or_begin_anew(folder.path(), NOW).unwrap_err();
    assert!(matches!(error, JournalError::Version { found: 99, .. }), "{error:?}");
    assert_eq!(names(folder.path()), ["journal.db"]);
}
