//! Drops what is older than the journal shall remember. In small steps, each one transaction: a journal that is tidied
//! must still take what is decided meanwhile.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::chain::KEPT;
use super::journal::PRUNED;
use super::sqlite::read_entries;
use super::write::{drop_until, insert};
use super::{Body, JournalError, Kind, NewEntry, Query, Remembered, SqliteJournal, Story};
use crate::types::ServiceName;

/// Entries dropped in one step: some ten milliseconds.
const DROPPED_MAX: i64 = 2_000;
/// Of the kinds that are otherwise kept whole, a day's worth is dropped at once.
const SLACK_MS: i64 = 24 * 3_600_000;

/// Whether there is more to drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tidied {
    /// There may be.
    More,
    /// There is not.
    Done,
}

impl SqliteJournal {
    /// One step of dropping what is older than a moment, and of the kinds that come without end what is more than so
    /// many entries.
    ///
    /// # Errors
    /// The journal cannot be read or written; nothing was dropped.
    pub async fn tidy(
        &self,
        oldest_unix_ms: i64,
        entries_max: usize,
        now_unix_ms: i64,
    ) -> Result<Tidied, JournalError> {
        self.with(move |connection| {
            let write = |source| JournalError::Write { source };
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior).map_err(write)?;
            let step = Step { transaction: &transaction, oldest_unix_ms, now_unix_ms };
            let tidied = step.take(entries_max)?;
            transaction.commit().map_err(write)?;
            Ok(tidied)
        })
        .await
    }
}

struct Step<'a> {
    transaction: &'a Transaction<'a>,
    oldest_unix_ms: i64,
    now_unix_ms: i64,
}

impl Step<'_> {
    fn take(&self, entries_max: usize) -> Result<Tidied, JournalError> {
        let write = |source| JournalError::Write { source };
        for kind in PRUNED {
            let old = self.last_old("kind = ?1", kind.as_str()).map_err(write)?;
            let surplus = surplus(self.transaction, kind, entries_max).map_err(write)?;
            if let Some(last) = old.max(surplus) {
                drop_until(self.transaction, kind.as_str(), last, self.now_unix_ms).map_err(write)?;
                return Ok(Tidied::More);
            }
        }
        let Some(last) = self.last_kept().map_err(write)? else { return Ok(Tidied::Done) };
        if let Some(service) = self.unremembered(last).map_err(write)? {
            return self.remember(&service);
        }
        drop_until(self.transaction, KEPT, last, self.now_unix_ms).map_err(write)?;
        Ok(Tidied::More)
    }

    /// The last entry of a row of old ones at the beginning of a chain; not more than one step drops.
    fn last_old(&self, chain: &str, kind: &str) -> rusqlite::Result<Option<i64>> {
        let sql = format!(
            "SELECT MAX(seq) FROM (SELECT seq FROM entries WHERE {chain} \
             AND seq < COALESCE((SELECT seq FROM entries WHERE {chain} AND at_ms >= ?2 ORDER BY seq LIMIT 1), ?4) \
             ORDER BY seq LIMIT ?3)"
        );
        let values = (kind, self.oldest_unix_ms, DROPPED_MAX, i64::MAX);
        self.transaction.query_row(&sql, values, |row| row.get(0))
    }

    fn last_kept(&self) -> rusqlite::Result<Option<i64>> {
        let oldest: Option<i64> = self
            .transaction
            .query_row(
                &format!("SELECT at_ms FROM entries WHERE {IS_KEPT} ORDER BY seq LIMIT 1"),
                [],
                |row| row.get(0),
            )
            .optional()?;
        let is_due = oldest.is_some_and(|oldest| oldest < self.oldest_unix_ms.saturating_sub(SLACK_MS));
        // The parameter has no use here, but is bound all the same.
        if is_due { self.last_old(&format!("{IS_KEPT} AND ?1 = ''"), "") } else { Ok(None) }
    }

    /// A service of which an entry up to this place says something, and none behind it says it all.
    fn unremembered(&self, last: i64) -> rusqlite::Result<Option<String>> {
        let sql = format!(
            "SELECT service FROM entries AS e WHERE {IS_KEPT} AND seq <= ?1 AND service <> ?2 AND NOT EXISTS \
             (SELECT 1 FROM entries AS r WHERE r.service = e.service AND r.kind = ?3 AND r.seq > ?1) LIMIT 1"
        );
        let agent = ServiceName::agent();
        let values = (last, agent.as_str(), Kind::Remembered.as_str());
        self.transaction.query_row(&sql, values, |row| row.get(0)).optional()
    }

    fn remember(&self, service: &str) -> Result<Tidied, JournalError> {
        let service = ServiceName::new(service)
            .map_err(|error| JournalError::Entry { seq: 0, source: serde::de::Error::custom(error) })?;
        let story = story(self.transaction, &service)?;
        // A switch that never ends would be a fault of its own; it is not forgotten.
        let Some(remembered) = Remembered::of(&story) else { return Ok(Tidied::Done) };
        let body = Body::Remembered { remembered: Box::new(remembered) };
        let entry = NewEntry { at_unix_ms: self.now_unix_ms, service, incident: None, body };
        let text =
            serde_json::to_string(&entry.body).map_err(|source| JournalError::Entry { seq: 0, source })?;
        insert(self.transaction, &entry, &text).map_err(|source| JournalError::Write { source })?;
        Ok(Tidied::More)
    }
}

/// The kinds that share a chain, in SQL; the index of these says the same.
pub(super) const IS_KEPT: &str = "kind NOT IN ('decided', 'notified', 'denied')";

/// The last of those entries of a kind that are more than so many; not more than one step drops.
pub(super) fn surplus(
    connection: &Connection,
    kind: Kind,
    entries_max: usize,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT MIN((SELECT seq FROM entries WHERE kind = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2), \
               (SELECT MAX(seq) FROM (SELECT seq FROM entries WHERE kind = ?1 ORDER BY seq LIMIT ?3)))";
    let most = i64::try_from(entries_max).unwrap_or(i64::MAX);
    connection.query_row(sql, (kind.as_str(), most, DROPPED_MAX), |row| row.get(0))
}

fn story(connection: &Connection, service: &ServiceName) -> Result<Story, JournalError> {
    let mut story = Story::default();
    let kinds = Kind::ALL.into_iter().filter(|kind| !PRUNED.contains(kind)).collect();
    let mut query = Query { service: Some(service.clone()), kinds, ..Query::default() };
    loop {
        let page = read_entries(connection, &query)?;
        let Some(last) = page.last() else { return Ok(story) };
        query.after = last.seq;
        page.iter().for_each(|entry| story.tell(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_that_are_dropped_by_number_have_chains_of_their_own() {
        for kind in Kind::ALL {
            let is_named = IS_KEPT.contains(&format!("'{}'", kind.as_str()));
            assert_eq!(is_named, PRUNED.contains(&kind), "{kind:?}");
        }
    }
}
