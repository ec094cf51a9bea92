//! What the analysis adds to a cycle: scores before the decision, and rows of history after it.

use super::worker::Worker;
use crate::analyse::{Direction, Rule, Settings, Threshold};
use crate::config::{Analysis, AnalysisSignal, AnomalyDirection, AnomalyThreshold};
use crate::decide::{Decision, Group, Health, Reason};
use crate::types::{SiteName, Snapshot, TargetName};

/// What is unusual at the active site is told with the decision in so many sentences at most, and what is unlike its peers
/// at any site.
const SENTENCES_MAX: usize = 3;

/// The settings of the analysis that a configuration asks for.
#[must_use]
pub fn analysis_settings(analysis: &Analysis) -> Settings {
    Settings {
        period_seconds: u32::try_from(analysis.period.as_secs()).unwrap_or(60).max(1),
        threshold: match analysis.threshold {
            AnomalyThreshold::AlarmsPerDay(alarms) => Threshold::AlarmsPerDay(alarms),
            AnomalyThreshold::Contamination(share) => Threshold::Contamination(share),
            AnomalyThreshold::Fixed(score) => Threshold::Fixed(score),
        },
        rules: analysis.signals.iter().map(|signal| (signal.name.clone(), rule(signal))).collect(),
    }
}

fn rule(signal: &AnalysisSignal) -> Rule {
    let direction = match signal.direction {
        AnomalyDirection::Both => Direction::Both,
        AnomalyDirection::High => Direction::High,
        AnomalyDirection::Low => Direction::Low,
    };
    let AnalysisSignal { deviation_min, deviation_min_share, .. } = *signal;
    Rule { direction, deviation_min, deviation_min_share }
}

impl Worker {
    /// Fills in how unusual each site is, and notes the signals of all targets.
    pub(super) fn analyse(&mut self, snapshots: &mut [Snapshot]) {
        let timeout = self.setup.probe_timeout;
        self.analyser.score(snapshots);
        self.signals.note(snapshots, timeout);
    }

    /// Says with the decision what is unusual at its active site, and which targets are unlike their peers. The latter is
    /// shown there because people look there; it is no evidence.
    pub(super) fn tell_unusual(&self, decision: &mut Decision) {
        let mut terms = decision.confidence.terms.iter_mut();
        let Some(term) = terms.find(|term| term.group == Group::Anomaly) else { return };
        let because = self.analyser.because(decision.active.as_ref());
        if !because.is_empty() {
            let most = because.len().min(SENTENCES_MAX);
            term.because = format!("{}: {}", term.because, because[..most].join("; "));
        }
        let outliers = self.analyser.peer_outliers();
        let told = outliers.iter().filter_map(|(site, target, outlier)| {
            Some(format!("{site} {target}: {}", outlier.because.as_ref()?))
        });
        let told: Vec<String> = told.take(SENTENCES_MAX).collect();
        if !told.is_empty() {
            term.because = format!("{} (unlike its peers, no evidence: {})", term.because, told.join("; "));
        }
    }

    /// The targets that are told of as unlike their peers.
    pub(super) fn unlike_peers(&self) -> Vec<(SiteName, TargetName)> {
        let outliers = self.analyser.peer_outliers().into_iter();
        let told = outliers.filter(|(.., outlier)| outlier.because.is_some());
        told.map(|(site, target, _)| (site, target)).collect()
    }

    /// Hands over the rows that this round completed, once everything that its decision asks for is under way, and takes
    /// the models that were made meanwhile. When an incident opens, the rows before it are taken back: it seldom begins
    /// where it is noticed.
    pub(super) fn learn(&mut self, decision: &Decision) {
        let lessons = self.analyser.remember(&usual(decision));
        let was_calm = std::mem::replace(&mut self.was_calm, is_calm(decision));
        let Some(learner) = &self.setup.lessons else { return };
        if was_calm && !self.was_calm {
            learner.take_back(&self.setup.service.name, self.setup.hands.clock.now().unix_ms() / 1000);
        }
        learner.give(&self.setup.service.name, lessons);
        for (site, target, known) in self.analyser.models() {
            let place = (self.setup.service.name.clone(), site, target);
            if let Some(ready) = learner.younger(&place, known) {
                self.analyser.adopt(&place.1, &place.2, ready.follower, ready.trained, ready.entrance);
            }
        }
    }
}

/// Whether the service is in no incident. One that waits to be adopted is in none, whatever its incident says.
fn is_calm(decision: &Decision) -> bool {
    decision.incident.is_none() || decision.reasons.contains(&Reason::NotAdopted)
}

/// The sites whose looks of this round may become usual: the healthy ones of a service that is in no incident.
fn usual(decision: &Decision) -> Vec<&SiteName> {
    let is_usual = |health: Health| is_calm(decision) && health == Health::Healthy;
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
