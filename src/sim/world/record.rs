//! The records and the DNS provider that holds them: a true compare-and-swap, name servers that follow later, and all
//! that can go wrong.

use std::time::Duration;

use crate::act::dns::{DnsError, Receipt, RecordChange};
use crate::sim::language::DnsState;
use crate::types::RecordState;

/// Name servers follow a change after so long, unless an event says otherwise.
pub(in crate::sim) const VISIBLE_AFTER: Duration = Duration::from_secs(1);

/// The second of two zones, where they do not hold the same.
const SECOND_ZONE: &str = "ZPRIVATE";

/// What the first of two zones holds, which is what the world outside sees.
pub(in crate::sim) fn public(state: &RecordState) -> RecordState {
    state.parted().map_or_else(|| state.clone(), |(first, _)| first)
}

/// One service's record and fence.
#[derive(Debug)]
pub(in crate::sim) struct Zone {
    /// What the provider holds.
    pub(in crate::sim) state: RecordState,
    /// What name servers answer, and from when on; oldest first.
    shown: Vec<(Duration, RecordState)>,
}

impl Zone {
    pub(in crate::sim) fn new(state: RecordState) -> Self {
        Self { shown: vec![(Duration::ZERO, state.clone())], state }
    }

    /// What an up-to-date name server answers.
    pub(in crate::sim) fn shown(&self, now: Duration) -> &RecordState {
        self.shown.iter().rev().find(|(from, _)| *from <= now).map_or(&self.state, |(_, state)| state)
    }

    /// What a resolver answers that follows no change since a moment.
    pub(in crate::sim) fn shown_before(&self, since: Duration) -> &RecordState {
        self.shown.iter().rev().find(|(from, _)| *from < since).map_or(&self.state, |(_, state)| state)
    }

    pub(in crate::sim) fn set(&mut self, state: RecordState, visible: Duration) {
        self.shown.push((visible, state.clone()));
        self.state = state;
    }
}

/// What happens to a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Before,
    After,
}

/// The provider.
#[derive(Debug)]
pub(in crate::sim) struct Provider {
    throttled: u32,
    busy_until: Duration,
    lost: Option<Lost>,
    /// The next change takes effect so much later.
    late: Option<Duration>,
    is_denied: bool,
    is_unavailable: bool,
    is_zone_missing: bool,
    pub(in crate::sim) is_pending: bool,
    is_half_applied: bool,
    pub(in crate::sim) visible_after: Duration,
    /// So many of the watched resolvers keep what they knew at this moment, until that one.
    pub(in crate::sim) stale: (u32, Duration, Duration),
    changes: u64,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            throttled: 0,
            busy_until: Duration::ZERO,
            lost: None,
            late: None,
            is_denied: false,
            is_unavailable: false,
            is_zone_missing: false,
            is_pending: false,
            is_half_applied: false,
            visible_after: VISIBLE_AFTER,
            stale: (0, Duration::ZERO, Duration::ZERO),
            changes: 0,
        }
    }
}

/// What came of a change: the answer, and what the zone holds from here on, where that is something else than before.
pub(in crate::sim) type Changed = (Result<Receipt, DnsError>, Option<RecordState>);

impl Provider {
    pub(in crate::sim) fn set(&mut self, state: DnsState, now: Duration) {
        match state {
            DnsState::Up => {
                let (visible_after, stale, changes) = (self.visible_after, self.stale, self.changes);
                *self = Self { visible_after, stale, changes, ..Self::default() };
            }
            DnsState::Throttled(times) => self.throttled = times,
            DnsState::Busy(lasts) => self.busy_until = now + lasts,
            DnsState::ReplyLostAfter => self.lost = Some(Lost::After),
            DnsState::ReplyLostBefore => self.lost = Some(Lost::Before),
            DnsState::ArrivesLate(by) => self.late = Some(by),
            DnsState::Denied => self.is_denied = true,
            DnsState::Unavailable => self.is_unavailable = true,
            DnsState::NoZone => self.is_zone_missing = true,
            DnsState::Pending => self.is_pending = true,
            DnsState::HalfApplied => self.is_half_applied = true,
        }
    }

