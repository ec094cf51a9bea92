//! The outbox: messages that wait to be delivered, in the journal's file. They are put in together with the place in the
//! journal up to which messages were made, so that no entry is told twice and none is forgotten.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};

use super::sqlite::to_sql;
use super::{JournalError, SqliteJournal};

/// Letters that may wait; of more, the oldest of the lowest rank are dropped.
const WAITING_MAX: i64 = 2_000;
/// Letters kept after their end, for those who ask what was sent.
const SETTLED_MAX: i64 = 2_000;

/// A letter to be put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLetter {
    /// Whom it goes to.
    pub channel: String,
    /// Letters of one key to one channel are delivered in their order.
    pub key: String,
    /// The higher, the sooner it is delivered, and the later it is dropped.
    pub rank: u8,
    /// When it was made, Unix milliseconds.
    pub made_unix_ms: i64,
    /// What it says.
    pub body: String,
}

/// A letter that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its place.
    pub id: u64,
    /// Whom it goes to.
    pub channel: String,
    /// When it was made, Unix milliseconds.
    pub made_unix_ms: i64,
    /// How often its delivery has failed.
    pub tries: u32,
    /// What it says.
    pub body: String,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// The other side has taken it.
    Delivered,
    /// The other side will never take it.
    Refused,
    /// It was tried for too long.
    Expired,
    /// A person has asked for silence.
    Silenced,
    /// Too many were waiting, or its channel is gone.
    Dropped,
}

impl Fate {
    /// All fates.
    pub const ALL: [Self; 5] = [Self::Delivered, Self::Refused, Self::Expired, Self::Silenced, Self::Dropped];

    /// The fate as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Silenced => "silenced",
            Self::Dropped => "dropped",
        }
    }
}

/// The outbox in the journal's file.
#[derive(Debug, Clone)]
pub struct Outbox {
    journal: SqliteJournal,
}

impl SqliteJournal {
    /// The outbox in this journal's file.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox { journal: self.clone() }
    }
}

fn written(source: rusqlite::Error) -> JournalError {
    JournalError::Write { source }
}

fn read(source: rusqlite::Error) -> JournalError {
    JournalError::Read { source }
}

impl Outbox {
    /// The desk and the entry up to which it was told. Without one, an empty desk at the journal's end: what happened
    /// before there was anybody to tell is no news.
    ///
    /// # Errors
    /// The file cannot be read, or written.
    pub async fn desk(&self, empty: String) -> Result<(u64, String), JournalError> {
        let work = move |connection: &mut Connection| {
            let known = "SELECT seq, body FROM desk";
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
            let found = connection.query_row(known, [], row).optional().map_err(read)?;
            let (seq, body) = match found {
                Some(found) => found,
                None => {
                    let begin = "INSERT INTO desk (id, seq, body) \
                                 SELECT 1, COALESCE(MAX(seq), 0), ?1 FROM entries";
                    connection.execute(begin, [empty]).map_err(written)?;
                    connection.query_row(known, [], row).map_err(read)?
                }
            };
            Ok((u64::try_from(seq).unwrap_or(0), body))
        };
        self.journal.with(work).await
    }

