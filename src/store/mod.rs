//! The journal: what was seen, decided, done and said, durable before anything happens, and the story it tells.
//!
//! Absent on purpose: updates of what was written. Only a decision that repeats itself word for word is counted up, and
//! the outbox beside the entries is worked off.

mod aside;
mod chain;
mod entry;
mod journal;
mod memory;
mod outbox;
mod sqlite;
mod story;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use chain::Seal;
pub use entry::{Body, Entry, Kind, NewEntry, OperatorAction};
pub use journal::{Journal, JournalError, Query, Ticket};
pub use memory::MemoryJournal;
pub use outbox::{Fate, Letter, NewLetter, Outbox};
pub use sqlite::SqliteJournal;
pub use story::{Asked, Attempts, FIRING_MAX, KnownAlert, Story, Track, Unfinished};
pub use verify::{Flaw, Verified, verify};
