//! The front door: scores all targets of one service, and learns from those that are as they should be.

use std::collections::BTreeMap;

use super::detector::Detector;
use super::features::Features;
use super::seed;
use crate::types::{Anomaly, Ratio, ServiceName, SiteName, Snapshot, TargetName, TargetSnapshot};

/// What is usual at each target of one service.
#[derive(Debug, Clone)]
pub struct Analyser {
    service: ServiceName,
    seed: u64,
    targets: BTreeMap<(SiteName, TargetName), Watched>,
}

#[derive(Debug, Clone)]
struct Watched {
    seed: u64,
    detector: Detector,
    anomaly: Option<Anomaly>,
    /// The look of this round, if it may be learned from.
    look: Option<Features>,
}

impl Analyser {
    /// Knows nothing yet. The same service, looks and `seed` give the same scores.
    #[must_use]
    pub fn new(service: ServiceName, seed: u64) -> Self {
        Self { service, seed, targets: BTreeMap::new() }
    }

    /// Scores the looks of one round and fills in how unusual each site is: as its most unusual target. `signals` are
    /// those of [`SIGNALS`](crate::types::SIGNALS) that a look knows. A site's score that came with its looks stands.
    pub fn score(
        &mut self,
        snapshots: &mut [Snapshot],
        mut signals: impl FnMut(&TargetSnapshot) -> Vec<(&'static str, Ratio)>,
    ) {
        let is_seen = |site: &SiteName, target: &TargetName| {
            snapshots.iter().any(|s| s.site == *site && s.targets.iter().any(|t| t.target == *target))
        };
        self.targets.retain(|(site, target), _| is_seen(site, target));
        for snapshot in snapshots {
            let mut strangest = None;
            for look in &snapshot.targets {
                let severity = self.watched(&snapshot.site, &look.target).see(look, &signals(look));
                strangest = severity.map(|s| s.max(strangest.unwrap_or(Ratio::ZERO))).or(strangest);
            }
            snapshot.anomaly = snapshot.anomaly.or(strangest);
        }
    }

    /// Learns from the looks of this round at these sites; those at other sites are forgotten. At most one forest is
    /// fitted in a round, so that a round takes as long with many targets as with one.
    pub fn learn(&mut self, sites: &[&SiteName]) {
        for ((site, _), watched) in &mut self.targets {
            let look = watched.look.take().filter(|_| sites.contains(&site));
            if let Some(look) = look {
                watched.attempt(|detector| detector.learn(look));
            }
        }
        if let Some(watched) = self.targets.values_mut().find(|watched| watched.detector.is_due()) {
            watched.attempt(Detector::fit);
        }
    }

    /// How unusual each target is of which that can be said.
    #[must_use]
    pub fn anomalies(&self) -> Vec<(SiteName, TargetName, Anomaly)> {
        let scored = self.targets.iter().filter_map(|((site, target), watched)| {
            Some((site.clone(), target.clone(), watched.anomaly.clone()?))
        });
        scored.collect()
    }

    fn watched(&mut self, site: &SiteName, target: &TargetName) -> &mut Watched {
        let seed = seed::of_target(self.seed, &self.service, site, target);
        let fresh = || Watched { seed, detector: Detector::new(seed), anomaly: None, look: None };
        self.targets.entry((site.clone(), target.clone())).or_insert_with(fresh)
    }

    /// The most looks that are remembered of one target.
    #[cfg(test)]
    pub(super) fn looks_most(&self) -> usize {
        self.targets.values().map(|watched| watched.detector.looks()).max().unwrap_or(0)
    }
}

impl Watched {
    /// Scores a look; returns how severe it is. A target must be as severe twice in a row, for one odd look is soon
    /// over. One that does not answer INFO has no score: that it is silent is for the vantages to judge, and would else
    /// be counted twice.
    fn see(&mut self, look: &TargetSnapshot, signals: &[(&'static str, Ratio)]) -> Option<Ratio> {
        let before = self.anomaly.take().map_or(Ratio::ZERO, |anomaly| anomaly.severity());
        self.look = None;
        let facts = look.facts.as_ref().ok()?;
        let features = Features::new(signals);
        if look.gap().is_none() && facts.loading != Some(true) {
            self.look = Some(features);
        }
        self.anomaly = self.detector.score(&features);
        let severity = self.anomaly.as_ref()?.severity();
        Some(if severity < before { severity } else { before })
    }

    /// A forest that refuses what it is given is a mistake of this folder; it begins anew rather than stay as it is.
    fn attempt<E>(&mut self, work: impl FnOnce(&mut Detector) -> Result<(), E>) {
        if work(&mut self.detector).is_err() {
            self.detector = Detector::new(self.seed);
        }
    }
}