    /// Forgets the desk: there is nobody to tell.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn close_desk(&self) -> Result<(), JournalError> {
        let work = |connection: &mut Connection| {
            connection.execute("DELETE FROM desk", []).map_err(written)?;
            Ok(())
        };
        self.journal.with(work).await
    }

    /// Writes the desk and puts letters in, in one durable transaction. Returns how many waiting ones had to be dropped
    /// for them, by channel.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn put(
        &self,
        seq: u64,
        desk: String,
        letters: Vec<NewLetter>,
    ) -> Result<BTreeMap<String, u64>, JournalError> {
        self.journal.with(move |connection| put(connection, seq, &desk, &letters).map_err(written)).await
    }

    /// The next letter to a channel that is due: the highest rank first, but never before an earlier one of its key.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&self, channel: String, now_unix_ms: i64) -> Result<Option<Letter>, JournalError> {
        let sql = "SELECT id, channel, made_ms, tries, body FROM outbox AS o \
                   WHERE fate IS NULL AND channel = ?1 AND due_ms <= ?2 AND NOT EXISTS (SELECT 1 FROM outbox AS e \
                   WHERE e.fate IS NULL AND e.channel = o.channel AND e.key = o.key AND e.id < o.id) \
                   ORDER BY rank DESC, id LIMIT 1";
        let work = move |connection: &mut Connection| {
            connection.query_row(sql, (channel, now_unix_ms), letter).optional().map_err(read)
        };
        self.journal.with(work).await
    }

    /// Puts a letter off after a delivery that failed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn put_off(&self, id: u64, due_unix_ms: i64) -> Result<(), JournalError> {
        let sql = "UPDATE outbox SET tries = tries + 1, due_ms = ?2 WHERE id = ?1 AND fate IS NULL";
        let work = move |connection: &mut Connection| {
            connection.execute(sql, (to_sql(id), due_unix_ms)).map_err(written)?;
            Ok(())
        };
        self.journal.with(work).await
    }

    /// Marks what became of a letter.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn settle(&self, id: u64, fate: Fate, now_unix_ms: i64) -> Result<(), JournalError> {
        let work = move |connection: &mut Connection| {
            let sql = "UPDATE outbox SET fate = ?2, fate_ms = ?3 WHERE id = ?1 AND fate IS NULL";
            connection.execute(sql, (to_sql(id), fate.as_str(), now_unix_ms)).map_err(written)?;
            Ok(())
        };
        self.journal.with(work).await
    }

    /// How many letters wait, by channel.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn waiting(&self) -> Result<BTreeMap<String, u64>, JournalError> {
        let work = |connection: &mut Connection| {
            let sql = "SELECT channel, COUNT(*) FROM outbox WHERE fate IS NULL GROUP BY channel";
            counts(connection, sql).map_err(read)
        };
        self.journal.with(work).await
    }

    /// Drops what waits for channels that are not among these; returns how many, by channel.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn keep_channels(
        &self,
        channels: Vec<String>,
        now_unix_ms: i64,
    ) -> Result<BTreeMap<String, u64>, JournalError> {
        let work = move |connection: &mut Connection| {
            let sql = "SELECT channel, COUNT(*) FROM outbox WHERE fate IS NULL GROUP BY channel";
            let mut gone = counts(connection, sql).map_err(read)?;
            gone.retain(|channel, _| !channels.contains(channel));
            for channel in gone.keys() {
                let sql = "UPDATE outbox SET fate = ?2, fate_ms = ?3 WHERE channel = ?1 AND fate IS NULL";
                connection.execute(sql, (channel, Fate::Dropped.as_str(), now_unix_ms)).map_err(written)?;
            }
            Ok(gone)
        };
        self.journal.with(work).await
    }
}

fn letter(row: &Row<'_>) -> rusqlite::Result<Letter> {
    Ok(Letter {
        id: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        channel: row.get(1)?,
        made_unix_ms: row.get(2)?,
        tries: row.get(3)?,
        body: row.get(4)?,
    })
}

fn counts(connection: &Connection, sql: &str) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| row.map(|(channel, count)| (channel, u64::try_from(count).unwrap_or(0)))).collect()
}

fn put(
    connection: &mut Connection,
    seq: u64,
    desk: &str,
    letters: &[NewLetter],
) -> rusqlite::Result<BTreeMap<String, u64>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // An update to what stands there already writes nothing, and says nothing of whether anything could be written.
    transaction.execute("DELETE FROM desk", [])?;
    transaction.execute("INSERT INTO desk (id, seq, body) VALUES (1, ?1, ?2)", (to_sql(seq), desk))?;
    for letter in letters {
        transaction.execute(
            "INSERT INTO outbox (channel, key, rank, made_ms, due_ms, body) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
            (&letter.channel, &letter.key, letter.rank, letter.made_unix_ms, &letter.body),
        )?;
    }
    let mut dropped = BTreeMap::new();
    if !letters.is_empty() {
        dropped = make_room(&transaction)?;
    }
    transaction.commit()?;
    Ok(dropped)
}

/// Drops what is too much of the waiting ones, and forgets what is too much of the settled ones.
fn make_room(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let sql = "UPDATE outbox SET fate = 'dropped', fate_ms = made_ms WHERE id IN \
               (SELECT id FROM outbox WHERE fate IS NULL ORDER BY rank, id \
               LIMIT MAX(0, (SELECT COUNT(*) FROM outbox WHERE fate IS NULL) - ?1)) RETURNING channel";
    let mut dropped = BTreeMap::new();
    let mut statement = connection.prepare_cached(sql)?;
    for channel in statement.query_map([WAITING_MAX], |row| row.get::<_, String>(0))? {
        *dropped.entry(channel?).or_insert(0) += 1;
    }
    let sql = "DELETE FROM outbox WHERE fate IS NOT NULL AND id <= \
               (SELECT id FROM outbox WHERE fate IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?1)";
    connection.execute(sql, [SETTLED_MAX])?;
    Ok(dropped)
}
