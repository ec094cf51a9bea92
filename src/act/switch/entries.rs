//! What a switch writes down: each step when it is done, and the end.

use super::{Ended, Switch};
use crate::decide::fence_of;
use crate::decide::saga::{Outcome, Step, unclaimed};
use crate::store::{Body, JournalError, NewEntry};
use crate::types::Guard;

impl Switch<'_> {
    pub(super) async fn note(&mut self, step: Step) -> Result<(), JournalError> {
        let now = self.hands.clock.now();
        let took = now.since(self.since);
        self.since = now;
        self.hands.metrics.phase(step.phase(), took.as_secs_f64());
        tracing::info!(service = %self.plan.service, decision = %self.plan.decision, phase = step.phase(),
            took_ms = took.as_millis(), "switch goes on");
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.write(Body::Stepped { decision: self.plan.decision.clone(), step, took_ms }).await
    }

    /// Writes a step down while something is looked at: that changes nothing, so it need not wait for the disk.
    pub(super) async fn note_beside<T>(
        &mut self,
        step: Step,
        look: impl Future<Output = T>,
    ) -> Result<T, JournalError> {
        let (noted, seen) = tokio::join!(self.note(step), look);
        noted.map(|()| seen)
    }

    pub(super) async fn end(&mut self, outcome: Outcome) -> Ended {
        self.turn = None;
        self.follow(&outcome).await?;
        let epoch = match &outcome {
            Outcome::Switched => Some(self.plan.fence.epoch.saturating_add(2)),
            Outcome::Cleared => Some(self.plan.fence.epoch.saturating_add(1)),
            // What stands in DNS decides which epoch is known: a claim given back has moved it on.
            Outcome::Abandoned { .. } => self.epoch_in_dns().await.or(self.epoch),
            Outcome::PromotedNotSwitched { .. } | Outcome::Foreign { .. } => None,
        };
        if !self.plan.is_clearing() {
            self.hands.metrics.ended(self.plan, &outcome);
        }
        let body = Body::Ended { decision: self.plan.decision.clone(), outcome: outcome.clone(), epoch };
        self.write(body).await?;
        Ok(outcome)
    }

    async fn epoch_in_dns(&self) -> Option<u64> {
        let found = self.hands.dns.read().await.ok()?;
        let ours = [&self.plan.expected, &unclaimed(self.plan, &self.agent.name)].contains(&&found);
        let fence = fence_of(&found).ok().flatten();
        fence.filter(|_| ours).map(|fence| fence.epoch)
    }

    async fn write(&self, body: Body) -> Result<(), JournalError> {
        let entry = NewEntry {
            at_unix_ms: self.hands.clock.now().unix_ms(),
            service: self.plan.service.clone(),
            incident: None,
            body,
        };
        let written = self.hands.journal.append(vec![entry]).await;
        if Guard::AuditBeforeAct.stands() { written.map(|_| ()) } else { Ok(()) }
    }
}
