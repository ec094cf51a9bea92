//! The zone on disk: one row for each record with its fence, and one serial number that rises with every change.
//!
//! Another process may write too, so a change is one immediate transaction, and [`ZoneStore::version`] tells when to reload.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::act::dns::{DnsError, RecordChange};
use crate::act::swap::describe;
use crate::types::{RecordName, RecordState, RecordType, ResourceSet};

/// The shape of the file, in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 1;
/// Wait for another writer; every transaction here takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
const SCHEMA: &str = "
    CREATE TABLE zone (one INTEGER PRIMARY KEY CHECK (one = 1), serial INTEGER NOT NULL) STRICT;
    INSERT INTO zone VALUES (1, 1);
    CREATE TABLE record (name TEXT PRIMARY KEY, kind TEXT NOT NULL, record TEXT, fence TEXT) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;";

/// What goes wrong with the zone's file.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// The database refuses.
    #[error("the zone's file cannot be {0}")]
    Sqlite(&'static str, #[source] rusqlite::Error),
    /// A commit failed in a way that may have left it on disk.
    #[error("the zone's file may or may not hold the change")]
    Commit(#[source] rusqlite::Error),
    /// The file is damaged.
    #[error("the zone's file is damaged: {0}")]
    Damaged(String),
    /// There is no file that can be used.
    #[error("the zone's file could not be opened")]
    Shut,
    /// The file was made by another version of this program.
    #[error("the zone's file has version {0}, which this program does not know")]
    Version(i64),
    /// A row cannot be understood.
    #[error("the zone's row of {name} is damaged")]
    Row {
        /// The name.
        name: RecordName,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The row is of another type than the configuration says.
    #[error("{name} is held as {held}, but configured as {configured}")]
    Kind {
        /// The name.
        name: RecordName,
        /// The stored type.
        held: String,
        /// The configured type.
        configured: &'static str,
    },
    /// The row is not as expected.
    #[error("{name}: {}", describe(held))]
    Conflict {
        /// The name.
        name: RecordName,
        /// What the store holds.
        held: Box<RecordState>,
    },
}

impl From<StoreError> for DnsError {
    fn from(error: StoreError) -> Self {
        let detail = crate::act::dns::wire::chain(&error);
        match error {
            StoreError::Sqlite(_, rusqlite::Error::SqliteFailure(cause, _))
                if matches!(cause.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
            {
                Self::Throttled { detail }
            }
            StoreError::Sqlite(..) | StoreError::Damaged(_) | StoreError::Shut => {
                Self::Unavailable { detail }
            }
            StoreError::Commit(_) => Self::Unknown { detail },
            StoreError::Version(_) | StoreError::Row { .. } | StoreError::Kind { .. } => {
                Self::Misconfigured { detail }
            }
            StoreError::Conflict { .. } => Self::Conflict { detail },
        }
    }
}

impl StoreError {
    /// Whether the file itself is broken, so that no later try can use it.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Sqlite(_, cause) | Self::Commit(cause) => {
                matches!(
                    cause.sqlite_error_code(),
                    Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
                )
            }
            Self::Shut | Self::Version(_) | Self::Row { .. } | Self::Kind { .. } | Self::Conflict { .. } => {
                false
            }
        }
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct ZoneStore {
    connection: Connection,
}

impl ZoneStore {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = |error| StoreError::Sqlite("opened", error);
        // `redrover adopt` may come before the first `redrover run`. Where this fails, opening fails, and says more.
        let _ = path.parent().map(std::fs::create_dir_all);
        let mut connection = Connection::open(path).map_err(opened)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(opened)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(opened)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(opened)?;
        let behavior = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(behavior).map_err(opened)?;
        let version: i64 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opened)?;
        match version {
            SCHEMA_VERSION => {}
            0 => transaction.execute_batch(SCHEMA).map_err(opened)?,
            other => return Err(StoreError::Version(other)),
        }
        transaction.commit().map_err(opened)?;
        Ok(Self { connection })
    }

    /// Opens the file, or makes it, after reading every page of it once.
    pub(super) fn open_sound(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open(path)?;
        let said: Result<String, _> =
            store.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        match said {
            Ok(said) if said == "ok" => Ok(store),
            Ok(detail) => Err(StoreError::Damaged(detail)),
            Err(error) => Err(StoreError::Sqlite("checked", error)),
        }
    }

    /// Opens the file to read it once, and creates nothing: where there is no file, the zone holds nothing.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let opened = |error| StoreError::Sqlite("opened", error);
        if !path.exists() {
            let connection = Connection::open_in_memory().map_err(opened)?;
            connection.execute_batch(SCHEMA).map_err(opened)?;
            return Ok(Self { connection });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match immutable(path) {
            Some(url) => Connection::open_with_flags(url.as_str(), flags | OpenFlags::SQLITE_OPEN_URI),
            None => Connection::open_with_flags(path, flags),
        };
        let connection = connection.map_err(opened)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(opened)?;
        match connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opened)? {
            SCHEMA_VERSION => Ok(Self { connection }),
            other => Err(StoreError::Version(other)),
        }
    }

    /// A number that changes whenever another connection has changed the file.
    pub(super) fn version(&self) -> Result<i64, StoreError> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| StoreError::Sqlite("asked for its version", error))
    }

    /// The serial number of the last change.
    pub(super) fn serial(&self) -> Result<u64, StoreError> {
        serial(&self.connection)
    }

    /// What is held under a name; a name without a row holds nothing.
    pub(super) fn read(&self, name: &RecordName, kind: RecordType) -> Result<RecordState, StoreError> {
        read(&self.connection, name, kind)
    }

    /// Replaces what is expected by what is wanted, durably, and returns the new serial number.
    pub(super) fn change(
        &mut self,
        name: &RecordName,
        kind: RecordType,
        change: &RecordChange,
    ) -> Result<u64, StoreError> {
        let written = |error| StoreError::Sqlite("written", error);
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(written)?;
        let held = read(&transaction, name, kind)?;
        if held != change.expected {
            return Err(StoreError::Conflict { name: name.clone(), held: Box::new(held) });
        }
        let text = |set: &Option<ResourceSet>| {
            let text = set.as_ref().map(serde_json::to_string).transpose();
            text.map_err(|source| StoreError::Row { name: name.clone(), source })
        };
        transaction
            .execute(
                "INSERT INTO record VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET record = ?3, fence = ?4",
                params![
                    name.as_str(),
                    kind.as_str(),
                    text(&change.wanted.record)?,
                    text(&change.wanted.fence)?
                ],
            )
            .map_err(written)?;
        transaction.execute("UPDATE zone SET serial = serial + 1", []).map_err(written)?;
        let serial = serial(&transaction)?;
        transaction.commit().map_err(StoreError::Commit)?;
        Ok(serial)
    }
}

