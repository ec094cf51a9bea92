//! The effect of a switch as a client sees it: what resolvers answer, and a write through the name.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Hands;
use super::dns::{Answer, Resolved};
use crate::decide::Plan;

/// Resolvers may keep the former answer for its time to live, and this much longer.
const GRACE: Duration = Duration::from_secs(5);
/// However long that is, nobody waits longer.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two rounds of asking.
const POLL: Duration = Duration::from_millis(500);

/// What was seen from outside.
pub(super) struct Reached {
    /// In lines.
    pub(super) said: Vec<String>,
    /// The name leads to the new site, and a write through it was read back.
    pub(super) is_good: bool,
}

/// Asks the resolvers until they answer what is wanted, and writes through the name until that is read back, or the
/// limit is over. `None` where nobody can be asked and the name leads nowhere, as far as this agent can tell.
pub(super) async fn reach(hands: &Hands, plan: &Plan, wanted: &BTreeSet<String>) -> Option<Reached> {
    let limit = Duration::from_secs(u64::from(plan.ttl_seconds)).saturating_add(GRACE).min(LIMIT);
    let began = hands.clock.now();
    loop {
        let resolved = hands.dns.resolved().await;
        if resolved == Resolved::default() {
            return None;
        }
        let reached = try_once(hands, plan, wanted, &resolved).await;
        if reached.is_good || hands.clock.now().since(began) >= limit {
            return Some(reached);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn try_once(hands: &Hands, plan: &Plan, wanted: &BTreeSet<String>, resolved: &Resolved) -> Reached {
    let agrees = |answer: &Answer| answer.result.as_ref().is_ok_and(|set| set.values == *wanted);
    let mut is_good = resolved.answers.iter().all(agrees);
    let mut said: Vec<String> = resolved.answers.iter().map(ToString::to_string).collect();
    // While a resolver still answers the former value, a write would tell of the former site.
    let addresses = if is_good { resolved.addresses.as_slice() } else { &[] };
    for address in addresses {
        match hands.eyes.through(&plan.to, *address, hands.look_deadline).await {
            None => {}
            Some(Ok(took)) => {
                let took = took.as_secs_f64() * 1e3;
                said.push(format!("a write through the name, to {address}, was read back in {took:.1} ms"));
            }
            Some(Err(gap)) => {
                is_good = false;
                said.push(format!(
                    "a write through the name, to {address}, failed ({})",
                    gap.reason.as_str()
                ));
            }
        }
    }
    if resolved.addresses.is_empty() {
        is_good = false;
        said.push("the name leads to no address".to_owned());
    }
    Reached { said, is_good }
}
