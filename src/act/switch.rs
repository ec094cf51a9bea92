//! Carries one plan out, step by step, each step in the journal; and finishes, after a restart, what was begun.

mod back;
mod entries;
mod hooks;
mod promotion;
mod record;

use std::time::Duration;

use super::Hands;
use super::looks::{Looks, SERVES_AGAIN};
use super::pace::Turn;
use super::permit::{Permit, Refusal, leads, refused};
use super::swap::{SwapFailure, swap};
use crate::config::{Agent, Service};
use crate::decide::saga::{Outcome, Recovery, Step, claimed, cleared, recover};
use crate::decide::{Plan, Trigger, fence_of};
use crate::store::{JournalError, Unfinished};
use crate::types::{Guard, Moment, RecordState};

/// An old primary stays paused so long after fencing; the standing order renews it while it claims to be one.
pub const PAUSE: Duration = Duration::from_secs(60);

/// One switch of one service.
pub struct Switch<'a> {
    hands: &'a Hands,
    service: &'a Service,
    agent: &'a Agent,
    plan: &'a Plan,
    since: Moment,
    /// No write that the old primary has acknowledged may be lost.
    lossless: bool,
    /// The old primary may be paused by this switch.
    is_fenced: bool,
    /// Right before the old primary was paused, where it was.
    paused: Option<Moment>,
    /// The hooks that come last are called once, and only after a claim.
    must_follow: bool,
    /// The epoch of the fence that this switch wrote last, if it wrote one.
    epoch: Option<u64>,
    /// Others wait for it, until this one has moved the name, or given up.
    turn: Option<Turn>,
}

/// A switch that could not be brought to an end that may be written down.
type Ended = Result<Outcome, Interrupted>;

/// Why there is nothing to write down yet.
enum Interrupted {
    /// The journal takes no entries.
    Journal(JournalError),
    /// A change was sent, and the provider cannot be asked what came of it: the next look at the record tells.
    Unread,
}

impl From<JournalError> for Interrupted {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// An end, or none that may be written down yet.
fn settled(ended: Ended) -> Result<Option<Outcome>, JournalError> {
    match ended {
        Ok(outcome) => Ok(Some(outcome)),
        Err(Interrupted::Unread) => Ok(None),
        Err(Interrupted::Journal(error)) => Err(error),
    }
}

impl<'a> Switch<'a> {
    /// Carries a plan out and writes down how it ended. `None` while a change was sent and nobody can tell what came of
    /// it: the switch stays unfinished, and [`Switch::resume`] goes on with it.
    ///
    /// # Errors
    /// The journal stopped taking entries: nothing more was done from there on, and the next start goes on.
    pub async fn run(
        hands: &'a Hands,
        service: &'a Service,
        agent: &'a Agent,
        permit: Permit,
        turn: Turn,
    ) -> Result<Option<Outcome>, JournalError> {
        let plan = permit.ticket().plan().clone();
        let mut switch = Switch::new(hands, service, agent, &plan);
        switch.turn = Some(turn);
        settled(switch.carry_out(&permit).await)
    }

    fn new(hands: &'a Hands, service: &'a Service, agent: &'a Agent, plan: &'a Plan) -> Self {
        let since = hands.clock.now();
        let (lossless, is_fenced, must_follow) = (plan.lossless, false, false);
        let (paused, epoch, turn) = (None, None, None);
        Self { hands, service, agent, plan, since, lossless, is_fenced, paused, must_follow, epoch, turn }
    }

    async fn carry_out(&mut self, permit: &Permit) -> Ended {
        let outcome = match self.plan.is_clearing() {
            true => self.clear(permit).await?,
            false => self.begin(permit).await?,
        };
        self.end(outcome).await
    }

    /// Finishes, gives back, or freezes a switch that a restart interrupted. `None` while DNS cannot be read: the
    /// switch stays unfinished and is tried again.
    ///
    /// # Errors
    /// The journal stopped taking entries.
    pub async fn resume(
        hands: &'a Hands,
        service: &'a Service,
        agent: &'a Agent,
        unfinished: &'a Unfinished,
    ) -> Result<Option<Outcome>, JournalError> {
        let plan = &unfinished.plan;
        let Ok(found) = hands.dns.read().await else { return Ok(None) };
        // From the claim on it may have been paused, whether or not that was written down.
        let mut switch = Switch::new(hands, service, agent, plan);
        let has_claimed = unfinished.steps.contains(&Step::Claimed);
        switch.is_fenced = plan.promotes && has_claimed;
        switch.must_follow = has_claimed && !unfinished.steps.contains(&Step::Following);
        let is_primary = switch.is_promoted(&unfinished.steps).await;
        let recovery = recover(plan, &agent.name, &unfinished.steps, &found, is_primary);
        if matches!(recovery, Recovery::Unclaim | Recovery::Finish) && !leads(hands) {
            // It is the leader's to change the record, and a claim that stands is the leader's to take over.
            return Ok(None);
        }
        settled(switch.go_on(recovery, &unfinished.steps, &found).await)
    }

