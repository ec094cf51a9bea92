//! The ways back: a claim is given back, or what cannot be taken back is left to a person.

use super::{Ended, Interrupted, Switch};
use crate::act::permit::leads;
use crate::act::swap::{SwapFailure, describe, swap};
use crate::decide::fence_of;
use crate::decide::saga::{Outcome, Step, claimed, switched, unclaimed};
use crate::types::RecordState;

impl Switch<'_> {
    /// Stops before DNS changed: gives the claim back, or, with the target promoted already, leaves all to a person.
    pub(super) async fn stop(&mut self, why: &str) -> Ended {
        if self.plan.promotes { Ok(self.stuck(why)) } else { self.give_back(why).await }
    }

    pub(super) fn stuck(&self, why: &str) -> Outcome {
        Outcome::PromotedNotSwitched { why: why.to_owned() }
    }

    /// Record and fence are not what this switch left. Another agent of this installation may have been faster, or gone
    /// on with the claim; anybody else's hand freezes the service.
    pub(super) fn overtaken(&self, found: &RecordState, may_be_promoted: bool) -> Outcome {
        let fence = fence_of(found).ok().flatten();
        let fellow = fence.filter(|f| self.agent.vantages.iter().any(|vantage| vantage.name == f.owner));
        match fellow {
            Some(fence) if !may_be_promoted || fence.active == self.plan.to => {
                Outcome::Abandoned { why: format!("{} went on with it", fence.owner) }
            }
            Some(_) => self.stuck(&describe(found)),
            None if may_be_promoted => self.stuck(&describe(found)),
            None => Outcome::Foreign { why: describe(found) },
        }
    }

    pub(super) async fn give_back(&mut self, why: &str) -> Ended {
        // Who stood still for long may be somebody's past: the pause may be another agent's by now.
        let is_ours = leads(self.hands) && !self.is_expired();
        if self.is_fenced && is_ours {
            self.hands.promote.release(&self.plan.from).await;
        }
        let (from, to) = (claimed(self.plan, &self.agent.name), unclaimed(self.plan, &self.agent.name));
        match swap(self.hands, None, &from, &to).await {
            Ok(()) => {
                self.epoch = fence_of(&to).ok().flatten().map(|fence| fence.epoch);
                if self.is_fenced && !is_ours {
                    self.hands.promote.release(&self.plan.from).await;
                }
                Ok(Outcome::Abandoned { why: why.to_owned() })
            }
            // The claim stands until the leader takes it over.
            Err(SwapFailure::NotLeading) => Ok(Outcome::Abandoned { why: why.to_owned() }),
            // A change that was given up arrived after all.
            Err(SwapFailure::Foreign(found)) if *found == switched(self.plan, &self.agent.name) => {
                self.note(Step::Switched).await?;
                self.verify().await
            }
            Err(SwapFailure::Foreign(found)) => Ok(self.overtaken(&found, false)),
            // The provider is out of reach: the claim is given back once it can be.
            Err(
                SwapFailure::Stopped(_)
                | SwapFailure::NotApplied(_)
                | SwapFailure::Busy(_)
                | SwapFailure::Unknown(_),
            ) => Err(Interrupted::Unread),
        }
    }
}
