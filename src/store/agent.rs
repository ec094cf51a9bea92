//! The journal as its agent opens it: alone, and, where it cannot be opened, tried again and again until it can. An agent
//! without a journal does nothing, but it watches, and it tells people.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Mutex;

use super::{JournalError, SqliteJournal};
use crate::types::{Clock, Moment};

/// Time between two tries.
const TRY_EVERY: Duration = Duration::from_secs(5);

/// The file of a journal, open or not.
#[derive(Debug)]
pub(super) enum Slot {
    /// It is open; the lock keeps other agents out as long as it is held.
    Open {
        /// The connection.
        connection: Connection,
        /// Held by an agent.
        _lock: Option<File>,
    },
    /// It could not be opened.
    Shut(Shut),
}

/// A file that could not be opened.
pub(super) struct Shut {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    tried: Moment,
    why: Arc<JournalError>,
}

impl std::fmt::Debug for Shut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shut({}: {})", self.directory.display(), self.why)
    }
}

impl Slot {
    /// The connection; one that is not there is tried for from time to time.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, JournalError> {
        if let Self::Shut(shut) = self
            && shut.clock.now().since(shut.tried) >= TRY_EVERY
        {
            match open(&shut.directory, shut.clock.now()) {
                Ok((connection, lock)) => {
                    tracing::info!(directory = %shut.directory.display(), "the journal could be opened after all");
                    *self = Self::Open { connection, _lock: Some(lock) };
                }
                Err(error) => {
                    shut.tried = shut.clock.now();
                    shut.why = Arc::new(error);
                }
            }
        }
        match self {
            Self::Open { connection, .. } => Ok(connection),
            Self::Shut(shut) => Err(JournalError::Shut { source: Arc::clone(&shut.why) }),
        }
    }
}

impl SqliteJournal {
    /// Opens the journal in a folder for its agent, which is the only one there as long as any clone lives. Where the
    /// folder or the file cannot be used, every call fails with the reason, and opening is tried again meanwhile.
    ///
    /// # Errors
    /// [`JournalError::Held`] by another agent, or [`JournalError::Version`]: trying again would not help.
    pub fn open_for_agent(directory: &Path, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        let now = clock.now();
        let slot = match open(directory, now) {
            Ok((connection, lock)) => Slot::Open { connection, _lock: Some(lock) },
            Err(error @ (JournalError::Held { .. } | JournalError::Version { .. })) => return Err(error),
            Err(error) => {
                let reason = &error as &dyn std::error::Error;
                tracing::error!(directory = %directory.display(), error = reason,
                    "the journal cannot be opened: redrover watches, and does nothing until it can");
                Slot::Shut(Shut { directory: directory.to_owned(), clock, tried: now, why: Arc::new(error) })
            }
        };
        Ok(Self::of(slot))
    }

    pub(super) fn of(slot: Slot) -> Self {
        Self { slot: Arc::new(Mutex::new(slot)) }
    }
}

/// Two agents on one journal would each take the other's switch for one that was interrupted.
fn open(directory: &Path, now: Moment) -> Result<(Connection, File), JournalError> {
    std::fs::create_dir_all(directory)
        .map_err(|source| JournalError::Directory { path: directory.to_owned(), source })?;
    let lock = lock(directory)?;
    Ok((SqliteJournal::connect_or_begin_anew(directory, now)?, lock))
}

/// Keeps agents out of a folder for as long as the file is open.
///
/// # Errors
/// [`JournalError::Held`] by an agent that runs.
pub(super) fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join("lock");
    let lock = File::create(&path).map_err(|source| JournalError::Lock { path: path.clone(), source })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalError::Held { directory: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(JournalError::Lock { path, source }),
    }
}
