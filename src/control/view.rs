//! The published picture: what the last cycle of each service saw and decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Service;
use crate::decide::{Crowd, DOWN_SEVERITY, Decision, Health, Reason, Verdict};
use crate::monitor::TargetSignals;
use crate::types::{
    AlertKey, Anomaly, Fence, PeerOutlier, RecordState, ServiceName, SiteName, Snapshot, TargetName,
};

/// The picture of one service.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// Its configuration.
    pub service: Arc<Service>,
    /// What was seen.
    pub snapshots: Vec<Snapshot>,
    /// How good or bad each target is in each respect.
    pub signals: Vec<TargetSignals>,
    /// How unusual each target is of which that can be said.
    pub anomalies: Vec<(SiteName, TargetName, Anomaly)>,
    /// How unlike its peers each target is that has any.
    pub peer_outliers: Vec<(SiteName, TargetName, PeerOutlier)>,
    /// What was decided.
    pub decision: Arc<Decision>,
    /// What the provider holds, where it could be read.
    pub record: Option<RecordState>,
    /// The fence in it, where it can be read.
    pub fence: Option<Fence>,
    /// Why the service is halted, if it is.
    pub halted: Option<String>,
    /// A person has paused it.
    pub is_paused: bool,
    /// The journal took the last entry.
    pub is_durable: bool,
    /// The alerts that are remembered to fire.
    pub firing: BTreeSet<AlertKey>,
}

impl ServiceView {
    /// Every site with every state it may be in, and whether it is.
    pub fn health(&self) -> impl Iterator<Item = (&SiteName, &'static str, bool)> {
        let states = |site, present| Health::ALL.into_iter().map(move |s| (site, s.as_str(), s == present));
        self.decision.health.iter().flat_map(move |(site, present)| states(site, *present))
    }

    /// Whether the service waits for a person.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        // Before anybody has adopted the service there is nothing to look at yet.
        let is_new = self.decision.reasons.contains(&Reason::NotAdopted);
        self.halted.is_some() || (self.decision.verdict == Verdict::Halt && !is_new)
    }

    /// Whether a person should switch.
    #[must_use]
    pub fn is_recommending(&self) -> bool {
        self.decision.verdict == Verdict::Recommend
    }

    /// Whether record or fence are not as this agent left them.
    #[must_use]
    pub fn is_drifting(&self) -> bool {
        self.decision.reasons.iter().any(Reason::is_foreign)
    }
}

/// The picture of all services.
#[derive(Debug, Clone, Default)]
pub struct View {
    services: Arc<Mutex<BTreeMap<ServiceName, Arc<ServiceView>>>>,
}

impl View {
    /// The picture as it is at this moment.
    #[must_use]
    pub fn services(&self) -> Vec<Arc<ServiceView>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The picture of one service, once its first cycle is over.
    #[must_use]
    pub fn of(&self, service: &ServiceName) -> Option<Arc<ServiceView>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned()
    }

    /// How many of the services have an active site that this agent sees down.
    pub(super) fn crowd(&self) -> Crowd {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let is_down = |view: &&Arc<ServiceView>| {
            let votes = view.decision.votes.iter();
            let active = votes.into_iter().find(|vote| view.decision.active.as_ref() == Some(&vote.site));
            active.and_then(|vote| vote.severity).is_some_and(|s| s.get() >= DOWN_SEVERITY)
        };
        Crowd { down: services.values().filter(is_down).count(), total: services.len() }
    }

    pub(super) fn publish(&self, view: ServiceView) {
        let name = view.service.name.clone();
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(view));
    }

    pub(super) fn withdraw(&self, service: &ServiceName) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).remove(service);
    }
}
