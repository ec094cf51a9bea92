//! The looks of a switch: at the target before and after its promotion, and at the site that is about to be left.

use std::time::Duration;

use super::Hands;
use crate::config::{Promote, Service};
use crate::decide::{Plan, Trigger, answers_beside, readiness};
use crate::monitor::WriteCanary;
use crate::types::{CanaryResult, Guard, Role, Snapshot, TargetSnapshot};

/// Looks at a target until its write canary must have passed.
const PROOF_TRIES: u32 = 3;
/// A proof that is older than so many times the deadline of a command proves nothing of this moment.
const LATE_FACTOR: u32 = 2;
/// Why a site that serves is not left by a promotion of its copy: clusters tell how late a copy is, and not that it has
/// every write.
const NO_PROOF: &str = "the active site serves, and no cluster can tell whether its copy has every write: stop the traffic \
     of the active site at its cluster, see the copy in sync, and order the switch again";
/// Said of a site that the configuration does not name any more.
const NO_TARGETS: &str = "the site has no configured target";
/// Why a switch is given up that nobody needs any more.
pub(super) const SERVES_AGAIN: &str = "the active site serves again";

/// The looks of one switch.
#[derive(Clone, Copy)]
pub(super) struct Looks<'a> {
    pub(super) hands: &'a Hands,
    pub(super) service: &'a Service,
    pub(super) plan: &'a Plan,
    /// Whether no acknowledged write of the old primary may be lost.
    pub(super) lossless: bool,
}

impl Looks<'_> {
    /// Why the switch must not begin, if it must not: both sites are looked at once more, at the same time.
    pub(super) async fn last_check(&self) -> Option<String> {
        let is_by_cluster = self.service.promote.as_ref().is_some_and(Promote::is_by_cluster);
        if self.plan.lossless && is_by_cluster {
            return Some(NO_PROOF.to_owned());
        }
        if self.plan.trigger == Trigger::Operator {
            // Who asks for a switch does not need the active site to fail.
            return self.target_failed().await;
        }
        let (serves, failed) = tokio::join!(self.active_serves(), self.target_failed());
        if serves { Some(SERVES_AGAIN.to_owned()) } else { failed }
    }

    /// Whether the site to be left serves again. One good look is enough: the outage is over, or was never a whole one.
    /// To be asked before the site is fenced only.
    pub(super) async fn active_serves(&self) -> bool {
        if !Guard::Recheck.stands() {
            return false;
        }
        let seen = self.hands.look(&self.plan.from, WriteCanary::Write).await;
        !seen.targets.is_empty() && seen.targets.iter().all(serves)
    }

    /// Whether the host that refuses connections to the old primary is there; see [`answers_beside`].
    pub(super) async fn old_host_is_there(&self) -> bool {
        let seen = self.hands.look(&self.plan.from, WriteCanary::Skip).await;
        answers_beside(&seen).unwrap_or(true)
    }

    /// Which mandatory check the target has just failed, if any.
    pub(super) async fn target_failed(&self) -> Option<String> {
        if !Guard::Recheck.stands() {
            return None;
        }
        let canary = if self.plan.promotes { WriteCanary::Skip } else { WriteCanary::Write };
        let seen = self.hands.look(&self.plan.to, canary).await;
        let why = match seen.targets.is_empty() {
            true => Some(NO_TARGETS.to_owned()),
            false => readiness(&seen, self.service),
        };
        why.map(|why| format!("the target failed its last check: {why}"))
    }

    /// What the target says that it is. `None` where one of its Redis does not say, and where only some are primaries.
    pub(super) async fn target_is_primary(&self) -> Option<bool> {
        let seen = self.hands.look(&self.plan.to, WriteCanary::Skip).await;
        let roles = seen.targets.iter().map(|t| t.facts.as_ref().ok().and_then(|f| f.role));
        let are_primaries = roles.map(|role| Some(role? == Role::Primary)).collect::<Option<Vec<_>>>()?;
        let first = *are_primaries.first()?;
        are_primaries.iter().all(|one| *one == first).then_some(first)
    }

    /// Sees the target take a write.
    pub(super) async fn prove(&self) -> Result<(), String> {
        if !Guard::Recheck.stands() {
            return Ok(());
        }
        let mut why = String::new();
        for _ in 0..PROOF_TRIES {
            let asked = self.hands.clock.now();
            let seen = self.hands.look(&self.plan.to, WriteCanary::Write).await;
            let took = self.hands.clock.now().since(asked);
            match unproven(&seen) {
                // The agent stood still: what it saw may be long over.
                None if is_late(&seen, took, self.hands.look_deadline * LATE_FACTOR) => {
                    why = "its answer came late".to_owned()
                }
                None => return Ok(()),
                Some(reason) => why = reason,
            }
        }
        Err(format!("the target did not prove a write: {why}"))
    }
}

