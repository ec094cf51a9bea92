//! The record of one service at the simulated provider.

use std::time::Duration;

use async_trait::async_trait;

use super::Gate;
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::decide::fence_of;
use crate::sim::language::{Side, Step};
use crate::sim::world::moves;
use crate::types::RecordState;

/// The way of a request to the provider, and that of its answer.
const WAY: Duration = Duration::from_millis(20);
/// A provider that does not answer is waited for so long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The record of one service, as one process reaches it.
pub(in crate::sim) struct SimDns {
    pub(in crate::sim) gate: Gate,
    pub(in crate::sim) service: usize,
}

impl SimDns {
    /// Writes a record whatever it holds, and leaves the fence as it is. No shipped code does that; the baselines do.
    pub(in crate::sim) async fn upsert(&self, member: usize) -> Result<Receipt, DnsError> {
        self.gate.take(WAY).await;
        let now = self.gate.world.now();
        let changed = self.gate.world.state().upsert(self.gate.agent, self.service, member, now);
        self.answer(changed).await
    }

    async fn answer<T>(&self, answer: Result<T, DnsError>) -> Result<T, DnsError> {
        let time = if matches!(answer, Err(DnsError::Unknown { .. })) { TIMEOUT } else { WAY };
        self.gate.take(time + self.gate.late()).await;
        answer
    }
}

/// The step that a change is; giving a claim back is none.
fn step(change: &RecordChange) -> Option<Step> {
    if moves(&change.expected, &change.wanted) {
        return Some(Step::DnsWrite);
    }
    let intends = |state: &RecordState| fence_of(state).ok().flatten().is_some_and(|f| f.intent.is_some());
    intends(&change.wanted).then_some(Step::Claim)
}

#[async_trait]
impl Dns for SimDns {
    async fn read(&self) -> Result<RecordState, DnsError> {
        self.gate.take(WAY).await;
        let read = {
            let mut state = self.gate.world.state();
            let reached = state.reach_provider(self.gate.agent);
            reached.and_then(|()| state.provider.read()).map(|()| state.zones[self.service].state.clone())
        };
        self.answer(read).await
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        self.gate.pass().await;
        let (world, agent) = (&self.gate.world, self.gate.agent);
        let sent = world.state().sends(agent, self.service, world.now());
        let step = step(change);
        if let Some(step) = step {
            self.gate.reach(step, Side::Before).await;
        }
        send.check()?;
        tokio::time::sleep(WAY).await;
        let now = world.now();
        let changed = world.state().change(agent, self.service, change, sent, now);
        if let Some(step) = step {
            self.gate.reach(step, Side::After).await;
        }
        if step == Some(Step::DnsWrite) {
            self.gate.reach(Step::Reply, Side::Before).await;
        }
        let answer = self.answer(changed).await;
        if step == Some(Step::DnsWrite) {
            self.gate.reach(Step::Reply, Side::After).await;
        }
        answer
    }

    async fn is_visible(&self, _receipt: &Receipt) -> Result<bool, DnsError> {
        self.gate.take(WAY).await;
        let now = self.gate.world.now();
        let visible = {
            let mut state = self.gate.world.state();
            let reached = state.reach_provider(self.gate.agent);
            let zone = &state.zones[self.service];
            let is_shown = *zone.shown(now) == zone.state && !state.provider.is_pending;
            reached.and_then(|()| state.provider.read()).map(|()| is_shown)
        };
        self.answer(visible).await
    }

    async fn check(&self) -> Vec<DnsError> {
        self.read().await.err().into_iter().collect()
    }

    async fn answers(&self) -> Vec<Answer> {
        self.gate.pass().await;
        self.gate.reach(Step::Verify, Side::Before).await;
        let now = self.gate.world.now();
        let answers = self.gate.world.state().answers(self.gate.agent, self.service, now);
        self.gate.reach(Step::Verify, Side::After).await;
        self.gate.take(WAY + self.gate.late()).await;
        answers
    }
}
