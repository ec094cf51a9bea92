//! The hooks of a switch: those that come first, and those that come last.

use std::time::Duration;

use super::Switch;
use crate::act::dns::wire::chain;
use crate::act::hook::HookPoint;
use crate::act::permit::Refusal;
use crate::decide::saga::{Outcome, Step};
use crate::store::JournalError;

/// All hooks of one point together have so long: as long as one may be given.
const HOOKS_LIMIT: Duration = Duration::from_secs(300);

impl Switch<'_> {
    /// Calls the hooks that come first; why the switch must be given up, if it must.
    pub(super) async fn prepare(&mut self) -> Result<Option<String>, JournalError> {
        if self.service.hooks.before.is_empty() {
            return Ok(None);
        }
        // After that the decision has expired: to wait any longer would be in vain.
        let left_ms = self.plan.expires_unix_ms.saturating_sub(self.hands.clock.now().unix_ms());
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        match self.hands.promote.hooks(HookPoint::Before, self.plan, left.min(HOOKS_LIMIT)).await {
            Ok(said) => self.note(Step::Prepared { said }).await?,
            Err(error) => return Ok(Some(chain(&error))),
        }
        Ok(self.is_expired().then(|| Refusal::Expired.to_string()))
    }

    /// Calls the hooks that come last, unless they may have been called already.
    pub(super) async fn follow(&mut self, outcome: &Outcome) -> Result<(), JournalError> {
        if self.service.hooks.after.is_empty() || !self.must_follow {
            return Ok(());
        }
        self.must_follow = false;
        self.note(Step::Following).await?;
        let said = self.hands.promote.hooks(HookPoint::After(outcome), self.plan, HOOKS_LIMIT).await;
        let said = said.unwrap_or_else(|error| vec![chain(&error)]);
        self.note(Step::Followed { said }).await
    }
}
