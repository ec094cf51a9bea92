//! A list of things that are looked at together, once for all services that ask in the same round.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, join_all};
use tokio::time::timeout;

use super::metrics::{Collector, CollectorMetrics};
use super::reach::Thing;
use crate::types::{Check, Clock, Gap, GapReason, Moment};

/// Of the time from one round to the next, a look serves everybody who asks for so long: all services of one round,
/// and none of them in the next.
const SHARED_PART: (u32, u32) = (3, 4);

/// What every lookout of an agent needs.
#[derive(Clone)]
pub(super) struct Means {
    pub clock: Arc<dyn Clock>,
    pub metrics: CollectorMetrics,
    pub probe_interval: Duration,
}

/// A list of things to look at.
pub(super) struct Lookout {
    collector: Collector,
    things: Arc<Vec<Thing>>,
    means: Means,
    last: Mutex<Option<Round>>,
}

/// A look that is under way, or has been had.
struct Round {
    began: Moment,
    looking: Looking,
}

/// Whoever waits for it drives it; the deadline is in it.
type Looking = Shared<BoxFuture<'static, Vec<Check>>>;

impl fmt::Debug for Lookout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookout").field("collector", &self.collector).finish_non_exhaustive()
    }
}

impl Lookout {
    /// Looks at these.
    pub fn new(collector: Collector, things: Vec<Thing>, means: Means) -> Self {
        Self { collector, things: Arc::new(things), means, last: Mutex::default() }
    }

    /// Looks at everything at once, or shares the look of this round; one entry for each thing, in the
    /// configuration's order, within the deadline.
    pub async fn look(&self, deadline: Duration) -> Vec<Check> {
        if self.things.is_empty() {
            return Vec::new();
        }
        match timeout(deadline, self.round(deadline)).await {
            Ok(checks) => checks,
            Err(_) => {
                let gap =
                    Gap::new(GapReason::Timeout, format!("no answer within {} ms", deadline.as_millis()));
                self.things.iter().map(|thing| thing.seen(Err(gap.clone()))).collect()
            }
        }
    }

    fn round(&self, deadline: Duration) -> Looking {
        let now = self.means.clock.now();
        let (part, whole) = SHARED_PART;
        let age_max = self.means.probe_interval * part / whole;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(round) = &*last {
            let is_under_way = round.looking.peek().is_none();
            if is_under_way || now.since(round.began) < age_max {
                return round.looking.clone();
            }
        }
        let looking = self.all(deadline).shared();
        *last = Some(Round { began: now, looking: looking.clone() });
        looking
    }

    fn all(&self, deadline: Duration) -> BoxFuture<'static, Vec<Check>> {
        let (things, means, collector) = (Arc::clone(&self.things), self.means.clone(), self.collector);
        let all = async move {
            let start = means.clock.now();
            let checks = join_all(things.iter().map(|thing| thing.look(&*means.clock, deadline))).await;
            let gaps = checks.iter().filter_map(|check| check.result.as_ref().err());
            means.metrics.count(collector, means.clock.now().since(start), gaps);
            checks
        };
        all.boxed()
    }
}