/// Whether a Redis of the site to be left does what its clients need. Where no canary is configured, its word counts.
fn serves(seen: &TargetSnapshot) -> bool {
    let role = seen.facts.as_ref().ok().and_then(|facts| facts.role);
    match (&seen.ping, &seen.canary) {
        (Err(_), _) | (Ok(_), CanaryResult::Failed(_)) => false,
        // A replica may be configured to take writes, which nobody else will ever see.
        (Ok(_), CanaryResult::Written(_)) => role.is_none_or(|role| role == Role::Primary),
        (Ok(_), CanaryResult::NotAsked) => role == Some(Role::Primary),
    }
}

/// Whether a look was over long after its last answers, or those came long after they were asked for. That many commands
/// took their time, each within its deadline, is no lateness.
fn is_late(seen: &Snapshot, took: Duration, limit: Duration) -> bool {
    let longest = seen.targets.iter().map(|t| t.elapsed).max().unwrap_or_default();
    let canaries = seen.targets.iter().filter_map(|t| match &t.canary {
        CanaryResult::Written(took) => Some(*took),
        CanaryResult::Failed(_) | CanaryResult::NotAsked => None,
    });
    took.saturating_sub(longest) > limit || canaries.max() > Some(limit)
}

/// Why a site has not just proven that it takes writes, if it has not.
fn unproven(seen: &Snapshot) -> Option<String> {
    if seen.targets.is_empty() {
        return Some(NO_TARGETS.to_owned());
    }
    seen.targets.iter().find_map(|t| match (&t.canary, &t.facts) {
        (CanaryResult::Failed(gap), _) => Some(format!("{}: {}", t.target, gap.reason.as_str())),
        (CanaryResult::NotAsked, _) => {
            let why = t.ping.as_ref().err().map_or("no canary", |gap| gap.reason.as_str());
            Some(format!("{}: {why}", t.target))
        }
        (CanaryResult::Written(_), Ok(facts)) if facts.role == Some(Role::Primary) => None,
        (CanaryResult::Written(_), Ok(_)) => Some(format!("{}: it says it is no primary", t.target)),
        (CanaryResult::Written(_), Err(gap)) => Some(format!("{}: {}", t.target, gap.reason.as_str())),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::types::{Facts, Gap, GapReason, TargetName};

    #[test]
    fn only_a_writable_primary_serves() {
        let gap = || Gap::new(GapReason::Misconf, "as the test wants");
        let facts = |role| Ok(Facts { role: Some(role), ..Facts::default() });
        let written = || CanaryResult::Written(Duration::ZERO);
        let rows = [
            (Ok(()), facts(Role::Primary), written(), true),
            (Ok(()), facts(Role::Primary), CanaryResult::Failed(gap()), false),
            (Ok(()), facts(Role::Replica), written(), false),
            (Ok(()), facts(Role::Other), written(), false),
            (Err(gap()), facts(Role::Primary), written(), false),
            // INFO may be forbidden: a write that was read back says enough.
            (Ok(()), Err(gap()), written(), true),
            // No canary is configured.
            (Ok(()), facts(Role::Primary), CanaryResult::NotAsked, true),
            (Ok(()), facts(Role::Replica), CanaryResult::NotAsked, false),
            (Ok(()), Err(gap()), CanaryResult::NotAsked, false),
            (Err(gap()), Err(gap()), CanaryResult::NotAsked, false),
        ];
        for (ping, facts, canary, wanted) in rows {
            let blind =
                TargetSnapshot::blind(TargetName::new("redis://a:6379").unwrap(), gap(), Duration::ZERO);
            let seen = TargetSnapshot { ping: ping.map(|()| Duration::ZERO), facts, canary, ..blind };
            assert_eq!(serves(&seen), wanted, "{seen:?}");
        }
    }
}
