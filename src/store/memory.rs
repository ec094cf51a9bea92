//! The journal in memory, for whole agents on virtual time. What was appended is kept until the last clone goes, so a
//! clone is what a restarted agent finds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::journal::{KEPT_MAX, PRUNED};
use super::{Entry, Journal, JournalError, Kind, NewEntry, Query, Ticket};
use crate::decide::Plan;

/// The journal in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal {
    shelves: Arc<Mutex<Shelves>>,
}

/// The entries by kind, each shelf in the order of places: the story asks for new entries of few kinds, very often.
#[derive(Debug, Default)]
struct Shelves {
    last: u64,
    kinds: BTreeMap<Kind, VecDeque<Entry>>,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes entries, without a runtime.
    pub fn write(&self, entries: Vec<NewEntry>) -> Vec<u64> {
        self.shelves().append(entries)
    }

    /// The newest entry of a kind that satisfies `is_wanted`; copies no other one.
    #[must_use]
    pub fn newest(&self, kind: Kind, is_wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        self.shelves().kinds.get(&kind)?.iter().rev().find(|entry| is_wanted(entry)).cloned()
    }

    /// All entries of a kind, oldest first, each shown to `see`; copies none.
    pub fn each(&self, kind: Kind, see: impl FnMut(&Entry)) {
        if let Some(shelf) = self.shelves().kinds.get(&kind) {
            shelf.iter().for_each(see);
        }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // Nothing can fail between the first and the last change of an append.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn append(&mut self, entries: Vec<NewEntry>) -> Vec<u64> {
        let place = |new: NewEntry| {
            self.last += 1;
            let shelf = self.kinds.entry(new.body.kind()).or_default();
            shelf.push_back(Entry {
                seq: self.last,
                at_unix_ms: new.at_unix_ms,
                last_unix_ms: new.at_unix_ms,
                count: 1,
                service: new.service,
                incident: new.incident,
                body: new.body,
            });
            self.last
        };
        let seqs = entries.into_iter().map(place).collect();
        for kind in PRUNED {
            if let Some(shelf) = self.kinds.get_mut(&kind) {
                shelf.drain(..shelf.len().saturating_sub(KEPT_MAX));
            }
        }
        seqs
    }

    fn find(&mut self, seq: u64) -> Option<&mut Entry> {
        self.kinds.values_mut().find_map(|shelf| {
            let place = shelf.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
            shelf.get_mut(place)
        })
    }

    fn read(&self, query: &Query) -> Vec<Entry> {
        let mut found: Vec<&Entry> = Vec::new();
        for (kind, shelf) in &self.kinds {
            if query.kinds.is_empty() || query.kinds.contains(kind) {
                let first = shelf.partition_point(|entry| entry.seq <= query.after);
                let is_wanted =
                    |entry: &&Entry| query.service.as_ref().is_none_or(|service| entry.service == *service);
                found.extend(shelf.range(first..).filter(is_wanted));
            }
        }
        found.sort_unstable_by_key(|entry| entry.seq);
        if query.is_newest_first {
            found.reverse();
        }
        found.into_iter().take(query.limit()).cloned().collect()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<u64>, JournalError> {
        Ok(self.write(entries))
    }

    async fn ticket(&self, entry: NewEntry, plan: Plan) -> Result<Ticket, JournalError> {
        let seqs = self.write(vec![entry]);
        let seq = seqs.first().copied().ok_or(JournalError::Worker)?;
        Ok(Ticket::new(seq, plan))
    }

    async fn repeat(&self, seq: u64, at_unix_ms: i64) -> Result<(), JournalError> {
        if let Some(entry) = self.shelves().find(seq) {
            entry.count += 1;
            entry.last_unix_ms = at_unix_ms;
        }
        Ok(())
    }

    async fn read(&self, query: Query) -> Result<Vec<Entry>, JournalError> {
        Ok(self.shelves().read(&query))
    }
}