    async fn go_on(&mut self, recovery: Recovery, steps: &[Step], found: &RecordState) -> Ended {
        let outcome = match recovery {
            Recovery::Drop => {
                Outcome::Abandoned { why: "it was interrupted before anything was changed".to_owned() }
            }
            Recovery::Unclaim => self.give_back("it was interrupted before the promotion").await?,
            Recovery::Finish => self.finish(steps).await?,
            Recovery::Verify => self.verify().await?,
            Recovery::Cleared => Outcome::Cleared,
            Recovery::Stuck => Outcome::PromotedNotSwitched {
                why: "it was interrupted during the promotion, and the target does not say what it is"
                    .to_owned(),
            },
            Recovery::Foreign => {
                let may_be_promoted = steps.contains(&Step::Promoting);
                self.overtaken(found, may_be_promoted)
            }
        };
        self.end(outcome).await
    }

    /// Takes the intent of a dead claim out of the fence; the record stays as it is.
    async fn clear(&self, permit: &Permit) -> Ended {
        if let Err(refusal) = permit.check(self.hands).await {
            return Ok(abandoned(&refusal));
        }
        match swap(self.hands, None, &self.plan.expected, &cleared(self.plan, &self.agent.name)).await {
            Ok(()) => Ok(Outcome::Cleared),
            Err(SwapFailure::Foreign(found)) => Ok(self.overtaken(&found, false)),
            Err(SwapFailure::NotLeading) => Ok(abandoned(&Refusal::NotLeading)),
            Err(SwapFailure::Stopped(why) | SwapFailure::NotApplied(why) | SwapFailure::Busy(why)) => {
                Ok(Outcome::Abandoned { why })
            }
            Err(SwapFailure::Unknown(_)) => Err(Interrupted::Unread),
        }
    }

    async fn begin(&mut self, permit: &Permit) -> Ended {
        if let Some(why) = self.looks().last_check().await {
            return Ok(Outcome::Abandoned { why });
        }
        // After the looks: the agent may have stood still while it waited for them.
        if let Err(refusal) = permit.check_expiry(self.hands.clock.now()) {
            return Ok(abandoned(&refusal));
        }
        if let Err(refusal) = permit.check(self.hands).await {
            return Ok(abandoned(&refusal));
        }
        let claimed = claimed(self.plan, &self.agent.name);
        let claim = match Guard::Claim.stands() {
            true => swap(self.hands, Some(self.plan), &self.plan.expected, &claimed).await,
            false => Ok(()),
        };
        match claim {
            Ok(()) => {
                self.epoch = fence_of(&claimed).ok().flatten().map(|fence| fence.epoch);
                self.must_follow = true;
                self.note(Step::Claimed).await?;
            }
            Err(SwapFailure::Foreign(found)) => return Ok(self.overtaken(&found, false)),
            Err(SwapFailure::NotLeading) => return Ok(abandoned(&Refusal::NotLeading)),
            Err(SwapFailure::Stopped(why) | SwapFailure::NotApplied(why) | SwapFailure::Busy(why)) => {
                return Ok(Outcome::Abandoned { why });
            }
            // It may still arrive: the next look at the record tells.
            Err(SwapFailure::Unknown(_)) => return Err(Interrupted::Unread),
        }
        if let Some(why) = self.prepare().await? {
            return self.give_back(&why).await;
        }
        // Before the fencing: a paused primary would keep the canary waiting, and look as if it did not serve. As late as
        // that: what comes back until then must be seen.
        let is_news = self.plan.trigger == Trigger::Automatic || (self.plan.promotes && !self.plan.lossless);
        if is_news && self.looks().active_serves().await {
            match self.plan.trigger {
                Trigger::Automatic => return self.give_back(SERVES_AGAIN).await,
                // Ordered in an outage that is over: what it takes by now must arrive, as in a planned switch.
                Trigger::Operator => self.lossless = true,
            }
        }
        let stopped = match self.plan.promotes {
            true => self.fence_and_promote().await?,
            false => self.prove().await?,
        };
        match stopped {
            Some(outcome) => Ok(outcome),
            None => self.move_name().await,
        }
    }

    fn looks(&self) -> Looks<'a> {
        Looks { hands: self.hands, service: self.service, plan: self.plan, lossless: self.lossless }
    }

    fn is_expired(&self) -> bool {
        self.hands.clock.now().unix_ms() >= self.plan.expires_unix_ms && Guard::Expiry.stands()
    }

    async fn refused(&self) -> Result<(), Refusal> {
        refused(self.hands, self.plan).await
    }
}

fn abandoned(refusal: &Refusal) -> Outcome {
    Outcome::Abandoned { why: refusal.to_string() }
}
