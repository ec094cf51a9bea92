//! One compare-and-swap of record and fence, carried through busy providers and lost answers without ever repeating it blindly.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use super::Hands;
use super::dns::{Dns, DnsError, RecordChange, SendBy};
use super::permit::{Refusal, leads, refused};
use crate::decide::Plan;
use crate::types::{Guard, RecordState};

/// Tries of one change while the provider is busy or its answers are lost.
const TRIES_MAX: u32 = 8;
/// First wait between tries; doubles with each,
const BACKOFF: Duration = Duration::from_millis(200);
/// up to this. All tries together stay well within the life of a decision.
const BACKOFF_MAX: Duration = Duration::from_secs(4);
/// Into so many parts the random half of a wait is cut.
const JITTER_PARTS: u32 = 1024;
/// No try begins later than this: what the caller saw before is too old by then, whatever held this agent up.
const SWAP_LIMIT: Duration = Duration::from_secs(25);
/// A try that has not left this agent by then never does: it stood still after it was allowed to send.
const SEND_LIMIT: Duration = Duration::from_secs(5);
/// Reads of the record after an answer was lost.
const READS_MAX: u32 = 5;

/// Why record and fence are not as wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SwapFailure {
    /// They hold something else; nothing was changed by this agent.
    Foreign(Box<RecordState>),
    /// This agent leads no more; nothing was changed since it knew.
    NotLeading,
    /// A person has said stop; nothing was changed since.
    Stopped(String),
    /// The provider refused; certainly nothing was changed.
    NotApplied(String),
    /// The provider stayed busy; certainly nothing was changed, and a later try may succeed.
    Busy(String),
    /// Nobody can tell: the change was sent, and the provider cannot be read, or did not show it yet: it may still be on
    /// its way.
    Unknown(String),
}

impl SwapFailure {
    /// What it is once an earlier try may still arrive: then nothing is certain.
    fn in_doubt(self) -> Self {
        match self {
            Self::NotLeading => Self::Unknown(Refusal::NotLeading.to_string()),
            Self::Stopped(why) | Self::NotApplied(why) | Self::Busy(why) | Self::Unknown(why) => {
                Self::Unknown(why)
            }
            Self::Foreign(found) => Self::Foreign(found),
        }
    }
}

/// Changes record and fence from `expected` to `wanted`. Before each try anybody who has said stop to `plan` is heard;
/// nobody is asked where nothing moves, as when a claim is given back.
///
/// An unknown outcome is read back: `wanted` is success, `expected` allows one more try (a change that is still on its
/// way then meets a record that no longer matches, so it cannot take effect twice), anything else is foreign. What was
/// sent and not seen stays in doubt: without a later try that succeeds, the end is unknown, not "nothing was changed".
/// Of two zones one may be changed and the other not: the other is brought after, or, where that does not come about, the
/// state between is foreign.
pub(super) async fn swap(
    hands: &Hands,
    plan: Option<&Plan>,
    expected: &RecordState,
    wanted: &RecordState,
) -> Result<(), SwapFailure> {
    let mut traces = Traces::default();
    let swapped = attempts(hands, plan, (expected, wanted), &mut traces).await;
    swapped.map_err(|failure| match traces {
        Traces { between: Some(found), .. } if !matches!(failure, SwapFailure::Unknown(_)) => {
            SwapFailure::Foreign(Box::new(found))
        }
        Traces { may_arrive: true, .. } => failure.in_doubt(),
        Traces { .. } => failure,
    })
}

/// What earlier tries have left behind.
#[derive(Default)]
struct Traces {
    /// One was sent, and not seen yet.
    may_arrive: bool,
    /// One has changed the first of two zones.
    between: Option<RecordState>,
}

async fn attempts(
    hands: &Hands,
    plan: Option<&Plan>,
    (expected, wanted): (&RecordState, &RecordState),
    traces: &mut Traces,
) -> Result<(), SwapFailure> {
    let dns = &*hands.dns;
    let mut change = RecordChange { expected: expected.clone(), wanted: wanted.clone() };
    let (mut last, mut wait) = (String::new(), BACKOFF);
    let began = hands.clock.now();
    for attempt in 0..TRIES_MAX {
        if attempt > 0 {
            tokio::time::sleep(jittered(wait, wanted, attempt)).await;
            wait = (wait * 2).min(BACKOFF_MAX);
        }
        if !leads(hands) {
            return Err(SwapFailure::NotLeading);
        }
        if let Some(plan) = plan
            && let Err(refusal) = still_wanted(hands, plan).await
        {
            return Err(SwapFailure::Stopped(refusal.to_string()));
        }
        if hands.clock.now().since(began) >= SWAP_LIMIT && Guard::Expiry.stands() {
            return Err(SwapFailure::Busy(format!("it took too long; {last}")));
        }
        let until = hands.election.standing().term(hands.clock.now()).and_then(|term| term.until);
        let send = SendBy::within(SEND_LIMIT, until, hands.clock.clone());
        match dns.change(&change, &send).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => last = error.to_string(),
            Err(error @ (DnsError::Denied { .. } | DnsError::Misconfigured { .. })) => {
                return Err(SwapFailure::NotApplied(error.to_string()));
            }
            Err(error) => {
                // A conflict after a lost answer may be our own change met again, so it is read back as well.
                last = error.to_string();
                match read_back(dns).await {
                    Ok(found) if found == *wanted => return Ok(()),
                    Ok(found) if found == *expected => {
                        traces.may_arrive |= matches!(error, DnsError::Unknown { .. });
                    }
                    Ok(found) if is_between(&found, expected, wanted) => {
                        change.expected = found.clone();
                        traces.between = Some(found);
                    }
                    Ok(found) if !Guard::CompareAndSwap.stands() => change.expected = found,
                    Ok(found) => return Err(SwapFailure::Foreign(Box::new(found))),
                    Err(error) => return Err(SwapFailure::Unknown(error.to_string())),
                }
            }
        }
    }
    Err(SwapFailure::Busy(last))
}

