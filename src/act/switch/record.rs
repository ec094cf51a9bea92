//! The name moves, once the target has proven itself; then name servers and resolvers are asked.

use std::time::Duration;

use super::{Ended, Interrupted, Switch};
use crate::act::dns::Answer;
use crate::act::outside::reach;
use crate::act::permit::Refusal;
use crate::act::swap::{SwapFailure, swap};
use crate::decide::saga::{Outcome, Step, claimed, switched};
use crate::types::Guard;

/// A proof of the target that is older is made anew before the name moves.
const PROOF_AGE_MAX: Duration = Duration::from_secs(5);
/// Asking the name servers ends after so long; a slow one is reported, not waited for.
const VERIFY_LIMIT: Duration = Duration::from_secs(90);
/// Looking for the name servers in vain ends after so long.
const DISCOVERY_LIMIT: Duration = Duration::from_secs(5);
/// Time between two rounds of asking.
const VERIFY_POLL: Duration = Duration::from_millis(250);

impl Switch<'_> {
    /// Sees the target take a write; how the switch ends, where it does not.
    pub(super) async fn prove(&mut self) -> Result<Option<Outcome>, Interrupted> {
        let proof = self.looks().prove().await;
        self.proven(proof).await
    }

    pub(super) async fn proven(&mut self, proof: Result<(), String>) -> Result<Option<Outcome>, Interrupted> {
        match proof {
            Ok(()) => self.note(Step::Proven).await.map(|()| None).map_err(Interrupted::from),
            Err(why) => self.stop(&why).await.map(Some),
        }
    }

    /// Moves the name to the target that has proven itself.
    pub(super) async fn move_name(&mut self) -> Ended {
        // Before a promotion an old decision is dropped; after one the way is gone on with, or a person decides.
        if !self.plan.promotes && self.is_expired() {
            return self.stop(&Refusal::Expired.to_string()).await;
        }
        let from = match Guard::Claim.stands() {
            true => claimed(self.plan, &self.agent.name),
            false => self.plan.expected.clone(),
        };
        let to = switched(self.plan, &self.agent.name);
        let swapped = loop {
            // An old primary that came back in the meantime must not take writes while the name moves.
            if self.plan.promotes
                && let Err(why) = self.fence().await
            {
                return self.stop(&why).await;
            }
            if self.hands.clock.now().since(self.since) >= PROOF_AGE_MAX
                && Guard::Recheck.stands()
                && let Err(why) = self.looks().prove().await
            {
                return self.stop(&why).await;
            }
            match swap(self.hands, Some(self.plan), &from, &to).await {
                Err(SwapFailure::Busy(_)) if self.plan.promotes && !self.is_expired() => {}
                swapped => break swapped,
            }
        };
        match swapped {
            Ok(()) => self.note(Step::Switched).await?,
            Err(SwapFailure::NotLeading) => return self.stop(&Refusal::NotLeading.to_string()).await,
            Err(SwapFailure::Stopped(why) | SwapFailure::NotApplied(why) | SwapFailure::Busy(why)) => {
                return self.stop(&why).await;
            }
            Err(SwapFailure::Foreign(found)) => return Ok(self.overtaken(&found, self.plan.promotes)),
            Err(SwapFailure::Unknown(_)) => return Err(Interrupted::Unread),
        }
        self.verify().await
    }

    /// Waits until every name server answers the new value, or the limit is over. What they say is written down
    /// either way: the switch is made, and a slow name server is news, not a reason for another change.
    pub(super) async fn verify(&mut self) -> Ended {
        // Nothing of what follows keeps another switch from the provider.
        self.turn = None;
        let wanted = switched(self.plan, &self.agent.name).record.map(|set| set.values).unwrap_or_default();
        let began = self.hands.clock.now();
        let agrees = |a: &Answer| a.result.as_ref().is_ok_and(|set| set.values == wanted);
        let answers = loop {
            let answers = self.hands.dns.answers().await;
            let all = !answers.is_empty() && answers.iter().all(agrees);
            // Where no name server can be found there is nobody to wait for.
            let limit = if answers.is_empty() { DISCOVERY_LIMIT } else { VERIFY_LIMIT };
            if all || self.hands.clock.now().since(began) >= limit {
                break answers;
            }
            tokio::time::sleep(VERIFY_POLL).await;
        };
        let lines = answers.iter().map(ToString::to_string).collect::<Vec<_>>();
        let line = if lines.is_empty() { "no name server is known".to_owned() } else { lines.join("; ") };
        self.note(Step::Verified { answers: line }).await?;
        if let Some(reached) = reach(self.hands, self.plan, &wanted).await {
            let (said, is_good) = (reached.said, reached.is_good);
            if !is_good {
                let said = said.join("; ");
                tracing::warn!(service = %self.plan.service, said, "the name does not lead to the new site yet");
            }
            self.note(Step::Reached { said, is_good }).await?;
        }
        Ok(Outcome::Switched)
    }
}
