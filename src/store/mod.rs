//! The journal: what was seen, decided, done and said, durable before anything happens, and the story it tells.
//!
//! Absent on purpose: updates of what was written. Only a decision that repeats itself word for word is counted up, and
//! the outbox beside the entries is worked off. What is older than it shall be remembered is dropped, and that is written.

mod agent;
mod aside;
mod audit;
mod chain;
mod entry;
mod journal;
mod memory;
mod outbox;
mod outline;
mod points;
mod remembered;
mod sqlite;
mod story;
#[cfg(test)]
mod tests;
mod tidy;
mod verify;
mod write;

pub use aside::move_aside;
pub use audit::{Anchor, Configured, Denial, Door, Occasion};
pub use chain::Seal;
pub use entry::{Body, Entry, Kind, NewEntry, OperatorAction};
pub use journal::{Journal, JournalError, Query, Ticket};
pub use memory::MemoryJournal;
pub use outbox::{Fate, Letter, NewLetter, Outbox};
pub use points::{Keep, Point, PointsFile, SeriesKey, read_points};
pub use remembered::Remembered;
pub use sqlite::SqliteJournal;
pub use story::{Asked, Attempts, FIRING_MAX, KnownAlert, Story, Track, Unfinished};
pub use tidy::Tidied;
pub use verify::{Flaw, Verified, verify};
