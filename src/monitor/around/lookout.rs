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
    things: Vec<Arc<Thing>>,
    means: Means,
    last: Mutex<Option<Round>>,
}

/// A look at everything that is under way, or has been had.
struct Round {
    began: Moment,
    looks: Vec<Looking>,
}

/// Whoever waits for it drives it; its own deadline is in it.
type Looking = Shared<BoxFuture<'static, Check>>;

impl fmt::Debug for Lookout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookout").field("collector", &self.collector).finish_non_exhaustive()
    }
}

impl Lookout {
    /// Looks at these.
    pub fn new(collector: Collector, things: Vec<Thing>, means: Means) -> Self {
        Self { collector, things: things.into_iter().map(Arc::new).collect(), means, last: Mutex::default() }
    }

    /// Looks at everything at once, or shares the look of this round; one entry for each thing, in the
    /// configuration's order, within the deadline.
    pub async fn look(&self, deadline: Duration) -> Vec<Check> {
        let looks = self.round(deadline).into_iter().zip(&self.things).map(|(looking, thing)| async move {
            match timeout(deadline, looking).await {
                Ok(check) => check,
                Err(_) => {
                    let detail = format!("no answer within {} ms", deadline.as_millis());
                    thing.seen(Err(Gap::new(GapReason::Timeout, detail)))
                }
            }
        });
        join_all(looks).await
    }

    fn round(&self, deadline: Duration) -> Vec<Looking> {
        let now = self.means.clock.now();
        let (part, whole) = SHARED_PART;
        let age_max = self.means.probe_interval * part / whole;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(round) = &*last {
            let is_under_way = round.looks.iter().any(|looking| looking.peek().is_none());
            if is_under_way || now.since(round.began) < age_max {
                return round.looks.clone();
            }
        }
        let looks: Vec<_> = self.things.iter().map(|thing| self.begin(thing, deadline)).collect();
        *last = Some(Round { began: now, looks: looks.clone() });
        looks
    }

    fn begin(&self, thing: &Arc<Thing>, deadline: Duration) -> Looking {
        let (thing, means, collector) = (Arc::clone(thing), self.means.clone(), self.collector);
        let look = async move {
            let start = means.clock.now();
            let check = thing.look(&*means.clock, deadline).await;
            means.metrics.count(collector, means.clock.now().since(start), check.result.as_ref().err());
            check
        };
        look.boxed().shared()
    }
}
