//! Carries one plan out, step by step, each step in the journal; and finishes, after a restart, what was begun.

use std::time::Duration;

use super::Hands;
use super::dns::Answer;
use super::dns::wire::chain;
use super::hook::HookPoint;
use super::looks::{Looks, SERVES_AGAIN};
use super::outside::reach;
use super::permit::{Permit, Refusal, leads, refused};
use super::swap::{SwapFailure, describe, swap};
use crate::config::{Agent, Promote as PromoteRule, Service};
use crate::decide::saga::{Fencing, Outcome, Recovery, Step, claimed, cleared, recover, switched, unclaimed};
use crate::decide::{Plan, Trigger, fence_of};
use crate::store::{Body, JournalError, NewEntry, Unfinished};
use crate::types::{Guard, Moment, RecordState};

/// An old primary stays paused so long after fencing; the standing order renews it while it claims to be one.
pub const PAUSE: Duration = Duration::from_secs(60);
/// A proof of the target that is older is made anew before the name moves.
const PROOF_AGE_MAX: Duration = Duration::from_secs(5);
/// Asking the name servers ends after so long; a slow one is reported, not waited for.
const VERIFY_LIMIT: Duration = Duration::from_secs(90);
/// Looking for the name servers in vain ends after so long.
const DISCOVERY_LIMIT: Duration = Duration::from_secs(5);
/// Why the name is not moved after a promotion.
const PAUSE_RAN_OUT: &str =
    "the promotion took longer than the pause of the old primary, which may have taken writes since";
/// Why a promotion is not ordered any more.
const STOOD_STILL: &str = "this agent stood still until the pause of the old primary was over";
/// Time between two rounds of asking.
const VERIFY_POLL: Duration = Duration::from_millis(250);

