//! The front door: scores all targets of one service, and hands out what may be learned of them.

use std::collections::BTreeMap;

use super::measures::{MEASURES, compared};
use super::watched::{Entrance, Watched};
use super::words::unlike_peers;
use crate::analyse::follow::Follower;
use crate::analyse::limit::Threshold;
use crate::analyse::model::{Recipe, Rule};
use crate::analyse::peers::{Peculiar, Peers};
use crate::analyse::seed;
use crate::types::{Anomaly, PeerOutlier, Ratio, ServiceName, SiteName, Snapshot, TargetName};

/// From this score on a target is told of as unlike its peers,
const TOLD_FROM: f64 = 0.5;
/// and is no more below this one: what comes and goes is told of once.
const TOLD_UNTIL: f64 = 0.2;

/// How targets are analysed.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The time from one row to the next, in seconds.
    pub period_seconds: u32,
    /// Where an alarm begins.
    pub threshold: Threshold,
    /// What counts as a deviation of some signals, instead of the defaults.
    pub rules: Vec<(String, Rule)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { period_seconds: 60, threshold: Threshold::default(), rules: Vec::new() }
    }
}

impl Settings {
    /// How the model of a target is made.
    #[must_use]
    pub fn recipe(&self, service: &ServiceName, site: &SiteName, target: &TargetName) -> Recipe {
        let rules = self.rules.iter().cloned().chain(super::default_rules()).collect();
        let seed = seed::of_target(SEED, service, site, target);
        Recipe { period_seconds: self.period_seconds, seed, rules }
    }
}

/// The parameter of all forests' seeds. Another number would give other trees, no better and no worse.
const SEED: u64 = 1;

/// A row of one target, for its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The site.
    pub site: SiteName,
    /// The target.
    pub target: TargetName,
    /// When the period ended, Unix seconds.
    pub time: i64,
    /// The measures, in the order of [`measure_names`](super::measure_names).
    pub row: Vec<f64>,
    /// It may be learned from: no alarm, no incident, no gap.
    pub is_usual: bool,
    /// The last day lies far from what the model in use was trained on.
    pub has_drifted: bool,
}

/// What is usual at each target of one service.
#[derive(Debug, Clone)]
pub struct Analyser {
    settings: Settings,
    targets: BTreeMap<(SiteName, TargetName), Watched>,
    peers: Peers,
    outliers: BTreeMap<(SiteName, TargetName), PeerOutlier>,
}

impl Analyser {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, targets: BTreeMap::new(), peers: Peers::default(), outliers: BTreeMap::new() }
    }

    /// Takes other settings; what was learned with another period is forgotten.
    pub fn configure(&mut self, settings: Settings) {
        if settings.period_seconds != self.settings.period_seconds {
            self.targets.clear();
            self.peers.clear();
            self.outliers.clear();
        }
        self.settings = settings;
    }

    /// Scores the looks of one round and fills in how unusual each site is: as its most unusual target. A site's score
    /// that came with its looks stands.
    pub fn score(&mut self, snapshots: &mut [Snapshot]) {
        let is_seen = |site: &SiteName, target: &TargetName| {
            snapshots.iter().any(|s| s.site == *site && s.targets.iter().any(|t| t.target == *target))
        };
        self.targets.retain(|(site, target), _| is_seen(site, target));
        self.peers.retain(is_seen);
        for snapshot in snapshots {
            let at = snapshot.taken.wall.as_secs_f64();
            let mut strangest: Option<Ratio> = None;
            for look in &snapshot.targets {
                let key = (snapshot.site.clone(), look.target.clone());
                let severity = self.targets.entry(key).or_default().see(look, at, &self.settings);
                strangest = severity.map(|s| s.max(strangest.unwrap_or(Ratio::ZERO))).or(strangest);
            }
            snapshot.anomaly = snapshot.anomaly.or(strangest);
        }
    }

    /// Remembers the rows that this round completed, and returns them. Those of the sites named here may be learned from.
    pub fn remember(&mut self, calm: &[&SiteName]) -> Vec<Lesson> {
        let mut lessons = Vec::new();
        for ((site, target), watched) in &mut self.targets {
            let Some((due, is_usual)) = watched.remember(calm.contains(&site)) else { continue };
            let (site, target) = (site.clone(), target.clone());
            if let Some(role) = due.role {
                self.peers.push((site.clone(), target.clone()), role, due.time, due.row.clone());
            }
            let has_drifted = watched.drift().is_some_and(|drift| drift.is_far());
            lessons.push(Lesson { site, target, time: due.time, row: due.row, is_usual, has_drifted });
        }
        if !lessons.is_empty() {
            self.compare();
        }
        lessons
    }

    /// Holds all targets against their peers.
    fn compare(&mut self) {
        let period = i64::from(self.settings.period_seconds);
        let found = self.peers.judge(period, &compared(&self.settings.rules));
        let before = std::mem::take(&mut self.outliers);
        self.outliers = found
            .into_iter()
            .map(|Peculiar { site, target, score, worst }| {
                let key = (site, target);
                let was_told = before.get(&key).is_some_and(|outlier| outlier.because.is_some());
                let is_told = score.get() >= TOLD_FROM || (was_told && score.get() >= TOLD_UNTIL);
                let because =
                    worst.filter(|_| is_told).map(|worst| unlike_peers(&MEASURES[worst.place], &worst));
                let signal = worst.map(|worst| MEASURES[worst.place].name);
                (key, PeerOutlier { score, signal, because })
            })
            .collect();
    }

    /// How unlike its peers each target is that has any, and answers.
    #[must_use]
    pub fn peer_outliers(&self) -> Vec<(SiteName, TargetName, PeerOutlier)> {
        let answers = |key: &(SiteName, TargetName)| self.targets.get(key).is_some_and(Watched::is_seen);
        let outliers = self.outliers.iter().filter(|(key, _)| answers(key));
        outliers.map(|((site, target), outlier)| (site.clone(), target.clone(), outlier.clone())).collect()
    }

    /// The targets, and when the youngest model that each was given was trained.
    #[must_use]
    pub fn models(&self) -> Vec<(SiteName, TargetName, Option<i64>)> {
        let targets = self.targets.iter();
        targets.map(|((site, target), watched)| (site.clone(), target.clone(), watched.youngest())).collect()
    }

    /// What is unusual at a site, in sentences.
    #[must_use]
    pub fn because(&self, of: Option<&SiteName>) -> Vec<&str> {
        let at_site = self.targets.iter().filter(|((site, _), _)| Some(site) == of);
        let anomalies = at_site.filter_map(|(_, watched)| watched.anomaly.as_ref());
        anomalies.flat_map(|anomaly| anomaly.because.iter().map(String::as_str)).collect()
    }

    /// Takes a target's model that was trained at a time, Unix seconds. Where there is one already, the new one must
    /// first show that it is no worse, unless it may enter at once.
    pub fn adopt(
        &mut self,
        site: &SiteName,
        target: &TargetName,
        follower: Follower,
        trained: i64,
        entrance: Entrance,
    ) {
        if let Some(watched) = self.targets.get_mut(&(site.clone(), target.clone())) {
            watched.adopt(follower, trained, entrance);
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

    #[cfg(test)]
    pub(super) fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.targets.values()
    }
}