/// Whether of two zones the first is as wanted, and the second still as expected.
fn is_between(found: &RecordState, expected: &RecordState, wanted: &RecordState) -> bool {
    let begun = |(first, second): (RecordState, RecordState)| {
        first.has_values_of(wanted) && second.has_values_of(expected)
    };
    found.parted().is_some_and(begun)
}

/// Half of the wait, and a part of the other half that differs from agent to agent: those who were turned away together
/// do not come back together. It follows from the change, so that a run of the simulator can be repeated.
fn jittered(wait: Duration, wanted: &RecordState, attempt: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    wanted.fence.iter().flat_map(|fence| &fence.values).for_each(|text| text.hash(&mut hasher));
    attempt.hash(&mut hasher);
    let part = u32::try_from(hasher.finish() % u64::from(JITTER_PARTS)).unwrap_or(0);
    wait / 2 + wait / 2 * part / JITTER_PARTS
}

/// Whether nobody has said stop, and the decision still holds. After a promotion the way is gone on with, however old it is.
async fn still_wanted(hands: &Hands, plan: &Plan) -> Result<(), Refusal> {
    refused(hands, plan).await?;
    if !plan.promotes {
        hands.current.has_same_ground(plan)?;
    }
    let is_old = hands.clock.now().unix_ms() >= plan.expires_unix_ms;
    if is_old && !plan.promotes && Guard::Expiry.stands() { Err(Refusal::Expired) } else { Ok(()) }
}

async fn read_back(dns: &dyn Dns) -> Result<RecordState, DnsError> {
    let mut wait = BACKOFF;
    for _ in 1..READS_MAX {
        match dns.read().await {
            Ok(found) => return Ok(found),
            Err(_) => tokio::time::sleep(wait).await,
        }
        wait *= 2;
    }
    dns.read().await
}

/// Record and fence in one line, for a person.
pub(super) fn describe(state: &RecordState) -> String {
    let set = |set: &Option<crate::types::ResourceSet>| match set {
        // Somebody else's text goes to a terminal.
        Some(set) => set.values.iter().map(|v| v.escape_debug().to_string()).collect::<Vec<_>>().join(" "),
        None => "nothing".to_owned(),
    };
    format!("the record holds {}, the fence {}", set(&state.record), set(&state.fence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ResourceSet;

    fn state(value: &str, fence: &str) -> RecordState {
        RecordState {
            record: Some(ResourceSet::single(5, value)),
            fence: Some(ResourceSet::single(5, fence)),
        }
    }

    #[test]
    fn a_wait_is_half_certain_and_half_by_chance() {
        let waits = |fence: &str| {
            let wanted = state("a", fence);
            (1..TRIES_MAX).map(|attempt| jittered(BACKOFF_MAX, &wanted, attempt)).collect::<Vec<_>>()
        };
        let (one, other) = (waits("owner=a1"), waits("owner=b1"));
        assert_eq!(one, waits("owner=a1"), "a run can be repeated");
        assert!(one.iter().zip(&other).any(|(one, other)| one != other), "agents differ");
        let is_within = |wait: &Duration| (BACKOFF_MAX / 2..=BACKOFF_MAX).contains(wait);
        assert!(one.iter().chain(&other).all(is_within), "{one:?} {other:?}");
    }

    #[test]
    fn only_the_first_half_of_this_very_change_is_gone_on_with() {
        let (old, new) = (state("a", "epoch=1"), state("b", "epoch=2"));
        let joined = |first: &RecordState, second: &RecordState| RecordState::joined(first, second, "Z2");
        for (what, found, wanted) in [
            ("the first half", joined(&new, &old), true),
            ("the second half", joined(&old, &new), false),
            ("another first half", joined(&state("b", "epoch=2;owner=x"), &old), false),
            ("a foreign second zone", joined(&new, &state("x", "epoch=1")), false),
            ("nothing", old.clone(), false),
            ("all of it", new.clone(), false),
        ] {
            assert_eq!(is_between(&found, &old, &new), wanted, "{what}");
        }
    }
}
