//! The port to leadership, and the election of the only candidate.

use crate::types::Moment;

/// Proof of leadership at the moment it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Rises with every change of the leader.
    pub number: u64,
    /// Until when it may be relied on, on the monotonic clock; `None` is for ever.
    pub until: Option<Moment>,
}

impl Term {
    /// Whether the term still holds.
    #[must_use]
    pub fn is_live(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now.mono < until.mono)
    }
}

/// Who leads.
pub trait Election: Send + Sync {
    /// The term of this agent, if it leads.
    fn term(&self) -> Option<Term>;
}

/// `leadership: none`: the only agent leads for ever.
#[derive(Debug, Clone, Copy)]
pub struct Solo;

impl Election for Solo {
    fn term(&self) -> Option<Term> {
        Some(Term { number: 1, until: None })
    }
}
