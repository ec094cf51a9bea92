//! What this agent tells another one that asks about a service.

use std::time::Duration;

use super::ServiceView;
use crate::types::{Guard, Moment, VantageReport};

/// A picture older than so many intervals is nobody's opinion any more.
const AGE_INTERVALS_MAX: u32 = 3;

/// The report about a service: the votes of its last cycle, none when that is too long ago, or when the service is not
/// watched here.
#[must_use]
pub fn report(view: Option<&ServiceView>, probe_interval: Duration, now: Moment) -> VantageReport {
    let fresh = |view: &&ServiceView| {
        now.since(view.decision.made) <= probe_interval * AGE_INTERVALS_MAX || !Guard::Freshness.stands()
    };
    let votes = view.filter(fresh).map(|view| view.decision.votes.clone()).unwrap_or_default();
    VantageReport { wall: now.wall, votes }
}
