//! Eyes: what an agent sees of the sites of one service, and of what is around it.

use std::time::Duration;

use async_trait::async_trait;

use super::{Gate, SimClock};
use crate::monitor::{SiteClient, WriteCanary};
use crate::sim::language::{Side, Step};
use crate::sim::world::Phase;
use crate::types::{Clock as _, SiteName, Snapshot, Surroundings};
use std::sync::Arc;

/// The eyes of one process for one service.
pub(in crate::sim) struct SimEyes {
    pub(in crate::sim) gate: Gate,
    pub(in crate::sim) service: usize,
    pub(in crate::sim) clock: Arc<SimClock>,
    /// The service's configuration has a write canary.
    pub(in crate::sim) has_canary: bool,
}

impl SimEyes {
    /// The step that a look is: the target's last one before the claim, or its proof. A cycle that looks at the same
    /// site at the same time cannot be told apart, and need not be.
    fn step(&self, member: usize, canary: WriteCanary) -> Option<Step> {
        let mut state = self.gate.world.state();
        let phase = state.phase(self.gate.agent, self.service);
        match *phase {
            Phase::Ticketed(to) if to == member => {
                *phase = Phase::Rechecked(to);
                Some(Step::Recheck)
            }
            Phase::Proving(to) if to == member && canary == WriteCanary::Write => Some(Step::Prove),
            Phase::Idle | Phase::Ticketed(_) | Phase::Rechecked(_) | Phase::Proving(_) => None,
        }
    }
}

#[async_trait]
impl SiteClient for SimEyes {
    async fn look(&self, site: &SiteName, deadline: Duration, canary: WriteCanary) -> Snapshot {
        let canary = if self.has_canary { canary } else { WriteCanary::Skip };
        self.gate.pass().await;
        let (world, agent, service) = (&self.gate.world, self.gate.agent, self.service);
        let Some(member) = world.layout.member(site) else {
            let (taken, targets, domain) = (self.clock.now(), Vec::new(), Vec::new());
            return Snapshot { site: site.clone(), taken, targets, control: None, domain, anomaly: None };
        };
        let step = self.step(member, canary);
        if let Some(step) = step {
            self.gate.reach(step, Side::Before).await;
        }
        let now = world.now();
        let (targets, control, domain, anomaly, took) = {
            let mut state = world.state();
            let (targets, longest) = state.look(agent, service, member, deadline, canary, now);
            let control = state.control(agent, service, member, deadline, now);
            let (domain, took) = state.domain(agent, member, deadline);
            let asked = control.as_ref().map_or(Duration::ZERO, |(_, took)| *took);
            let anomaly = state.anomaly(service, member);
            (targets, control.map(|(said, _)| said), domain, anomaly, longest.max(asked).max(took))
        };
        if let Some(step) = step {
            self.gate.reach(step, Side::After).await;
        }
        self.gate.take(took + self.gate.late()).await;
        Snapshot { site: site.clone(), taken: self.clock.now(), targets, control, domain, anomaly }
    }

    async fn surroundings(&self, deadline: Duration) -> Surroundings {
        self.gate.pass().await;
        let world = &self.gate.world;
        let now = world.now();
        let (seen, took) = world.state().surroundings(self.gate.agent, self.service, deadline, now);
        self.gate.take(took).await;
        seen
    }
}
