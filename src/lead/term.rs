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

/// Who leads, as this agent sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This agent, with this term.
    Leads(Term),
    /// Another agent.
    Follows,
    /// Nobody can say: the store of the lease does not answer, or nobody holds it.
    Unknown,
}

impl Standing {
    /// The term of this agent, while it is live.
    #[must_use]
    pub fn term(self, now: Moment) -> Option<Term> {
        match self {
            Self::Leads(term) => Some(term).filter(|term| term.is_live(now)),
            Self::Follows | Self::Unknown => None,
        }
    }
}

/// Who leads.
pub trait Election: Send + Sync {
    /// How this agent stands.
    fn standing(&self) -> Standing;

    /// Gives the leadership up, and leaves it to others for a while: an agent that cannot write anything down, or
    /// mistrusts its own eyes or clock, must not act, and must not keep others from it.
    fn step_down(&self);
}

/// `leadership: none`: the only agent leads for ever.
#[derive(Debug, Clone, Copy)]
pub struct Solo;

impl Election for Solo {
    fn standing(&self) -> Standing {
        Standing::Leads(Term { number: 1, until: None })
    }

    fn step_down(&self) {
        // There is nobody to leave it to.
    }
}
