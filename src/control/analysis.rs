//! What the analysis adds to a cycle: scores before the decision, and learning after it.

use super::worker::Worker;
use crate::decide::{Decision, Health, Reason};
use crate::monitor::signals;
use crate::types::Snapshot;

/// The parameter of all forests' seeds. Another number would give other trees, no better and no worse.
pub(super) const ANALYSIS_SEED: u64 = 1;

impl Worker {
    /// Fills in how unusual each site is.
    pub(super) fn analyse(&mut self, snapshots: &mut [Snapshot]) {
        let timeout = self.setup.probe_timeout;
        self.analyser.score(snapshots, |look| signals(look, timeout));
    }

    /// Learns from this round, once everything it asked for is under way. What is seen at a site that is not healthy, or
    /// in an incident of the service, must not become usual. A service that waits to be adopted is in no incident.
    pub(super) fn learn(&mut self, decision: &Decision) {
        let is_calm = decision.incident.is_none() || decision.reasons.contains(&Reason::NotAdopted);
        let is_usual = |health: Health| is_calm && health == Health::Healthy;
        let healthy = decision.health.iter().filter(|(_, health)| is_usual(*health));
        let sites: Vec<_> = healthy.map(|(site, _)| site).collect();
        self.analyser.learn(&sites);
    }
}
