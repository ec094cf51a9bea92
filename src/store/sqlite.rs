//! The journal in an SQLite file: write-ahead log, `synchronous=FULL`, one writer, migrations counted in `user_version`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, Row, TransactionBehavior, params_from_iter, types::Value};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::agent::{Slot, lock};
use super::write::{anchor_all, append};
use super::{Body, Entry, Journal, JournalError, NewEntry, Query, Ticket};
use crate::decide::Plan;
use crate::types::ServiceName;

/// The schemas, oldest first; the file's `user_version` counts how many were applied.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
];
/// From this schema on, whatever was dropped has an anchor.
const ANCHORED: usize = 4;
/// How long a write waits for another process, such as an operator's command.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// A call has so long, its turn included: a durable write takes milliseconds, and [`BUSY_TIMEOUT`] beside another
/// process. A disk that needs longer is one to promise nothing on.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// The journal in an SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteJournal {
    pub(super) slot: Arc<Mutex<Slot>>,
}

impl SqliteJournal {
    /// Opens the journal in a folder, creating and migrating it as needed; not under the hands of an agent that runs.
    ///
    /// # Errors
    /// The folder or file cannot be used, or the file is of a later version; [`JournalError::Older`] where an agent runs.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let (connection, path) = Self::connect(directory)?;
        let found =
            applied(&connection).map_err(|source| JournalError::Open { path: path.clone(), source })?;
        let _alone = match (1..MIGRATIONS.len()).contains(&found) {
            true => match lock(directory) {
                Err(JournalError::Held { .. }) => {
                    return Err(JournalError::Older { path, found, known: MIGRATIONS.len() });
                }
                alone => Some(alone?),
            },
            false => None,
        };
        Self::prepare(connection, &path).map(|connection| Self::of(Slot::Open { connection, _lock: None }))
    }

    pub(super) fn connect(directory: &Path) -> Result<(Connection, PathBuf), JournalError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| JournalError::Directory { path: directory.to_owned(), source })?;
        let path = directory.join("journal.db");
        let open = |source| JournalError::Open { path: path.clone(), source };
        let connection = Connection::open(&path).map_err(open)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
        Ok((connection, path))
    }

    /// Opens the journal of an agent that has run in this folder.
    ///
    /// # Errors
    /// There is none, or as [`SqliteJournal::open`].
    pub fn open_existing(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join("journal.db");
        if path.exists() { Self::open(directory) } else { Err(JournalError::Absent { path }) }
    }

    /// Opens an existing journal for reading only.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open_read_only(directory: &Path) -> Result<Self, JournalError> {
        let connection = Self::connect_read_only(directory)?;
        Ok(Self::of(Slot::Open { connection, _lock: None }))
    }

    pub(super) fn connect_read_only(directory: &Path) -> Result<Connection, JournalError> {
        let path = directory.join("journal.db");
        if !path.exists() {
            return Err(JournalError::Absent { path });
        }
        let open = |source| JournalError::Open { path: path.clone(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(open)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
        Ok(connection)
    }

    pub(super) fn prepare(mut connection: Connection, path: &Path) -> Result<Connection, JournalError> {
        let open = |source| JournalError::Open { path: path.to_owned(), source };
        connection.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(open)?;
        let found = user_version(&transaction).map_err(open)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let applied = usize::try_from(found).unwrap_or(usize::MAX);
        if applied > MIGRATIONS.len() {
            return Err(JournalError::Version { found, known });
        }
        for migration in &MIGRATIONS[applied..] {
            transaction.execute_batch(migration).map_err(open)?;
        }
        if applied < ANCHORED {
            anchor_all(&transaction).map_err(open)?;
        }
        transaction.pragma_update(None, "user_version", known).map_err(open)?;
        transaction.commit().map_err(open)?;
        Ok(connection)
    }

    /// Works on a thread of its own, one call after the other in the order of their coming. Work that has begun keeps
    /// the connection until it is done, also when nobody waits any more: so nothing overtakes a late write, and no
    /// more than one thread hangs on a broken disk.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (end, limit) = (Instant::now() + CALL_LIMIT, CALL_LIMIT);
        let turn = timeout_at(end, Arc::clone(&self.slot).lock_owned());
        let Ok(mut slot) = turn.await else { return Err(JournalError::Busy { limit }) };
        // A panic leaves an unfinished transaction, which SQLite has rolled back.
        let worker = tokio::task::spawn_blocking(move || work(slot.connection()?));
        match timeout_at(end, worker).await {
            Ok(done) => done.unwrap_or(Err(JournalError::Worker)),
            Err(_) => Err(JournalError::Overdue { limit }),
        }
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<u64>, JournalError> {
        self.with(move |connection| append(connection, &entries)).await
    }

    async fn ticket(&self, entry: NewEntry, plan: Plan) -> Result<Ticket, JournalError> {
        let seqs = self.append(vec![entry]).await?;
        let seq = seqs.first().copied().ok_or(JournalError::Worker)?;
        Ok(Ticket::new(seq, plan))
    }

    async fn append_with_ticket(
        &self,
        mut entries: Vec<NewEntry>,
        intent: NewEntry,
        plan: Plan,
    ) -> Result<(Vec<u64>, Ticket), JournalError> {
        entries.push(intent);
        let mut seqs = self.append(entries).await?;
        let seq = seqs.pop().ok_or(JournalError::Worker)?;
        Ok((seqs, Ticket::new(seq, plan)))
    }

    async fn repeat(&self, seq: u64, at_unix_ms: i64) -> Result<(), JournalError> {
        self.with(move |connection| {
            let sql = "UPDATE entries SET count = count + 1, last_ms = ?2 WHERE seq = ?1";
            // As durable as any entry: a disk that fails is noticed in calm times, and somebody else leads before it counts.
            let counted = connection.execute(sql, (to_sql(seq), at_unix_ms));
            counted.map(drop).map_err(|source| JournalError::Write { source })
        })
        .await
    }

    async fn read(&self, query: Query) -> Result<Vec<Entry>, JournalError> {
        self.with(move |connection| read_entries(connection, &query)).await
    }
}

fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// How many of the schemas a file has; more than there are where it is of no known version.
fn applied(connection: &Connection) -> rusqlite::Result<usize> {
    user_version(connection).map(|found| usize::try_from(found).unwrap_or(usize::MAX))
}

pub(super) fn to_sql(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Reads entries.
pub(super) fn read_entries(connection: &Connection, query: &Query) -> Result<Vec<Entry>, JournalError> {
    let failed = |source| JournalError::Read { source };
    let mut sql =
        "SELECT seq, at_ms, last_ms, count, service, incident, body FROM entries WHERE seq > ?".to_owned();
    let mut values = vec![Value::Integer(to_sql(query.after))];
    if let Some(service) = &query.service {
        sql.push_str(" AND service = ?");
        values.push(Value::Text(service.as_str().to_owned()));
    }
    if !query.kinds.is_empty() {
        sql.push_str(" AND kind IN (");
        sql.push_str(&vec!["?"; query.kinds.len()].join(", "));
        sql.push(')');
        values.extend(query.kinds.iter().map(|kind| Value::Text(kind.as_str().to_owned())));
    }
    sql.push_str(if query.is_newest_first { " ORDER BY seq DESC LIMIT ?" } else { " ORDER BY seq LIMIT ?" });
    values.push(Value::Integer(i64::try_from(query.limit()).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

fn entry(row: &Row<'_>) -> Result<Entry, JournalError> {
    let failed = |source| JournalError::Read { source };
    let seq = u64::try_from(row.get::<_, i64>(0).map_err(failed)?).unwrap_or(0);
    let not_understood = |source| JournalError::Entry { seq, source };
    let text: String = row.get(6).map_err(failed)?;
    let service: String = row.get(4).map_err(failed)?;
    let service = match ServiceName::agent() {
        agent if agent.as_str() == service => agent,
        _ => ServiceName::new(service).map_err(|e| not_understood(serde::de::Error::custom(e)))?,
    };
    let body: Body = serde_json::from_str(&text).map_err(not_understood)?;
    Ok(Entry {
        seq,
        at_unix_ms: row.get(1).map_err(failed)?,
        last_unix_ms: row.get(2).map_err(failed)?,
        count: u64::try_from(row.get::<_, i64>(3).map_err(failed)?).unwrap_or(0),
        service,
        incident: row.get(5).map_err(failed)?,
        body,
    })
}

#[cfg(test)]
impl SqliteJournal {
    /// A setting of the connection, for tests.
    pub(super) fn pragma(&self, name: &str) -> i64 {
        let mut slot = self.slot.try_lock().unwrap();
        slot.connection().unwrap().pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    /// Waits for other processes for longer than any call may take, as a broken disk would make it.
    pub(crate) fn never_give_up(&self) {
        let mut slot = self.slot.try_lock().unwrap();
        slot.connection().unwrap().busy_timeout(CALL_LIMIT * 100).unwrap();
    }
}
