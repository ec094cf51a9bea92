//! The port to the journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Entry, Kind, NewEntry};
use crate::decide::Plan;
#[cfg(test)]
use crate::types::Guard;
use crate::types::ServiceName;

/// What went wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be opened or brought to the present schema.
    #[error("cannot open the journal {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The file is damaged.
    #[error("the journal {path} is damaged: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in SQLite's words.
        detail: String,
    },
    /// A damaged file could not be moved aside.
    #[error("cannot move the damaged {from} to {to}")]
    Aside {
        /// The file.
        from: PathBuf,
        /// Its new name.
        to: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file that keeps other agents out could not be made.
    #[error("cannot create {path}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Another agent has the folder.
    #[error("another agent runs on {directory}")]
    Held {
        /// The folder.
        directory: PathBuf,
    },
    /// The agent's journal could not be opened so far.
    #[error("the journal is not open")]
    Shut {
        /// The cause.
        source: Arc<JournalError>,
    },
    /// There is no journal to read.
    #[error("there is no journal at {path}: no agent has run there yet")]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file's folder could not be made.
    #[error("cannot create {path}")]
    Directory {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file was written by a later version of this program.
    #[error("the journal has schema {found}; this program knows {known} and older")]
    Version {
        /// The schema found.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// A running agent writes the file in an older schema, which it would not read any more after a migration.
    #[error(
        "the journal {path} has schema {found}, and an agent that runs writes it so; this program would make it {known}: \
         use the version of the agent, or restart the agent in this one"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The schema found.
        found: usize,
        /// The one that this program writes.
        known: usize,
    },
    /// Entries could not be made durable; none of them was written.
    #[error("cannot write to the journal")]
    Write {
        /// The cause.
        source: rusqlite::Error,
    },
    /// Entries could not be read.
    #[error("cannot read the journal")]
    Read {
        /// The cause.
        source: rusqlite::Error,
    },
    /// An entry does not say what this program understands.
    #[error("entry {seq} of the journal cannot be understood")]
    Entry {
        /// Its place; 0 for one that was about to be written.
        seq: u64,
        /// The cause.
        source: serde_json::Error,
    },
    /// Earlier calls kept the journal busy until the time was over; this one never began.
    #[error("the journal was busy for {} s; nothing was written", limit.as_secs())]
    Busy {
        /// The time there was.
        limit: Duration,
    },
    /// The call began, and there was no answer in time: what it was to write may still be written.
    #[error("the journal gave no answer within {} s; an entry may still be written", limit.as_secs())]
    Overdue {
        /// The time there was.
        limit: Duration,
    },
    /// The writing task died.
    #[error("the journal's worker is gone")]
    Worker,
}

/// The kinds that come without end, of which the newest are kept; of every other kind, all that is young enough.
pub(super) const PRUNED: [Kind; 3] = [Kind::Decided, Kind::Notified, Kind::Denied];
/// Entries kept of each of these kinds, whatever else is asked for.
pub(super) const KEPT_MAX: usize = 100_000;

/// Which entries to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Only about this service.
    pub service: Option<ServiceName>,
    /// Only of these kinds; empty means all.
    pub kinds: Vec<Kind>,
    /// Only after this place.
    pub after: u64,
    /// The newest first.
    pub is_newest_first: bool,
    /// At most so many; 0 means [`Query::LIMIT_MAX`].
    pub limit: usize,
}

impl Query {
    /// The most entries one read returns.
    pub const LIMIT_MAX: usize = 10_000;

    /// The most entries this read returns.
    pub(super) fn limit(&self) -> usize {
        if self.limit == 0 { Self::LIMIT_MAX } else { self.limit.min(Self::LIMIT_MAX) }
    }
}

/// The receipt for a durable intent. Only a journal makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    seq: u64,
    plan: Plan,
}

impl Ticket {
    pub(super) fn new(seq: u64, plan: Plan) -> Self {
        Self { seq, plan }
    }

    /// A receipt for what nobody wrote down, while the guard against it is switched off.
    #[cfg(test)]
    pub(crate) fn unwritten(plan: &Plan) -> Option<Self> {
        (!Guard::AuditBeforeAct.stands()).then(|| Self::new(0, plan.clone()))
    }

    /// The entry's place.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What was intended.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// The journal. Every call ends within a bounded time.
///
/// After [`JournalError::Overdue`] nobody knows whether the entries will be there: the caller does nothing that rests
/// on them, and takes the story as it reads it later. What is written late stands before everything that is written
/// after it. So an intent that nobody got a ticket for is an unfinished switch without steps, which is dropped.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes entries in one durable transaction; returns their places.
    ///
    /// # Errors
    /// Nothing was written, or, after [`JournalError::Overdue`], perhaps all of it will be.
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<u64>, JournalError>;

    /// Writes an intent, durably, and returns its receipt.
    ///
    /// # Errors
    /// There is no receipt, and so nothing may be done.
    async fn ticket(&self, entry: NewEntry, plan: Plan) -> Result<Ticket, JournalError>;

    /// Writes entries, and an intent behind them; where the journal can, in one durable transaction.
    ///
    /// # Errors
    /// There is no receipt, and so nothing may be done.
    async fn append_with_ticket(
        &self,
        entries: Vec<NewEntry>,
        intent: NewEntry,
        plan: Plan,
    ) -> Result<(Vec<u64>, Ticket), JournalError> {
        let seqs = self.append(entries).await?;
        Ok((seqs, self.ticket(intent, plan).await?))
    }

    /// Counts up an entry that was repeated word for word. Not durable at a power loss.
    ///
    /// # Errors
    /// The entry was perhaps not counted up.
    async fn repeat(&self, seq: u64, at_unix_ms: i64) -> Result<(), JournalError>;

    /// Reads entries.
    ///
    /// # Errors
    /// The journal could not be read, or an entry could not be understood.
    async fn read(&self, query: Query) -> Result<Vec<Entry>, JournalError>;
}
