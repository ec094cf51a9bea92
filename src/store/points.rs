//! The history of measurements, in a file of its own: what happens to it never touches the journal.
//!
//! Nothing here is needed to decide anything. A file that is damaged is begun anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction};

use super::JournalError;

/// The file, in the data folder.
const FILE_NAME: &str = "metrics.db";
/// The shape of the file, in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE series (
        id      INTEGER PRIMARY KEY,
        service TEXT NOT NULL,
        site    TEXT NOT NULL,
        target  TEXT NOT NULL,
        metric  TEXT NOT NULL,
        UNIQUE (service, metric, site, target)
    ) STRICT;
    CREATE TABLE points (
        series  INTEGER NOT NULL,
        at      INTEGER NOT NULL,
        mean    REAL NOT NULL,
        most    REAL NOT NULL,
        PRIMARY KEY (series, at)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;";
/// How long a write waits for a reader that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Series that are kept at most; of further targets nothing is written.
const SERIES_MAX: i64 = 100_000;
/// Of a file that is too large, this share of its time is dropped at once.
const DROPPED_SHARE: i64 = 20;

/// Whose measurement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The service.
    pub service: String,
    /// What was measured.
    pub metric: String,
    /// The datacenter.
    pub site: String,
    /// The target.
    pub target: String,
}

/// What was measured in one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When the stretch began, Unix seconds.
    pub at: i64,
    /// The mean.
    pub mean: f64,
    /// The largest value.
    pub most: f64,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Points from before this moment are dropped, Unix seconds.
    pub oldest: i64,
    /// Largest size of the file, bytes.
    pub bytes_max: u64,
}

/// The file of measurements.
#[derive(Debug)]
pub struct PointsFile {
    path: PathBuf,
    connection: Connection,
    known: BTreeMap<SeriesKey, i64>,
}

