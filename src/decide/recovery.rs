//! The site that was active before: since when it is back, how stable, in step or not; and whether to go back.

use std::time::Duration;

use super::Reason;
use super::evidence::Evidence;
use super::machine::State;
use crate::config::{Service, Topology};
use crate::types::{Fence, Moment, Role, SiteName, Snapshot};

/// What is known of the site that was left.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recovery {
    /// The site.
    pub site: SiteName,
    /// Healthy for so many seconds without a break; `None` while it is not.
    pub healthy_seconds: Option<u64>,
    /// So many seconds are needed.
    pub needed_seconds: u64,
    /// Of the remembered looks at it, so many succeeded.
    pub looks_good: u32,
    /// So many looks are remembered.
    pub looks: u32,
    /// How far it is behind the active site, seconds; `None` when that is not known.
    pub lag_seconds: Option<f64>,
    /// It follows the active site, and is behind by no more than `rpo_soft`.
    pub in_step: bool,
}

impl Recovery {
    /// Follows the site that the last switch left; `None` when there was none, or it is not configured any more.
    pub(super) fn of(
        fence: Option<&Fence>,
        service: &Service,
        evidence: &Evidence,
        state: &State,
        now: Moment,
    ) -> Option<Self> {
        let fence = fence.filter(|f| f.from != f.active && f.intent.is_none())?;
        let site = service.site(&fence.from)?.name.clone();
        let policy = &service.policy;
        let lag = state.known_lag(&site, policy.lag_evidence_max_age, now);
        let (looks_good, looks) = state.successes(&site);
        Some(Self {
            healthy_seconds: state.healthy_for(&site, now).map(|d| d.as_secs()),
            needed_seconds: policy.failback_stability.as_secs(),
            looks_good,
            looks,
            lag_seconds: lag.map(|lag| lag.as_secs_f64()),
            in_step: follows(&site, service, evidence) && lag.is_some_and(|lag| lag <= policy.rpo_soft),
            site,
        })
    }

    /// The recommendation to go back, once it was stable and in step for long enough, unless a person has acknowledged
    /// since.
    pub(super) fn advice(&self, acknowledged: Option<Duration>) -> Option<Reason> {
        let healthy_seconds = self.healthy_seconds.filter(|s| *s >= self.needed_seconds)?;
        let ready_for = Duration::from_secs(healthy_seconds - self.needed_seconds);
        if acknowledged.is_some_and(|age| age < ready_for) {
            return None;
        }
        let lag_seconds = self.lag_seconds.filter(|_| self.in_step)?;
        Some(Reason::FailbackReady { site: self.site.clone(), healthy_seconds, lag_seconds })
    }
}

/// Whether the cluster of a site says that its member lacks the others' recent writes.
pub(super) fn is_stale(seen: &Snapshot) -> bool {
    let plane = seen.control.as_ref().and_then(|said| said.as_ref().ok());
    plane.is_some_and(|plane| plane.is_fresh == Some(false))
}

/// Whether a site is a standby of the active one, and not a second primary.
fn follows(site: &SiteName, service: &Service, evidence: &Evidence) -> bool {
    let Some(seen) = evidence.snapshot(site) else { return false };
    match service.topology {
        // A member that the cluster itself calls stale is no place to go back to.
        Topology::ActiveActive => !is_stale(seen),
        Topology::Replication => seen.targets.iter().all(|t| {
            let facts = t.facts.as_ref().ok();
            facts.is_some_and(|f| f.role == Some(Role::Replica) && f.link.as_ref().is_some_and(|l| l.up))
        }),
        Topology::ReplicaOf => {
            let plane = seen.control.as_ref().and_then(|c| c.as_ref().ok());
            plane.is_some_and(|p| p.is_link_up == Some(true))
        }
    }
}
