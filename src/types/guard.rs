//! The guards: what keeps a switch from making things worse. Each can be switched off in unit tests, and only there, to
//! see that something notices; everywhere else they always stand.

/// A guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// A change of the record names what it expects to replace.
    CompareAndSwap,
    /// Down is what a majority of the configured vantages sees.
    Quorum,
    /// What is too old counts nothing.
    Freshness,
    /// Both sites are looked at again right before the change.
    Recheck,
    /// Without a durable record nothing is done.
    AuditBeforeAct,
    /// One automatic switch in an interval.
    Interval,
    /// Switches that follow each other count, and their memory fades.
    Flapping,
    /// A person's pause.
    Pause,
    /// A decision expires.
    Expiry,
    /// A silent site is out-waited longer.
    Isolation,
    /// The lag before the outage is within bounds.
    Lag,
    /// The target can hold what it would have to.
    Capacity,
    /// A topology that needs a promotion has one.
    Topology,
    /// A halt lasts until a person acknowledges.
    Halt,
    /// With few vantages a silent site is never left.
    SilentSite,
    /// The fence is claimed before anything is promoted.
    Claim,
    /// Without a fence nothing moves.
    MissingFence,
    /// Only the leader acts.
    Leadership,
    /// An agent that mistrusts itself does not vote and does not act.
    SelfDoubt,
    /// The old primary takes no writes before the new one does.
    Fencing,
    /// In a planned switch nothing is promoted that lacks a write.
    CatchUp,
}

impl Guard {
    /// Whether it stands.
    #[must_use]
    pub fn stands(self) -> bool {
        #[cfg(test)]
        return off::OFF.get() != Some(self);
        #[cfg(not(test))]
        true
    }
}

#[cfg(test)]
impl Guard {
    /// All guards.
    pub(crate) const ALL: [Self; 21] = [
        Self::CompareAndSwap,
        Self::Quorum,
        Self::Freshness,
        Self::Recheck,
        Self::AuditBeforeAct,
        Self::Interval,
        Self::Flapping,
        Self::Pause,
        Self::Expiry,
        Self::Isolation,
        Self::Lag,
        Self::Capacity,
        Self::Topology,
        Self::Halt,
        Self::SilentSite,
        Self::Claim,
        Self::MissingFence,
        Self::Leadership,
        Self::SelfDoubt,
        Self::Fencing,
        Self::CatchUp,
    ];

    /// Runs `work` on this thread with the guard switched off.
    pub(crate) fn without<T>(self, work: impl FnOnce() -> T) -> T {
        assert_eq!(off::OFF.get(), None, "a guard is switched off already");
        off::OFF.set(Some(self));
        let done = work();
        off::OFF.set(None);
        done
    }
}

#[cfg(test)]
mod off {
    use std::cell::Cell;

    use super::Guard;

    std::thread_local! {
        pub(super) static OFF: Cell<Option<Guard>> = const { Cell::new(None) };
    }
}
