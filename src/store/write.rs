//! Writes entries into the file, each sealed to the one before it, and drops the oldest ones, which is an entry too.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};

use super::audit::Anchor;
use super::chain::{KEPT, Seal, Written, chain_of};
use super::journal::{KEPT_MAX, PRUNED};
use super::tidy::{IS_KEPT, surplus};
use super::{Body, JournalError, Kind, NewEntry};
use crate::types::ServiceName;

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
        let now = entries.last().map_or(0, |entry| entry.at_unix_ms);
        PRUNED.into_iter().try_for_each(|kind| prune(&transaction, kind, KEPT_MAX, now)).map_err(write)?;
    }
    let newest = head(&transaction, Kind::Ended).map_err(write)?;
    transaction.commit().map_err(write)?;
    if let Some(seal) = newest.filter(|_| entries.iter().any(|entry| entry.body.kind() == Kind::Ended)) {
        // Told where whoever changes the journal cannot reach it, if the log is kept elsewhere.
        tracing::info!(seq = seqs.last(), %seal, "the journal's newest seal; redrover history --verify compares");
    }
    Ok(seqs)
}

/// Writes one entry, whose body is also given as text.
pub(super) fn insert(transaction: &Transaction<'_>, entry: &NewEntry, body: &str) -> rusqlite::Result<u64> {
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

/// Drops all but the newest `kept` entries of a kind, or some of those: the others the next time.
pub(super) fn prune(
    transaction: &Transaction<'_>,
    kind: Kind,
    kept: usize,
    now_unix_ms: i64,
) -> rusqlite::Result<()> {
    match surplus(transaction, kind, kept)? {
        Some(last) => drop_until(transaction, kind.as_str(), last, now_unix_ms),
        None => Ok(()),
    }
}

/// Drops the entries of a chain up to one of them, behind which the chain then begins, and says so in an entry.
pub(super) fn drop_until(
    transaction: &Transaction<'_>,
    chain: &str,
    last: i64,
    now_unix_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "SELECT seal FROM entries WHERE seq = ?1";
    let seal: Option<Vec<u8>> = transaction.query_row(sql, [last], |row| row.get(0))?;
    let count = match chain {
        KEPT => transaction.execute(&format!("DELETE FROM entries WHERE {IS_KEPT} AND seq <= ?1"), [last])?,
        kind => transaction.execute("DELETE FROM entries WHERE kind = ?1 AND seq <= ?2", (kind, last))?,
    };
    // Without a seal it is from before there were chains.
    let Some(seal) = seal else { return Ok(()) };
    let sql = "UPDATE chains SET start = ?2, start_seq = ?3 WHERE name = ?1";
    transaction.execute(sql, (chain, &seal, last))?;
    let seal = Seal::from_bytes(&seal).unwrap_or(Seal::BEGINNING);
    anchor(transaction, (chain, last, seal), count as u64, now_unix_ms)
}

fn anchor(
    transaction: &Transaction<'_>,
    (chain, last, seal): (&str, i64, Seal),
    count: u64,
    now_unix_ms: i64,
) -> rusqlite::Result<()> {
    let seq = u64::try_from(last).unwrap_or(0);
    let anchor = Anchor { chain: chain.to_owned(), seq, seal: seal.to_string(), count };
    let body = Body::Dropped { anchor };
    let text = serde_json::to_string(&body).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let entry = NewEntry { at_unix_ms: now_unix_ms, service: ServiceName::agent(), incident: None, body };
    insert(transaction, &entry, &text).map(drop)
}

/// Writes an anchor for every chain whose beginning an earlier version has dropped without one.
pub(super) fn anchor_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "SELECT name, start_seq, start, (SELECT MAX(at_ms) FROM entries) FROM chains ORDER BY name";
    let mut statement = transaction.prepare(sql)?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let chains: Vec<(String, i64, Vec<u8>, Option<i64>)> =
        statement.query_map([], row)?.collect::<rusqlite::Result<_>>()?;
    for (chain, last, start, now) in chains {
        let start = Seal::from_bytes(&start).unwrap_or(Seal::BEGINNING);
        if start != Seal::BEGINNING {
            anchor(transaction, (&chain, last, start), 0, now.unwrap_or(0))?;
        }
    }
    Ok(())
}
