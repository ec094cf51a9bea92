//! Waiting until the target has what the paused old primary has acknowledged, before the target is promoted.

use std::time::Duration;

use super::looks::Looks;
use crate::monitor::WriteCanary;
use crate::types::{Facts, Snapshot};

/// A planned switch whose target has not arrived after so long is given up: clients' writes wait meanwhile. Far shorter
/// than the pause.
const PLANNED_LIMIT: Duration = Duration::from_secs(10);
/// In an outage nobody waits longer than this: how much may be lost was judged by the lag before.
const OUTAGE_LIMIT: Duration = Duration::from_secs(2);
/// Time between two looks at the target.
const POLL: Duration = Duration::from_millis(20);

/// Where a stream of replication stands at one Redis.
struct Place {
    stream: String,
    offset_bytes: u64,
}

impl Looks<'_> {
    /// Waits until the target has reached where the paused old primary stands, and returns how many bytes it lacks at
    /// the end; `None` where that cannot be told. To be asked once the pause is confirmed: a primary counts its own
    /// messages to its replicas too, so its place moves on, but everything acknowledged lies before the first look.
    pub(super) async fn catch_up(&self) -> Option<u64> {
        let source = places(&self.hands.look(&self.plan.from, WriteCanary::Skip).await)?;
        let limit = if self.lossless { PLANNED_LIMIT } else { OUTAGE_LIMIT };
        let began = self.hands.clock.now();
        loop {
            let seen = self.hands.look(&self.plan.to, WriteCanary::Skip).await;
            let missing = missing(&source, &seen);
            let is_over = self.hands.clock.now().since(began) >= limit;
            // Over a link that is down nothing arrives, and in an outage nobody waits for it to come back.
            let is_vain = !self.lossless && !has_link(&seen);
            if missing == Some(0) || is_over || is_vain {
                return missing;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Where each Redis of a site stands; `None` when one of them does not say.
fn places(seen: &Snapshot) -> Option<Vec<Place>> {
    let place = |facts: &Facts| {
        Some(Place { stream: facts.replication_id.clone()?, offset_bytes: facts.offset_bytes? })
    };
    seen.targets.iter().map(|target| target.facts.as_ref().ok().and_then(place)).collect()
}

/// How many bytes the Redis of a site lack of these streams; `None` when one of the streams arrives at none of them.
fn missing(source: &[Place], seen: &Snapshot) -> Option<u64> {
    let reached = places(seen)?;
    let lacks = |head: &Place| {
        let at = reached.iter().find(|place| place.stream == head.stream)?;
        Some(head.offset_bytes.saturating_sub(at.offset_bytes))
    };
    source.iter().map(lacks).sum()
}

fn has_link(seen: &Snapshot) -> bool {
    seen.targets.iter().all(|target| {
        let facts = target.facts.as_ref().ok();
        facts.and_then(|facts| facts.link.as_ref()).is_some_and(|link| link.up)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Gap, GapReason, Moment, SiteName, TargetName, TargetSnapshot};

    fn seen(redis: &[Option<(&str, u64)>]) -> Snapshot {
        let one = |place: &Option<(&str, u64)>| {
            let gap = Gap::new(GapReason::Timeout, "as the test wants");
            let blind =
                TargetSnapshot::blind(TargetName::new("redis://a:6379").unwrap(), gap, Duration::ZERO);
            let facts = |(stream, offset): (&str, u64)| Facts {
                replication_id: Some(stream.to_owned()),
                offset_bytes: Some(offset),
                ..Facts::default()
            };
            TargetSnapshot { facts: place.map(facts).ok_or(blind.facts.unwrap_err()), ..blind }
        };
        Snapshot {
            site: SiteName::new("dc-a").unwrap(),
            taken: Moment { mono: Duration::ZERO, wall: Duration::ZERO },
            targets: redis.iter().map(one).collect(),
            control: None,
            domain: Vec::new(),
            anomaly: None,
        }
    }

    #[test]
    fn only_the_same_stream_can_be_caught_up_with() {
        type Redis<'a> = &'a [Option<(&'a str, u64)>];
        let rows: [(Redis<'_>, Redis<'_>, Option<u64>); 9] = [
            (&[Some(("x", 100))], &[Some(("x", 100))], Some(0)),
            (&[Some(("x", 100))], &[Some(("x", 99))], Some(1)),
            (&[Some(("x", 100))], &[Some(("x", 101))], Some(0)),
            (&[Some(("x", 100))], &[Some(("y", 100))], None),
            (&[Some(("x", 100))], &[None], None),
            (&[None], &[Some(("x", 100))], None),
            // In whatever order the configuration names them.
            (&[Some(("x", 10)), Some(("y", 20))], &[Some(("y", 15)), Some(("x", 8))], Some(7)),
            (&[Some(("x", 10)), Some(("y", 20))], &[Some(("x", 10)), Some(("x", 10))], None),
            (&[Some(("x", 10)), None], &[Some(("x", 10)), Some(("y", 1))], None),
        ];
        for (from, to, wanted) in rows {
            let found = places(&seen(from)).and_then(|source| missing(&source, &seen(to)));
            assert_eq!(found, wanted, "{from:?} {to:?}");
        }
    }
}
