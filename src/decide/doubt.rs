//! What makes an agent mistrust itself. An agent that sees nothing is the problem until it knows better: while it doubts
//! itself, it gives no vote and moves nothing.

use std::time::Duration;

use super::Reason;
use super::evidence::Evidence;
use super::machine::State;
use crate::types::{Guard, Moment, look_limit};

/// Wall clocks of two vantages may differ by so much; more breaks the judgement of certificates and of ages.
const CLOCK_OFFSET_MAX: Duration = Duration::from_secs(60);
/// Everything that speaks against this agent's own eyes.
pub(super) fn doubts(state: &State, evidence: &Evidence, now: Moment) -> Vec<Reason> {
    if !Guard::SelfDoubt.stands() {
        return Vec::new();
    }
    let disturbed = state.is_disturbed(now).then_some(Reason::Disturbed);
    disturbed.into_iter().chain(blind(evidence)).chain(clock(evidence, now)).chain(late(evidence)).collect()
}

/// It does not reach what it must reach.
fn blind(evidence: &Evidence) -> Option<Reason> {
    let failed: Vec<&str> = evidence
        .surroundings
        .self_checks
        .iter()
        .filter(|c| c.result.is_err())
        .map(|c| c.name.as_str())
        .collect();
    if failed.is_empty() { None } else { Some(Reason::SelfCheckFailed { checks: failed.join(", ") }) }
}

/// Its wall clock differs from those of most vantages that answer.
fn clock(evidence: &Evidence, now: Moment) -> Option<Reason> {
    let offsets: Vec<Duration> =
        evidence.reports().map(|(_, report)| report.wall.abs_diff(now.wall)).collect();
    let off: Vec<&Duration> = offsets.iter().filter(|offset| **offset > CLOCK_OFFSET_MAX).collect();
    let seconds = off.iter().map(|offset| offset.as_secs()).min()?;
    if off.len() * 2 > offsets.len() { Some(Reason::ClockOff { seconds }) } else { None }
}

/// Its looks ended long after their deadline: it is starved.
fn late(evidence: &Evidence) -> Option<Reason> {
    // No network makes a look last longer than it may: what goes on for a whole deadline more was not run.
    let timeout = evidence.probe_timeout;
    let limit = look_limit(timeout, evidence.probe_interval).saturating_add(timeout);
    let longest = evidence.snapshots.iter().flat_map(|s| &s.targets).map(|t| t.elapsed).max()?;
    if longest > limit { Some(Reason::Late { seconds: longest.as_secs_f64() }) } else { None }
}
