//! How far every standby is behind the active site, measured while that can be measured, and remembered for the time
//! when it cannot.

use std::collections::VecDeque;
use std::time::Duration;

use super::evidence::{Evidence, age};
use crate::types::{Facts, Moment, Role, SiteName};

/// Offsets of the active site remembered.
const OFFSETS_MAX: usize = 600;

/// The last known lag of one standby, as it survives a restart.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KnownLag {
    /// The standby.
    pub site: SiteName,
    /// How far it was behind, seconds.
    pub lag_seconds: f64,
    /// How old the measurement was when the outage of the active site began, or at the decision while there was none;
    /// seconds.
    pub age_seconds: f64,
}

/// What is remembered of the lags.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Lags {
    offsets: VecDeque<(Moment, u64)>,
    offsets_of: Option<(SiteName, String)>,
    measured: Vec<(SiteName, Moment, Duration)>,
    /// From before a restart.
    inherited: Vec<KnownLag>,
    active_memory_bytes: Option<u64>,
    began: Option<Moment>,
}

impl Lags {
    pub(super) fn inherit(lags: Vec<KnownLag>) -> Self {
        Self { inherited: lags, ..Self::default() }
    }

    /// Memory the active site used when it was last seen, bytes.
    pub(super) fn active_memory_bytes(&self) -> Option<u64> {
        self.active_memory_bytes
    }

    /// Measures the lags of this round from the replication offsets.
    ///
    /// A standby that has applied offset `r` is as far behind as the moment when the active site passed `r` is old,
    /// interpolated between the rounds. Redis counts offsets in bytes of the replication stream.
    pub(super) fn measure(&mut self, active: &SiteName, evidence: &Evidence, now: Moment) {
        self.began.get_or_insert(now);
        let Some((snapshot, facts)) = evidence
            .snapshot(active)
            .and_then(|s| s.targets.first().and_then(|t| t.facts.as_ref().ok().map(|f| (s, f))))
        else {
            return;
        };
        let (Some(Role::Primary), Some(offset)) = (facts.role, facts.offset_bytes) else {
            return;
        };
        if facts.loading == Some(true) {
            // It takes no writes, and the identity of its history is only known once it is loaded.
            return;
        }
        if let Some(used) = facts.memory_used_bytes {
            self.active_memory_bytes = Some(used);
        }
        let stream = (active.clone(), facts.replication_id.clone().unwrap_or_default());
        if self.offsets_of.as_ref() != Some(&stream) {
            self.offsets.clear();
            self.measured.retain(|(site, ..)| evidence.snapshot(site).is_some_and(|s| s.control.is_some()));
            self.offsets_of = Some(stream);
        }
        self.offsets.push_back((snapshot.taken, offset));
        if self.offsets.len() > OFFSETS_MAX {
            self.offsets.pop_front();
        }
        for standby in evidence.snapshots.iter().filter(|s| s.site != *active) {
            // Offsets of another history count other bytes.
            let follows =
                |f: &&Facts| f.role == Some(Role::Replica) && f.replication_id == facts.replication_id;
            let applied = standby
                .targets
                .first()
                .and_then(|t| t.facts.as_ref().ok().filter(follows).and_then(|f| f.offset_bytes));
            if let Some(lag) = applied.and_then(|r| self.lag_of(r, now)) {
                self.note(standby.site.clone(), now, lag);
            }
        }
    }

    /// Takes the word of the clusters' control planes, to be asked while the active site is up: against a dead one
    /// nothing can be measured.
    pub(super) fn take_reports(&mut self, active: &SiteName, evidence: &Evidence, now: Moment) {
        for seen in evidence.snapshots.iter().filter(|s| s.site != *active) {
            let plane = seen.control.as_ref().and_then(|c| c.as_ref().ok());
            if let Some(lag) = plane.and_then(|plane| plane.lag) {
                self.note(seen.site.clone(), now, lag);
            }
        }
    }

    fn note(&mut self, site: SiteName, now: Moment, lag: Duration) {
        self.inherited.retain(|known| known.site != site);
        self.measured.retain(|(known, ..)| *known != site);
        self.measured.push((site, now, lag));
    }

    fn lag_of(&self, applied: u64, now: Moment) -> Option<Duration> {
        let (_, newest) = self.offsets.back()?;
        if applied >= *newest {
            return Some(Duration::ZERO);
        }
        let after = self.offsets.iter().position(|(_, offset)| *offset > applied)?;
        let (later, passed) = self.offsets[after];
        let Some((earlier, reached)) = after.checked_sub(1).map(|i| self.offsets[i]) else {
            // Behind all that is remembered: at least as old as the oldest.
            return Some(now.since(later));
        };
        let share = (applied - reached) as f64 / (passed - reached) as f64;
        let then = earlier.mono + later.since(earlier).mul_f64(share);
        Some(now.mono.saturating_sub(then))
    }

    /// The last lag of a standby, and how old it was at a moment.
    pub(super) fn last(&self, standby: &SiteName, at: Moment) -> Option<(Duration, Duration)> {
        let measured = self.measured.iter().find(|(site, ..)| site == standby).map(|(_, then, lag)| {
            // Measured after that moment: the active site answered INFO while it failed otherwise.
            (*lag, age(at, *then).unwrap_or(Duration::ZERO))
        });
        measured.or_else(|| {
            let known = self.inherited.iter().find(|known| known.site == *standby)?;
            let since = self.began.map_or(Duration::ZERO, |began| at.since(began));
            let seconds = |number: f64| Duration::try_from_secs_f64(number).ok();
            Some((seconds(known.lag_seconds)?, seconds(known.age_seconds)?.saturating_add(since)))
        })
    }

    /// All that is known, for the journal: lags and their ages at a moment.
    pub(super) fn known(&self, at: Moment) -> Vec<KnownLag> {
        let measured = self.measured.iter().map(|(site, ..)| site);
        let sites = measured.chain(self.inherited.iter().map(|known| &known.site));
        let one = |site: &SiteName| {
            let (lag, age) = self.last(site, at)?;
            let (lag_seconds, age_seconds) = (lag.as_secs_f64(), age.as_secs_f64());
            Some(KnownLag { site: site.clone(), lag_seconds, age_seconds })
        };
        sites.filter_map(one).collect()
    }
}