impl PointsFile {
    /// Opens the file in a folder, or makes it; a damaged one is removed.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join(FILE_NAME);
        match Self::connect(&path) {
            Err(error) if is_damage(&error) => {
                tracing::warn!(path = %path.display(), %error, "the history of measurements is damaged and begins anew");
                for suffix in ["-wal", "-shm", ""] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(suffix);
                    // What cannot be removed makes the next line fail, and that says more.
                    let _ = std::fs::remove_file(PathBuf::from(name));
                }
                Self::connect(&path).map_err(|source| JournalError::Open { path, source })
            }
            opened => opened.map_err(|source| JournalError::Open { path, source }),
        }
    }

    fn connect(path: &Path) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A power loss may cost the last minutes: nothing rests on them, and the disk has more important work.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let transaction = connection.transaction()?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == 0 {
            transaction.execute_batch(SCHEMA)?;
        } else if found != SCHEMA_VERSION {
            // Of another version: it is as good as damaged to this one.
            return Err(damaged());
        }
        transaction.commit()?;
        Ok(Self { path: path.to_owned(), connection, known: BTreeMap::new() })
    }

    /// Writes points, and drops what is too old or too much.
    ///
    /// # Errors
    /// Nothing was written. A file that turns out to be damaged is removed by the next opening.
    pub fn write(&mut self, points: &[(SeriesKey, Point)], keep: Keep) -> Result<(), JournalError> {
        let write = |source| JournalError::Write { source };
        let transaction = self.connection.transaction().map_err(write)?;
        let mut new = BTreeMap::new();
        for (key, point) in
            points.iter().filter(|(_, point)| point.mean.is_finite() && point.most.is_finite())
        {
            let known = self.known.get(key).or(new.get(key)).copied();
            let id = match known {
                Some(id) => Some(id),
                None => id_of(&transaction, key).map_err(write)?,
            };
            let Some(id) = id else { continue };
            new.insert(key.clone(), id);
            let sql = "INSERT OR REPLACE INTO points (series, at, mean, most) VALUES (?1, ?2, ?3, ?4)";
            let mut statement = transaction.prepare_cached(sql).map_err(write)?;
            statement.execute((id, point.at, point.mean, point.most)).map_err(write)?;
        }
        let has_dropped = drop_old(&transaction, keep).map_err(write)?;
        transaction.commit().map_err(write)?;
        self.known.append(&mut new);
        if has_dropped {
            // A series without points is gone, and its number with it.
            self.known.clear();
        }
        Ok(())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads the points of a service, or of one metric of it, since a moment, in the order of series and time.
///
/// # Errors
/// There is no file, or it cannot be read.
pub fn read_points(
    directory: &Path,
    service: &str,
    metric: Option<&str>,
    since: i64,
    mut see: impl FnMut(&SeriesKey, Point),
) -> Result<(), JournalError> {
    let path = directory.join(FILE_NAME);
    if !path.exists() {
        return Err(JournalError::Absent { path });
    }
    let read = |source| JournalError::Read { source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(read)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(read)?;
    let sql = "SELECT s.metric, s.site, s.target, p.at, p.mean, p.most FROM series AS s \
               JOIN points AS p ON p.series = s.id \
               WHERE s.service = ?1 AND (?2 IS NULL OR s.metric = ?2) AND p.at >= ?3 \
               ORDER BY s.metric, s.site, s.target, p.at";
    let mut statement = connection.prepare(sql).map_err(read)?;
    let mut rows = statement.query((service, metric, since)).map_err(read)?;
    while let Some(row) = rows.next().map_err(read)? {
        let text = |place| row.get::<_, String>(place).map_err(read);
        let key =
            SeriesKey { service: service.to_owned(), metric: text(0)?, site: text(1)?, target: text(2)? };
        let number = |place| row.get::<_, f64>(place).map_err(read);
        see(&key, Point { at: row.get(3).map_err(read)?, mean: number(4)?, most: number(5)? });
    }
    Ok(())
}

/// The id of a series, which is new where there is room; `None` where there is none.
fn id_of(transaction: &Transaction<'_>, key: &SeriesKey) -> rusqlite::Result<Option<i64>> {
    let values = (&key.service, &key.metric, &key.site, &key.target);
    let sql = "SELECT id FROM series WHERE service = ?1 AND metric = ?2 AND site = ?3 AND target = ?4";
    if let Some(id) = transaction.query_row(sql, values, |row| row.get(0)).optional()? {
        return Ok(Some(id));
    }
    let count: i64 = transaction.query_row("SELECT COUNT(*) FROM series", [], |row| row.get(0))?;
    if count >= SERIES_MAX {
        return Ok(None);
    }
    let sql = "INSERT INTO series (service, metric, site, target) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, values)?;
    Ok(Some(transaction.last_insert_rowid()))
}

/// Drops what is too old; of a file that is too large, the oldest part of what remains as well. Whether anything was.
fn drop_old(transaction: &Transaction<'_>, keep: Keep) -> rusqlite::Result<bool> {
    let mut has_dropped = drop_before(transaction, keep.oldest)?;
    let number = |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let used = (number("page_count")? - number("freelist_count")?) * number("page_size")?;
    if u64::try_from(used).unwrap_or(0) > keep.bytes_max {
        let sql = "SELECT MIN(at), MAX(at) FROM points";
        let ends = transaction.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let (Some(first), Some(last)) = ends {
            let (first, last): (i64, i64) = (first, last);
            has_dropped |= drop_before(transaction, first + 1 + (last - first) / DROPPED_SHARE)?;
        }
    }
    Ok(has_dropped)
}

fn drop_before(transaction: &Transaction<'_>, oldest: i64) -> rusqlite::Result<bool> {
    // The points of a series lie in the order of time, so its oldest one is found without a search.
    let any: Option<i64> = transaction
        .query_row(
            "SELECT 1 FROM series AS s WHERE (SELECT MIN(at) FROM points WHERE series = s.id) < ?1 LIMIT 1",
            [oldest],
            |row| row.get(0),
        )
        .optional()?;
    if any.is_some() {
        // With the series named, SQLite looks at each one's beginning only.
        let sql = "DELETE FROM points WHERE at < ?1 AND series IN (SELECT id FROM series)";
        transaction.execute(sql, [oldest])?;
        let sql =
            "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM points AS p WHERE p.series = series.id)";
        transaction.execute(sql, [])?;
    }
    Ok(any.is_some())
}

fn damaged() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
    rusqlite::Error::SqliteFailure(code, None)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase | Unknown))
}
