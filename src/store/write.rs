//! Writes entries into the file, each sealed to the one before it, and drops the oldest of the kinds that come without
//! end.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::chain::{Seal, Written, chain_of};
use super::journal::{KEPT_MAX, PRUNED};
use super::{JournalError, Kind, NewEntry};

/// Old entries are dropped once in so many appends.
const PRUNE_EVERY: u64 = 1_000;

/// Writes entries in one durable transaction; returns their places.
pub(super) fn append(connection: &mut Connection, entries: &[NewEntry]) -> Result<Vec<u64>, JournalError> {
    let write = |source| JournalError::Write { source };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(write)?;
    let mut seqs = Vec::with_capacity(entries.len());
    for entry in entries {
        let body =
            serde_json::to_string(&entry.body).map_err(|source| JournalError::Entry { seq: 0, source })?;
        seqs.push(insert(&transaction, entry, &body).map_err(write)?);
    }
    if seqs.last().is_some_and(|seq| seq % PRUNE_EVERY == 0) {
        PRUNED.into_iter().try_for_each(|kind| prune(&transaction, kind, KEPT_MAX)).map_err(write)?;
    }
    let newest = head(&transaction, Kind::Ended).map_err(write)?;
    transaction.commit().map_err(write)?;
    if let Some(seal) = newest.filter(|_| entries.iter().any(|entry| entry.body.kind() == Kind::Ended)) {
        // Told where whoever changes the journal cannot reach it, if the log is kept elsewhere.
        tracing::info!(seq = seqs.last(), %seal, "the journal's newest seal; redrover history --verify compares");
    }
    Ok(seqs)
}

fn insert(transaction: &Transaction<'_>, entry: &NewEntry, body: &str) -> rusqlite::Result<u64> {
    let kind = entry.body.kind();
    let sql =
        "INSERT INTO entries (at_ms, last_ms, service, kind, incident, body) VALUES (?1, ?1, ?2, ?3, ?4, ?5)";
    let service = entry.service.as_str();
    transaction.prepare_cached(sql)?.execute((
        entry.at_unix_ms,
        service,
        kind.as_str(),
        &entry.incident,
        body,
    ))?;
    let seq = transaction.last_insert_rowid();
    let before = head(transaction, kind)?;
    let seal = before.unwrap_or(Seal::BEGINNING).then(&Written {
        seq,
        at_ms: entry.at_unix_ms,
        service,
        kind: kind.as_str(),
        incident: entry.incident.as_deref(),
        body,
    });
    transaction
        .prepare_cached("UPDATE entries SET seal = ?2 WHERE seq = ?1")?
        .execute((seq, seal.as_bytes()))?;
    let sql = "INSERT INTO chains (name, start, start_seq, head, head_seq) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (name) DO UPDATE SET head = excluded.head, head_seq = excluded.head_seq";
    transaction.prepare_cached(sql)?.execute((
        chain_of(kind),
        Seal::BEGINNING.as_bytes(),
        seq - 1,
        seal.as_bytes(),
        seq,
    ))?;
    Ok(u64::try_from(seq).unwrap_or(0))
}

/// The newest seal of the chain of a kind; `None` before its first entry.
fn head(transaction: &Transaction<'_>, kind: Kind) -> rusqlite::Result<Option<Seal>> {
    let mut statement = transaction.prepare_cached("SELECT head FROM chains WHERE name = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([chain_of(kind)], |row| row.get(0)).optional()?;
    // Bytes that are no seal are left to the verification, which then finds that nothing fits.
    Ok(bytes.map(|bytes| Seal::from_bytes(&bytes).unwrap_or(Seal::BEGINNING)))
}

/// Drops all but the newest `kept` entries of a kind. Its chain begins behind the last one that was dropped.
pub(super) fn prune(transaction: &Transaction<'_>, kind: Kind, kept: usize) -> rusqlite::Result<()> {
    let sql = "SELECT seq, seal FROM entries WHERE kind = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    let last: Option<(i64, Option<Vec<u8>>)> =
        transaction.query_row(sql, (kind.as_str(), kept), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((last, seal)) = last else { return Ok(()) };
    if let Some(seal) = seal {
        let sql = "UPDATE chains SET start = ?2, start_seq = ?3 WHERE name = ?1";
        transaction.execute(sql, (chain_of(kind), seal, last))?;
    }
    transaction.execute("DELETE FROM entries WHERE kind = ?1 AND seq <= ?2", (kind.as_str(), last))?;
    Ok(())
}
