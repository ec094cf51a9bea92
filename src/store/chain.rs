//! The chain through the journal, so that a change of what was written shows.
//!
//! Each entry's seal is the SHA-256 of the seal before it and of all that the entry says. Whoever changes, removes or
//! inserts an entry must make every later seal anew; and the newest seals, which the log tells now and then, then no
//! longer fit. How often an entry was repeated is not part of it: that is counted up.
//!
//! The kinds of which old entries are dropped have a chain each, and all others share one, so that dropping moves the
//! beginning of a chain and breaks none.

use sha2::{Digest as _, Sha256};

use super::Kind;
use super::journal::PRUNED;

/// The SHA-256 that stands for an entry and all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal([u8; 32]);

impl Seal {
    /// Before the first entry.
    pub(super) const BEGINNING: Self = Self([0; 32]);

    /// A seal as it stands in the file.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The seal of the entry that follows.
    pub(super) fn then(&self, entry: &Written<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(entry.seq.to_be_bytes());
        hash.update(entry.at_ms.to_be_bytes());
        // Each text with its length before it: no two entries make the same bytes.
        for text in [Some(entry.service), Some(entry.kind), entry.incident, Some(entry.body)] {
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(text.unwrap_or_default());
        }
        Self(hash.finalize().into())
    }
}

impl std::fmt::Display for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An entry as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) service: &'a str,
    pub(super) kind: &'a str,
    pub(super) incident: Option<&'a str>,
    pub(super) body: &'a str,
}

/// The chain that entries of a kind belong to.
pub(super) fn chain_of(kind: Kind) -> &'static str {
    if PRUNED.contains(&kind) { kind.as_str() } else { KEPT }
}

/// The chain of all kinds that are kept whole.
pub(super) const KEPT: &str = "kept";

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Written<'static> =
        Written { seq: 7, at_ms: 1_000, service: "sessions", kind: "halted", incident: None, body: "{}" };

    #[test]
    fn the_link_is_the_hash_of_lengths_and_texts() {
        // sha256(32 zero bytes, 7 and 1000 as 64 bits, then each text behind its length), by another implementation.
        let found = Seal::BEGINNING.then(&ENTRY).to_string();
        assert_eq!(found, "f79be5ea8189e430141ab16fbecdd89c02b08fc8fca651b71689dce506528c65");
    }

    #[test]
    fn whatever_an_entry_says_is_in_its_link() {
        let seal = Seal::BEGINNING.then(&ENTRY);
        let others = [
            Written { seq: 8, ..ENTRY },
            Written { at_ms: 1_001, ..ENTRY },
            Written { service: "session", kind: "shalted", ..ENTRY },
            Written { kind: "ended", ..ENTRY },
            Written { incident: Some(""), ..ENTRY },
            Written { body: "{ }", ..ENTRY },
        ];
        for other in others {
            assert_ne!(Seal::BEGINNING.then(&other), seal, "{other:?}");
        }
        assert_ne!(seal.then(&ENTRY), seal, "and so is what stands before it");
    }
}