/// A file that no agent has open has no log beside it, and is read as it stands: SQLite would create a log otherwise,
/// and leave it there. `None` where there is one.
fn immutable(path: &Path) -> Option<url::Url> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return None;
    }
    let mut url = url::Url::from_file_path(std::path::absolute(path).ok()?).ok()?;
    url.set_query(Some("immutable=1"));
    Some(url)
}

fn serial(connection: &Connection) -> Result<u64, StoreError> {
    let serial: i64 = connection
        .query_row("SELECT serial FROM zone", [], |row| row.get(0))
        .map_err(|error| StoreError::Sqlite("read", error))?;
    Ok(serial.unsigned_abs())
}

fn read(connection: &Connection, name: &RecordName, kind: RecordType) -> Result<RecordState, StoreError> {
    type Row = (String, Option<String>, Option<String>);
    let row: Option<Row> = connection
        .query_row("SELECT kind, record, fence FROM record WHERE name = ?1", [name.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()
        .map_err(|error| StoreError::Sqlite("read", error))?;
    let Some((held, record, fence)) = row else {
        return Ok(RecordState { record: None, fence: None });
    };
    if held != kind.as_str() {
        return Err(StoreError::Kind { name: name.clone(), held, configured: kind.as_str() });
    }
    let set = |text: Option<String>| {
        let set = text.map(|text| serde_json::from_str::<ResourceSet>(&text)).transpose();
        set.map_err(|source| StoreError::Row { name: name.clone(), source })
    };
    Ok(RecordState { record: set(record)?, fence: set(fence)? })
}
