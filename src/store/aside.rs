//! A journal that is damaged when the agent starts is moved aside, and an empty one begins: an agent that knows nothing
//! of its fences only observes, which is more than no agent at all. Only the agent does this, never a reader.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode};

use super::{JournalError, SqliteJournal};
use crate::types::Moment;

/// What SQLite keeps beside the file, before the file itself: a log that stayed behind would be read into the new one.
const PARTS: [&str; 3] = ["-wal", "-shm", ""];

impl SqliteJournal {
    /// Opens the journal in a folder for its agent, which holds the folder's lock. Creates and migrates it as needed; a
    /// damaged file is moved aside under a name with the time.
    ///
    /// # Errors
    /// The folder or file cannot be used, or the file is of a later version, or it cannot be moved.
    pub(super) fn connect_or_begin_anew(directory: &Path, now: Moment) -> Result<Connection, JournalError> {
        let (connection, path) = Self::connect(directory)?;
        let damage = match sound(&connection, &path).and_then(|()| Self::prepare(connection, &path)) {
            Err(error) if is_damage(&error) => error,
            opened => return opened,
        };
        let aside = move_aside(&path, now)?;
        tracing::error!(journal = %path.display(), aside = %aside.display(),
            error = &damage as &dyn std::error::Error,
            "the journal is damaged and was moved aside; an empty one begins, and every service is only observed until \
             `redrover ack`");
        let (connection, path) = Self::connect(directory)?;
        Self::prepare(connection, &path)
    }
}

/// Reads every page once.
fn sound(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let said: Result<String, _> = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match said {
        Ok(said) if said == "ok" => Ok(()),
        Ok(detail) => Err(JournalError::Damaged { path: path.to_owned(), detail }),
        Err(source) => Err(JournalError::Open { path: path.to_owned(), source }),
    }
}

fn is_damage(error: &JournalError) -> bool {
    match error {
        JournalError::Damaged { .. } => true,
        JournalError::Open { source, .. } => {
            // Unknown is a mistake in SQL: the tables are not those that the file's version promises.
            let code = source.sqlite_error_code();
            matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown))
        }
        JournalError::Absent { .. }
        | JournalError::Directory { .. }
        | JournalError::Aside { .. }
        | JournalError::Lock { .. }
        | JournalError::Held { .. }
        | JournalError::Shut { .. }
        | JournalError::Version { .. }
        | JournalError::Older { .. }
        | JournalError::Write { .. }
        | JournalError::Read { .. }
        | JournalError::Entry { .. }
        | JournalError::Busy { .. }
        | JournalError::Overdue { .. }
        | JournalError::Worker => false,
    }
}

/// Gives a damaged file of SQLite, and what belongs to it, a name with the time; returns that.
///
/// # Errors
/// It cannot be renamed.
pub fn move_aside(path: &Path, now: Moment) -> Result<PathBuf, JournalError> {
    let since = Duration::from_millis(u64::try_from(now.unix_ms()).unwrap_or(0));
    // Without colons, which other systems do not take in a name.
    let time = humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string().replace(':', "-");
    let aside = with_suffix(path, &format!(".damaged-{time}"));
    for part in PARTS {
        let (from, to) = (with_suffix(path, part), with_suffix(&aside, part));
        match std::fs::rename(&from, &to) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound || part.is_empty() => {
                return Err(JournalError::Aside { from, to, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