    pub(in crate::sim) fn read(&self) -> Result<(), DnsError> {
        if self.is_unavailable {
            return Err(DnsError::Unavailable { detail: "503 ServiceUnavailable".to_owned() });
        }
        if self.is_zone_missing {
            return Err(DnsError::Misconfigured { detail: "NoSuchHostedZone".to_owned() });
        }
        Ok(())
    }

    /// How much later the next change takes effect, if it does.
    pub(in crate::sim) fn take_late(&mut self) -> Option<Duration> {
        self.late.take()
    }

    /// A change meets what the zone holds.
    pub(in crate::sim) fn change(
        &mut self,
        held: &RecordState,
        change: &RecordChange,
        now: Duration,
    ) -> Changed {
        if let Err(error) = self.read() {
            return (Err(error), None);
        }
        let throttled = |detail: &str| (Err(DnsError::Throttled { detail: detail.to_owned() }), None);
        if self.is_denied {
            let detail = "403 AccessDenied".to_owned();
            return (Err(DnsError::Denied { action: "route53:ChangeResourceRecordSets", detail }), None);
        }
        if self.throttled > 0 {
            self.throttled -= 1;
            return throttled("400 Throttling");
        }
        if now < self.busy_until {
            return throttled("400 PriorRequestNotComplete");
        }
        let lost = self.lost.take();
        let unknown = || Err(DnsError::Unknown { detail: "the connection was closed".to_owned() });
        if lost == Some(Lost::Before) {
            return (unknown(), None);
        }
        if *held != change.expected {
            let detail = "InvalidChangeBatch: the values do not match".to_owned();
            return (Err(DnsError::Conflict { detail }), None);
        }
        if self.is_half_applied {
            let refused =
                || Err(DnsError::Conflict { detail: "InvalidChangeBatch in the second zone".to_owned() });
            if held.parted().is_some() {
                return (refused(), None);
            }
            if change.wanted.record != held.record {
                return (refused(), Some(RecordState::joined(&change.wanted, held, SECOND_ZONE)));
            }
        }
        self.changes += 1;
        let receipt = Ok(Receipt { id: format!("C{}", self.changes) });
        let answer = if lost == Some(Lost::After) { unknown() } else { receipt };
        (answer, Some(change.wanted.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ResourceSet;

    const S: Duration = Duration::from_secs(1);

    fn state(value: &str) -> RecordState {
        RecordState {
            record: Some(ResourceSet::single(5, value)),
            fence: Some(ResourceSet::single(5, value)),
        }
    }

    fn change() -> RecordChange {
        RecordChange { expected: state("a"), wanted: state("b") }
    }

    #[test]
    fn a_change_replaces_only_what_it_names() {
        let mut provider = Provider::default();
        let (answer, held) = provider.change(&state("a"), &change(), S);
        assert!(answer.is_ok() && held == Some(state("b")));
        let (answer, held) = provider.change(&state("c"), &change(), S);
        assert!(matches!(answer, Err(DnsError::Conflict { .. })) && held.is_none());
    }

    #[test]
    fn every_fault_has_its_answer_and_its_effect() {
        for (fault, is_applied, is_good) in [
            (DnsState::Throttled(1), false, false),
            (DnsState::Busy(S), false, false),
            (DnsState::ReplyLostAfter, true, false),
            (DnsState::ReplyLostBefore, false, false),
            (DnsState::Denied, false, false),
            (DnsState::Unavailable, false, false),
            (DnsState::NoZone, false, false),
            (DnsState::Pending, true, true),
            (DnsState::HalfApplied, true, false),
        ] {
            let mut provider = Provider::default();
            provider.set(fault, S);
            let (answer, held) = provider.change(&state("a"), &change(), S);
            assert_eq!((held.is_some(), answer.is_ok()), (is_applied, is_good), "{fault:?}");
            provider.set(DnsState::Up, S);
            assert!(provider.change(&state("a"), &change(), S).0.is_ok(), "{fault:?}");
        }
    }

    #[test]
    fn name_servers_follow_later() {
        let mut zone = Zone::new(state("a"));
        zone.set(state("b"), S * 5);
        assert_eq!((zone.shown(S * 4), zone.shown(S * 5)), (&state("a"), &state("b")));
        assert_eq!((zone.shown_before(S * 5), &zone.state), (&state("a"), &state("b")));
    }
}