/// One switch of one service.
pub struct Switch<'a> {
    hands: &'a Hands,
    service: &'a Service,
    agent: &'a Agent,
    plan: &'a Plan,
    since: Moment,
    /// The old primary may be paused by this switch.
    is_fenced: bool,
    /// Right before the old primary was paused, where it was.
    paused: Option<Moment>,
    /// The hooks that come last are called once, and only after a claim.
    must_follow: bool,
    /// The epoch of the fence that this switch wrote last, if it wrote one.
    epoch: Option<u64>,
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
    ) -> Result<Option<Outcome>, JournalError> {
        let plan = permit.ticket().plan().clone();
        settled(Switch::new(hands, service, agent, &plan).carry_out(&permit).await)
    }

    fn new(hands: &'a Hands, service: &'a Service, agent: &'a Agent, plan: &'a Plan) -> Self {
        let since = hands.clock.now();
        let (is_fenced, paused, must_follow, epoch) = (false, None, false, None);
        Self { hands, service, agent, plan, since, is_fenced, paused, must_follow, epoch }
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
        // A hook or a cluster may go on promoting long after its caller has died.
        let by_others = |rule: &PromoteRule| rule.is_by_hook() || rule.is_by_cluster();
        let may_come = service.promote.as_ref().is_some_and(by_others);
        let is_primary = switch.looks().target_is_primary().await.filter(|is| *is || !may_come);
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
        // Before the fencing: a paused primary would keep the canary waiting, and look as if it did not serve.
        if self.plan.trigger == Trigger::Automatic && self.looks().active_serves().await {
            return self.give_back(SERVES_AGAIN).await;
        }
        if self.plan.promotes
            && let Some(outcome) = self.fence_and_promote().await?
        {
            return Ok(outcome);
        }
        self.prove_and_switch().await
    }

    /// Calls the hooks that come first; why the switch must be given up, if it must.
    async fn prepare(&mut self) -> Result<Option<String>, JournalError> {
        if self.service.hooks.before.is_empty() {
            return Ok(None);
        }
        match self.hands.promote.hooks(HookPoint::Before, self.plan).await {
            Ok(said) => self.note(Step::Prepared { said }).await?,
            Err(error) => return Ok(Some(chain(&error))),
        }
        Ok(self.is_expired().then(|| Refusal::Expired.to_string()))
    }

    /// Calls the hooks that come last, unless they may have been called already.
    async fn follow(&mut self, outcome: &Outcome) -> Result<(), JournalError> {
        if self.service.hooks.after.is_empty() || !self.must_follow {
            return Ok(());
        }
        self.must_follow = false;
        self.note(Step::Following).await?;
        let said = self.hands.promote.hooks(HookPoint::After(outcome), self.plan).await;
        let said = said.unwrap_or_else(|error| vec![chain(&error)]);
        self.note(Step::Followed { said }).await
    }

    /// `None` when the target is promoted.
    async fn fence_and_promote(&mut self) -> Result<Option<Outcome>, Interrupted> {
        if let Err(refusal) = self.refused().await {
            return self.give_back(&refusal.to_string()).await.map(Some);
        }
        let asked = self.hands.clock.now();
        let how = match self.fence().await {
            Ok(how) => how,
            Err(why) => {
                // Of several targets some may be paused.
                self.is_fenced = true;
                return self.give_back(&why).await.map(Some);
            }
        };
        self.is_fenced = true;
        self.paused = Some(asked).filter(|_| how.contains(&Fencing::Paused));
        let noted = self.note(Step::Fenced { how: how.clone() }).await;
        self.or_release(noted).await?;
        let caught_up = self.catch_up(&how).await;
        if let Some(why) = self.or_release(caught_up).await? {
            return self.give_back(&why).await.map(Some);
        }
        if self.is_expired() {
            return self.give_back(&Refusal::Expired.to_string()).await.map(Some);
        }
        if let Err(refusal) = self.refused().await {
            return self.give_back(&refusal.to_string()).await.map(Some);
        }
        if let Some(why) = self.looks().target_failed().await {
            return self.give_back(&why).await.map(Some);
        }
        let noted = self.note(Step::Promoting).await;
        self.or_release(noted).await?;
        if self.is_pause_over() {
            return self.give_back(STOOD_STILL).await.map(Some);
        }
        if let Err(error) = self.hands.promote.promote(self.plan).await {
            let is_primary = self.looks().target_is_primary().await;
            return match is_primary.filter(|is| *is || !error.may_still_happen()) {
                Some(true) => self.promoted().await,
                Some(false) => self.give_back(&chain(&error)).await.map(Some),
                None => Ok(Some(Outcome::PromotedNotSwitched { why: chain(&error) })),
            };
        }
        self.promoted().await
    }

    /// The target is a primary. An old one whose pause ran out meanwhile may have acknowledged writes that the target
    /// lacks: whether to go on is for a person.
    async fn promoted(&mut self) -> Result<Option<Outcome>, Interrupted> {
        self.note(Step::Promoted).await?;
        Ok(self.is_pause_over().then(|| self.stuck(PAUSE_RAN_OUT)))
    }

    /// Lifts the pause of the old primary when what was done cannot be written down: nothing goes on then, and nobody
    /// would lift it until the journal is back.
    async fn or_release<T>(&self, noted: Result<T, JournalError>) -> Result<T, JournalError> {
        if noted.is_err() {
            self.hands.promote.release(&self.plan.from).await;
        }
        noted
    }

    /// Lets the last writes of a paused old primary arrive; why the switch must be given up, if it must. In an outage
    /// that is tried, and no more.
    async fn catch_up(&mut self, how: &[Fencing]) -> Result<Option<String>, JournalError> {
        let (plan, lossless) = (self.plan, self.plan.lossless);
        if !Guard::CatchUp.stands() {
            return Ok(None);
        }
        if how.iter().any(|how| *how != Fencing::Paused) {
            let why = format!(
                "{} could not be paused, so its last writes may be missing at {}",
                plan.from, plan.to
            );
            return Ok(lossless.then_some(why));
        }
        let missing_bytes = self.looks().catch_up().await;
        self.note(Step::CaughtUp { missing_bytes }).await?;
        Ok(match missing_bytes {
            Some(0) => None,
            Some(_) | None if !lossless => None,
            Some(bytes) => {
                Some(format!("{} still lacked {bytes} bytes of the writes of {}", plan.to, plan.from))
            }
            None => Some(format!("nobody can tell which writes of {} are missing at {}", plan.from, plan.to)),
        })
    }

    /// Whether the old primary may take writes again because its pause ran out: this agent stood still.
    fn is_pause_over(&self) -> bool {
        let lasted = self.paused.map(|paused| self.hands.clock.now().since(paused));
        lasted.is_some_and(|lasted| lasted >= PAUSE) && Guard::Expiry.stands()
    }

    async fn fence(&self) -> Result<Vec<Fencing>, String> {
        if !Guard::Fencing.stands() {
            return Ok(vec![Fencing::Waived]);
        }
        let without = self.service.promote.as_ref().is_some_and(PromoteRule::without_fencing);
        match self.hands.promote.fence(&self.plan.from, PAUSE).await {
            Ok(how)
                if how.contains(&Fencing::Gone) && !without && !self.looks().old_host_is_there().await =>
            {
                Err(format!("{} refuses connections, but nothing else there answers", self.plan.from))
            }
            Ok(how) => Ok(how),
            Err(_) if without => Ok(vec![Fencing::Waived]),
            Err(error) => Err(error.to_string()),
        }
    }

    /// After a restart with the target promoted: the old primary is fenced anew, then the rest of the way.
    async fn finish(&mut self, steps: &[Step]) -> Ended {
        let pause_ms = i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX);
        let is_pause_over =
            self.hands.clock.now().unix_ms() >= self.plan.made_unix_ms.saturating_add(pause_ms);
        if self.is_expired() || is_pause_over {
            // The pause of the old primary may have run out since, and clients may have written to it again.
            return Ok(self.stuck("the agent was away for longer than the decision lives"));
        }
        if let Err(refusal) = self.refused().await {
            return Ok(self.stuck(&refusal.to_string()));
        }
        if let Err(why) = self.fence().await {
            return Ok(self.stuck(&why));
        }
        if !steps.contains(&Step::Promoted) {
            self.note(Step::Promoted).await?;
        }
        self.prove_and_switch().await
    }

    async fn prove_and_switch(&mut self) -> Ended {
        if let Err(why) = self.looks().prove().await {
            return self.stop(&why).await;
        }
        self.note(Step::Proven).await?;
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

    /// Stops before DNS changed: gives the claim back, or, with the target promoted already, leaves all to a person.
    async fn stop(&mut self, why: &str) -> Ended {
        if self.plan.promotes { Ok(self.stuck(why)) } else { self.give_back(why).await }
    }

    fn stuck(&self, why: &str) -> Outcome {
        Outcome::PromotedNotSwitched { why: why.to_owned() }
    }

    /// Record and fence are not what this switch left. Another agent of this installation may have been faster, or gone
    /// on with the claim; anybody else's hand freezes the service.
    fn overtaken(&self, found: &RecordState, may_be_promoted: bool) -> Outcome {
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

    async fn give_back(&mut self, why: &str) -> Ended {
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

    /// Waits until every name server answers the new value, or the limit is over. What they say is written down
    /// either way: the switch is made, and a slow name server is news, not a reason for another change.
    async fn verify(&mut self) -> Ended {
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

    fn looks(&self) -> Looks<'a> {
        Looks { hands: self.hands, service: self.service, plan: self.plan }
    }

    fn is_expired(&self) -> bool {
        self.hands.clock.now().unix_ms() >= self.plan.expires_unix_ms && Guard::Expiry.stands()
    }

    async fn refused(&self) -> Result<(), Refusal> {
        refused(self.hands, self.plan).await
    }

    async fn note(&mut self, step: Step) -> Result<(), JournalError> {
        let now = self.hands.clock.now();
        let took = now.since(self.since);
        self.since = now;
        self.hands.metrics.phase(step.phase(), took.as_secs_f64());
        tracing::info!(service = %self.plan.service, decision = %self.plan.decision, phase = step.phase(),
            took_ms = took.as_millis(), "switch goes on");
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.write(Body::Stepped { decision: self.plan.decision.clone(), step, took_ms }).await
    }

    async fn end(&mut self, outcome: Outcome) -> Ended {
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

fn abandoned(refusal: &Refusal) -> Outcome {
    Outcome::Abandoned { why: refusal.to_string() }
}
