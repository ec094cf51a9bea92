//! The front door: all signals of all targets of one service, and what is remembered of each for the next look.

use std::collections::BTreeMap;
use std::time::Duration;

use super::latency::Latency;
use super::mix::Mix;
use super::pressure;
use super::reading::Reading;
use super::usual::{Usual, change, loss};
use super::window::Window;
use crate::monitor::normalise::signals;
use crate::types::{CanaryResult, Moment, Ratio, SiteName, Snapshot, TargetName, TargetSnapshot};

/// The canary is two exchanges, a write and a read.
const CANARY_EXCHANGES: u32 = 2;

/// The signals of one target that are known, in the table's order.
pub type Signals = Vec<(&'static str, Ratio)>;

/// A target and its signals.
pub type TargetSignals = (SiteName, TargetName, Signals);

/// What is remembered of the targets of one service.
#[derive(Debug, Clone, Default)]
pub struct SignalBook {
    targets: BTreeMap<(SiteName, TargetName), Remembered>,
}

#[derive(Debug, Clone, Default)]
struct Remembered {
    signals: Signals,
    pings: Latency,
    canaries: Latency,
    window: Window,
    hits: Usual,
    keys: Usual,
    mix: Mix,
}

impl SignalBook {
    /// Takes the looks of one round; targets that are no longer looked at are forgotten. A command may take
    /// `probe_timeout`.
    pub fn note(&mut self, snapshots: &[Snapshot], probe_timeout: Duration) {
        let is_seen = |site: &SiteName, target: &TargetName| {
            snapshots.iter().any(|s| s.site == *site && s.targets.iter().any(|t| t.target == *target))
        };
        self.targets.retain(|(site, target), _| is_seen(site, target));
        for snapshot in snapshots {
            for look in &snapshot.targets {
                let key = (snapshot.site.clone(), look.target.clone());
                self.targets.entry(key).or_default().note(look, snapshot.taken, probe_timeout);
            }
        }
    }

    /// The signals of every target, as of its last look.
    #[must_use]
    pub fn all(&self) -> Vec<TargetSignals> {
        let known = self.targets.iter();
        known.map(|((site, target), known)| (site.clone(), target.clone(), known.signals.clone())).collect()
    }

    /// The most that is remembered of one target: looks or commands.
    #[cfg(test)]
    pub(super) fn remembered_most(&self) -> usize {
        let most = |one: &Remembered| {
            one.pings.len().max(one.canaries.len()).max(one.window.len()).max(one.mix.len())
        };
        self.targets.values().map(most).max().unwrap_or(0)
    }
}

impl Remembered {
    fn note(&mut self, look: &TargetSnapshot, now: Moment, probe_timeout: Duration) {
        self.pings.see(look.ping.as_ref().copied(), probe_timeout);
        let limit = probe_timeout.saturating_mul(CANARY_EXCHANGES);
        match &look.canary {
            CanaryResult::Written(took) => self.canaries.see(Ok(*took), limit),
            CanaryResult::Failed(gap) => self.canaries.see(Err(gap), limit),
            CanaryResult::NotAsked => {}
        }
        let mut known = signals(look, probe_timeout);
        let mut add = |name, value: Option<Ratio>| known.extend(value.map(|ratio| (name, ratio)));
        add("ping_median", self.pings.median());
        add("ping_tail", self.pings.tail());
        add("canary_median", self.canaries.median());
        add("canary_tail", self.canaries.tail());
        if let (Ok(facts), Some(reading)) = (&look.facts, Reading::of(look)) {
            let growth = self.window.grow(&reading, now);
            let grown = growth.as_ref().map(|growth| &growth.counters);
            let hit_ratio = grown.and_then(pressure::hit_ratio);
            add("hit_ratio_loss", hit_ratio.map(|ratio| loss(ratio, self.hits.see(ratio, now))));
            add("rejected_connections", grown.and_then(pressure::rejected_connections));
            let levels = &reading.levels;
            add("evictions", growth.as_ref().and_then(|growth| pressure::evictions(growth, levels)));
            add("blocked_clients", pressure::blocked_clients(levels));
            add("cpu", growth.as_ref().and_then(pressure::cpu));
            add("fragmentation", pressure::fragmentation(levels));
            add("replication_lag", pressure::replication_lag(facts, levels));
            add("error_replies", grown.and_then(pressure::error_replies));
            add("command_mix_shift", self.mix.shift(&reading.run, &reading.commands, now));
            add("keyspace_change", Some(change(levels.keys, self.keys.see(levels.keys, now))));
        }
        self.signals = known;
    }
}
