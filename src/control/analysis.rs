//! What the analysis adds to a cycle: scores before the decision, and learning after it.

use super::worker::Worker;
use crate::decide::{Decision, Health, Reason};
use crate::monitor::signals;
use crate::types::{SiteName, Snapshot};

/// The parameter of all forests' seeds. Another number would give other trees, no better and no worse.
pub(super) const ANALYSIS_SEED: u64 = 1;

impl Worker {
    /// Fills in how unusual each site is, and notes the signals of all targets.
    pub(super) fn analyse(&mut self, snapshots: &mut [Snapshot]) {
        let timeout = self.setup.probe_timeout;
        self.analyser.score(snapshots, |look| signals(look, timeout));
        self.signals.note(snapshots, timeout);
    }

    /// Learns from this round, once everything that its decision asks for is under way.
    pub(super) fn learn(&mut self, decision: &Decision) {
        self.analyser.learn(&usual(decision));
    }
}

/// The sites whose looks of this round may become usual: the healthy ones of a service that is in no incident. One that
/// waits to be adopted is in none, whatever its incident says.
fn usual(decision: &Decision) -> Vec<&SiteName> {
    let is_calm = decision.incident.is_none() || decision.reasons.contains(&Reason::NotAdopted);
    let is_usual = |health: Health| is_calm && health == Health::Healthy;
    decision.health.iter().filter(|(_, health)| is_usual(*health)).map(|(site, _)| site).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Body;

    const FAILOVER: &str = include_str!("../../tests/testdata/journal/decided_without_evidence.json");

    #[test]
    fn only_healthy_sites_without_an_incident_are_learned_from() {
        let Body::Decided { decision, .. } = serde_json::from_str(FAILOVER).unwrap() else {
            panic!("it is a decision");
        };
        let mut decision = *decision;
        assert_eq!(usual(&decision), Vec::<&SiteName>::new(), "an incident is open");
        decision.reasons = vec![Reason::NotAdopted];
        let names =
            |decision: &Decision| usual(decision).into_iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&decision), ["dc-b"], "dc-a has failed");
        decision.reasons = Vec::new();
        decision.incident = None;
        assert_eq!(names(&decision), ["dc-b"]);
        for health in [Health::Degraded, Health::Failing, Health::Failed, Health::Unknown] {
            decision.health[1].1 = health;
            assert_eq!(usual(&decision), Vec::<&SiteName>::new(), "{health:?}");
        }
    }
}
