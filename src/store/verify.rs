//! Reads a journal from end to end and follows its chains.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::{Connection, Row};

use super::audit::Anchor;
use super::chain::{Seal, Written, chain_of};
use super::{Body, JournalError, Kind, SqliteJournal};

/// What a journal's chains say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries that are in a chain.
    pub sealed: u64,
    /// Entries that an earlier version wrote, before there were chains.
    pub unsealed: u64,
    /// The newest seal of each chain, by the chain's name: to compare with what the log told earlier.
    pub heads: Vec<(String, Seal)>,
    /// What was dropped because of its age or number: the last word about each chain.
    pub anchors: Vec<Anchor>,
    /// What does not fit; nothing where all does.
    pub flaws: Vec<Flaw>,
}

/// A place at which a chain is broken. What stands behind it is followed on from what is written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The entry was changed or inserted, or one before it was removed.
    Broken {
        /// Its place.
        seq: i64,
    },
    /// The oldest entries of a chain are not there, and no entry says that they were dropped.
    Beginning {
        /// The chain's name.
        chain: String,
    },
    /// The newest entries of a chain are not there.
    CutOff {
        /// The chain's name.
        chain: String,
        /// The place of the last entry that was written.
        seq: i64,
    },
    /// The entry is of a chain that was never begun, or of a kind that this program does not know.
    Stray {
        /// Its place.
        seq: i64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { seq } => {
                write!(f, "entry {seq} was changed or inserted, or one before it was removed")
            }
            Self::Beginning { chain } => write!(f, "the oldest entries of chain {chain} were removed"),
            Self::CutOff { chain, seq } => {
                write!(f, "the entries of chain {chain} up to place {seq} are not all there")
            }
            Self::Stray { seq } => write!(f, "entry {seq} is not of this journal"),
        }
    }
}

/// A chain while it is followed.
struct Followed {
    start: Seal,
    at: Seal,
    after: i64,
    head: Seal,
    head_seq: i64,
    last_seq: i64,
}

/// Follows the chains of the journal in a folder, as it stands at this moment.
///
/// # Errors
/// There is no journal, or it cannot be read.
pub fn verify(directory: &Path) -> Result<Verified, JournalError> {
    let connection = SqliteJournal::connect_read_only(directory)?;
    let read = |source| JournalError::Read { source };
    // One transaction: an agent may write at the same time.
    let transaction = connection.unchecked_transaction().map_err(read)?;
    let mut chains = chains(&transaction).map_err(read)?;
    let mut verified =
        Verified { sealed: 0, unsealed: 0, heads: Vec::new(), anchors: Vec::new(), flaws: Vec::new() };
    let sql = "SELECT seq, at_ms, service, kind, incident, body, seal FROM entries ORDER BY seq";
    let mut statement = transaction.prepare(sql).map_err(read)?;
    let mut rows = statement.query([]).map_err(read)?;
    while let Some(row) = rows.next().map_err(read)? {
        follow(row, &mut chains, &mut verified).map_err(read)?;
    }
    for (name, chain) in chains {
        let anchor = verified.anchors.iter().rev().find(|anchor| anchor.chain == name);
        let is_anchored = anchor.is_some_and(|anchor| {
            i64::try_from(anchor.seq) == Ok(chain.after) && anchor.seal == chain.start.to_string()
        });
        if chain.start != Seal::BEGINNING && !is_anchored {
            verified.flaws.push(Flaw::Beginning { chain: name.clone() });
        }
        if chain.at != chain.head || chain.last_seq != chain.head_seq {
            verified.flaws.push(Flaw::CutOff { chain: name.clone(), seq: chain.head_seq });
        }
        verified.heads.push((name, chain.head));
    }
    Ok(verified)
}

fn chains(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Followed>> {
    let mut statement = connection.prepare("SELECT name, start, start_seq, head, head_seq FROM chains")?;
    let chain = |row: &Row<'_>| {
        let seal = |bytes: Vec<u8>| Seal::from_bytes(&bytes).unwrap_or(Seal::BEGINNING);
        let after = row.get(2)?;
        let start = seal(row.get(1)?);
        let followed = Followed {
            start,
            at: start,
            after,
            head: seal(row.get(3)?),
            head_seq: row.get(4)?,
            last_seq: after,
        };
        Ok((row.get(0)?, followed))
    };
    statement.query_map([], chain)?.collect()
}

fn follow(
    row: &Row<'_>,
    chains: &mut BTreeMap<String, Followed>,
    verified: &mut Verified,
) -> rusqlite::Result<()> {
    let (seq, at_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
    let (service, kind): (String, String) = (row.get(2)?, row.get(3)?);
    let (incident, body): (Option<String>, String) = (row.get(4)?, row.get(5)?);
    let seal: Option<Vec<u8>> = row.get(6)?;
    let name = Kind::ALL.into_iter().find(|known| known.as_str() == kind).map(chain_of);
    let Some(chain) = name.and_then(|name| chains.get_mut(name)) else {
        match seal {
            None => verified.unsealed += 1,
            Some(_) => verified.flaws.push(Flaw::Stray { seq }),
        }
        return Ok(());
    };
    if seq <= chain.after && seal.is_none() {
        verified.unsealed += 1;
        return Ok(());
    }
    let incident = incident.as_deref();
    let wanted =
        chain.at.then(&Written { seq, at_ms, service: &service, kind: &kind, incident, body: &body });
    let found = seal.and_then(|bytes| Seal::from_bytes(&bytes));
    if found != Some(wanted) {
        verified.flaws.push(Flaw::Broken { seq });
    }
    if kind == Kind::Dropped.as_str()
        && let Ok(Body::Dropped { anchor }) = serde_json::from_str(&body)
    {
        verified.anchors.retain(|known| known.chain != anchor.chain);
        verified.anchors.push(anchor);
    }
    verified.sealed += 1;
    chain.at = found.unwrap_or(wanted);
    chain.last_seq = seq;
    Ok(())
}
