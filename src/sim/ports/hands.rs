//! Hands at the simulated Redis of one service.

use std::time::Duration;

use async_trait::async_trait;

use super::Gate;
use crate::act::{Promote, PromoteError};
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::sim::language::{Side, Step};
use crate::sim::world::Phase;
use crate::types::SiteName;

/// An order and its answer are on their way for so long,
const WAY: Duration = Duration::from_millis(6);
/// and are given up after so long.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The hands of one process.
pub(in crate::sim) struct SimHands {
    pub(in crate::sim) gate: Gate,
    pub(in crate::sim) service: usize,
}

impl SimHands {
    fn member(&self, site: &SiteName) -> Result<usize, PromoteError> {
        self.gate.world.layout.member(site).ok_or_else(|| PromoteError::UnknownSite(site.clone()))
    }

    async fn answer<T>(&self, answer: Result<T, PromoteError>) -> Result<T, PromoteError> {
        let time = if answer.is_ok() { WAY } else { TIMEOUT };
        self.gate.take(time + self.gate.late()).await;
        answer
    }
}

#[async_trait]
impl Promote for SimHands {
    async fn fence(&self, site: &SiteName, pause: Duration) -> Result<Vec<Fencing>, PromoteError> {
        self.gate.pass().await;
        let member = self.member(site)?;
        let (world, agent, service) = (&self.gate.world, self.gate.agent, self.service);
        // The standing order fences as well, outside of any switch; that is no step of one.
        let is_step = *world.state().phase(agent, service) != Phase::Idle;
        if is_step {
            self.gate.reach(Step::Fence, Side::Before).await;
        }
        let now = world.now();
        let fenced = world.state().fence(agent, service, member, pause, now);
        if is_step {
            self.gate.reach(Step::Fence, Side::After).await;
        }
        self.answer(fenced).await
    }

    async fn release(&self, site: &SiteName) {
        self.gate.pass().await;
        let Ok(member) = self.member(site) else { return };
        let now = self.gate.world.now();
        self.gate.world.state().release(self.gate.agent, self.service, member, now);
        self.gate.take(WAY).await;
    }

    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError> {
        self.gate.pass().await;
        let member = self.member(&plan.to)?;
        let world = &self.gate.world;
        self.gate.reach(Step::Promote, Side::Before).await;
        let now = world.now();
        let promoted = world.state().promote(self.gate.agent, self.service, member, now);
        self.gate.reach(Step::Promote, Side::After).await;
        self.answer(promoted).await
    }
}
