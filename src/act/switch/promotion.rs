//! From the claim to the promoted target: the old primary is fenced, its last writes arrive, the target is promoted.

use std::time::Duration;

use tokio::time::timeout;

use super::{Ended, Interrupted, PAUSE, Switch};
use crate::act::PromoteError;
use crate::act::dns::wire::chain;
use crate::act::permit::Refusal;
use crate::config::Promote as PromoteRule;
use crate::decide::saga::{Fencing, Outcome, Step};
use crate::store::JournalError;
use crate::types::Guard;

/// The pause of the old primary is renewed so often while the target is being promoted.
const RENEWAL: Duration = Duration::from_secs(20);
/// An order takes no longer to arrive: its connection ends with its sender, and what has not left by then never does.
const ORDER_WAY: Duration = Duration::from_secs(2);
/// So often the promotion is ordered at most.
const ORDERS_MAX: u32 = 3;
/// Why the name is not moved after a promotion.
const PAUSE_RAN_OUT: &str =
    "the promotion took longer than the pause of the old primary, which may have taken writes since";
/// Before the reason why an ordered switch is given up that began in an outage.
const CAME_BACK: &str = "the old primary serves again since the order";
/// Why a promotion is not ordered any more.
const STOOD_STILL: &str = "this agent stood still until the pause of the old primary was over";

impl Switch<'_> {
    /// `None` when the target is promoted, and has proven itself.
    pub(super) async fn fence_and_promote(&mut self) -> Result<Option<Outcome>, Interrupted> {
        if let Err(refusal) = self.may_promote().await {
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
        // What must catch up is looked at after that.
        let (looks, may_catch_up) = (self.looks(), how.iter().all(|how| *how == Fencing::Paused));
        let look = async { if may_catch_up { None } else { Some(looks.target_failed().await) } };
        let noted = self.note_beside(Step::Fenced { how: how.clone() }, look).await;
        let seen = self.or_release(noted).await?;
        let caught_up = self.catch_up(&how).await;
        if let Some(why) = self.or_release(caught_up).await? {
            let why = if self.plan.lossless { why } else { format!("{CAME_BACK}: {why}") };
            return self.give_back(&why).await.map(Some);
        }
        let failed = match seen {
            Some(failed) => failed,
            None => self.looks().target_failed().await,
        };
        if let Some(why) = failed {
            return self.give_back(&why).await.map(Some);
        }
        if self.is_expired() {
            return self.give_back(&Refusal::Expired.to_string()).await.map(Some);
        }
        if let Err(refusal) = self.may_promote().await {
            return self.give_back(&refusal.to_string()).await.map(Some);
        }
        let noted = self.note(Step::Promoting).await;
        self.or_release(noted).await?;
        if self.is_pause_over() {
            return self.give_back(STOOD_STILL).await.map(Some);
        }
        if let Err(error) = self.promote().await {
            let is_primary = self.looks().target_is_primary().await;
            return match is_primary.filter(|is| *is || !error.may_still_happen()) {
                Some(true) => self.promoted().await,
                Some(false) => self.give_back(&chain(&error)).await.map(Some),
                None => Ok(Some(Outcome::PromotedNotSwitched { why: chain(&error) })),
            };
        }
        self.promoted().await
    }

    /// Whether nothing has changed that the promotion rests on, and nobody has said stop.
    async fn may_promote(&self) -> Result<(), Refusal> {
        self.hands.current.has_same_ground(self.plan)?;
        self.refused().await
    }

    /// Has the target promoted. An order that may have been lost is given again, as long as nobody has said stop: there
    /// can be no more than one promotion of it. Where it stays open whether it arrives, the error says so.
    async fn promote(&mut self) -> Result<(), PromoteError> {
        let (mut doubt, mut orders) = (None, 0);
        loop {
            let Err(error) = self.order().await else { return Ok(()) };
            orders += 1;
            let may_repeat = error.may_be_repeated() && orders < ORDERS_MAX && !self.is_pause_over();
            // One that may still arrive stays in doubt, whatever becomes of the next.
            let first = doubt.take().unwrap_or(error);
            if !may_repeat {
                return Err(first);
            }
            if self.looks().target_is_primary().await == Some(true) {
                return Ok(());
            }
            if self.refused().await.is_err() {
                return Err(first);
            }
            doubt = Some(first);
        }
    }

    /// Orders the promotion, once. The old primary's pause is renewed for as long as that takes.
    async fn order(&mut self) -> Result<(), PromoteError> {
        let (hands, plan) = (self.hands, self.plan);
        let mut promotion = hands.promote.promote(plan);
        loop {
            if let Ok(promoted) = timeout(RENEWAL, &mut promotion).await {
                return promoted;
            }
            let asked = hands.clock.now();
            // A pause that ran out before it was renewed has let writes through.
            if self.paused.is_some()
                && let Ok(how) = hands.promote.fence(&plan.from, PAUSE).await
                && how.contains(&Fencing::Paused)
                && !self.is_pause_over()
            {
                self.paused = Some(asked);
            }
        }
    }

    /// The target is a primary. An old one whose pause ran out meanwhile may have acknowledged writes that the target
    /// lacks: whether to go on is for a person.
    async fn promoted(&mut self) -> Result<Option<Outcome>, Interrupted> {
        let looks = self.looks();
        let proof = self.note_beside(Step::Promoted, looks.prove()).await?;
        if self.is_pause_over() {
            return Ok(Some(self.stuck(PAUSE_RAN_OUT)));
        }
        self.proven(proof).await
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
        let (plan, lossless) = (self.plan, self.lossless);
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

    pub(super) async fn fence(&self) -> Result<Vec<Fencing>, String> {
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

    /// After a restart: whether the target is promoted. `None` where that is open: it does not say so, or a hook or a
    /// cluster may go on promoting long after its caller has died.
    pub(super) async fn is_promoted(&self, steps: &[Step]) -> Option<bool> {
        let by_others = |rule: &PromoteRule| rule.is_by_hook() || rule.is_by_cluster();
        let may_come = self.service.promote.as_ref().is_some_and(by_others);
        let is_primary = self.looks().target_is_primary().await.filter(|is| *is || !may_come);
        let is_under_way = steps.contains(&Step::Promoting) && !steps.contains(&Step::Promoted);
        if is_primary != Some(false) || !is_under_way {
            return is_primary;
        }
        // The order may have left right before the end, and be on its way.
        tokio::time::sleep(ORDER_WAY).await;
        self.looks().target_is_primary().await
    }

    /// After a restart with the target promoted: the old primary is fenced anew, then the rest of the way.
    pub(super) async fn finish(&mut self, steps: &[Step]) -> Ended {
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
        let stopped = match steps.contains(&Step::Promoted) {
            true => self.prove().await?,
            false => self.promoted().await?,
        };
        match stopped {
            Some(outcome) => Ok(outcome),
            None => self.move_name().await,
        }
    }
}
