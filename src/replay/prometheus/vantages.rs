//! What the other agents must have said.

use std::time::Duration;

use super::chunk::{Chunk, Eye};
use super::rebuild::Rebuilder;
use crate::config::{Topology, Vantage};
use crate::decide::{Duty, Lens, Sight, judge};
use crate::types::{Gap, GapReason, Moment, Snapshot, VantageAnswer, VantageReport, Vote};

impl Rebuilder<'_> {
    /// What another agent must have said: its own looks, judged as it would have judged them.
    pub(super) fn vantage(
        &self,
        vantage: &Vantage,
        chunk: &Chunk,
        own: &Eye,
        step: usize,
        now: Moment,
    ) -> VantageAnswer {
        let eye = address(vantage).map(Eye::Agent).filter(|eye| eye != own && chunk.eyes().contains(eye));
        let said = eye.map(|eye| {
            let snapshots = self.snapshots(chunk, &eye, step, now);
            let votes = snapshots.iter().map(|seen| self.vote(seen)).collect();
            VantageReport { wall: now.wall, votes }
        });
        VantageAnswer {
            agent: vantage.name.clone(),
            failure_domain: vantage.failure_domain.clone(),
            said: said.ok_or_else(|| Gap::new(GapReason::NotAsked, "Prometheus holds nothing of it")),
        }
    }

    fn vote(&self, seen: &Snapshot) -> Vote {
        let lens = Lens {
            policy: &self.service.policy,
            probe_timeout: self.config.global.probe_timeout,
            loading_for: Duration::ZERO,
            resolves: false,
            vantages_there: &[],
        };
        let is_active = self.active.as_ref().is_some_and(|(active, _)| *active == seen.site);
        let serves = self.service.topology == Topology::ActiveActive || is_active;
        let judgement = judge(seen, if serves { Duty::Serve } else { Duty::Stand }, &lens);
        Vote {
            site: seen.site.clone(),
            severity: judgement.severity,
            is_silent: judgement.sight == Sight::Silent,
            is_domain_silent: None,
        }
    }
}

/// `host:port` of a vantage, as Prometheus calls it that scrapes it there.
pub(super) fn address(vantage: &Vantage) -> Option<String> {
    Some(format!("{}:{}", vantage.url.host_str()?, vantage.url.port_or_known_default()?))
}
