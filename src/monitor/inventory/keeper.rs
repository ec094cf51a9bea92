//! The task that looks at the clusters, and the pictures that it publishes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::look::look;
use crate::monitor::Collectors;
use crate::monitor::around::EnterpriseClient;
use crate::types::{Clock, GapReason, Moment, Sample, SiteName};

/// What a cluster said of itself in one look.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterPicture {
    /// The datacenter whose cluster it is.
    pub datacenter: SiteName,
    /// When the look ended.
    pub taken: Moment,
    /// What was said, in base units; their labels stand beside that of the datacenter.
    pub samples: Vec<Sample>,
    /// What was asked for, and why there is no answer.
    pub gaps: Vec<(&'static str, GapReason)>,
}

/// The last picture of each cluster, for whoever wants to see it.
#[derive(Debug, Clone, Default)]
pub struct Pictures(Arc<ArcSwap<BTreeMap<SiteName, Arc<ClusterPicture>>>>);

impl Pictures {
    /// The pictures, in the order of the datacenters.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<ClusterPicture>> {
        self.0.load().values().cloned().collect()
    }

    fn publish(&self, picture: ClusterPicture) {
        let picture = Arc::new(picture);
        self.0.rcu(|pictures| {
            let mut pictures = (**pictures).clone();
            pictures.insert(picture.datacenter.clone(), Arc::clone(&picture));
            pictures
        });
    }

    /// Forgets the clusters that are none any more.
    fn keep(&self, collectors: &Collectors) {
        self.0.rcu(|pictures| {
            let mut pictures = (**pictures).clone();
            pictures.retain(|datacenter, _| collectors.clusters().any(|(name, _)| name == datacenter));
            pictures
        });
    }
}

/// The task that looks at the clusters at their own pace.
pub struct Inventory {
    collectors: watch::Receiver<Option<Arc<Collectors>>>,
    pictures: Pictures,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory").finish_non_exhaustive()
    }
}

impl Inventory {
    /// A task that looks with the collectors of the present configuration.
    #[must_use]
    pub fn new(
        collectors: watch::Receiver<Option<Arc<Collectors>>>,
        pictures: Pictures,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { collectors, pictures, clock }
    }

    /// Looks until it is told to stop. A new configuration is looked at with at once.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let collectors = self.collectors.borrow_and_update().clone();
            if let Some(collectors) = &collectors {
                self.pictures.keep(collectors);
            }
            let (pictures, clock) = (self.pictures.clone(), Arc::clone(&self.clock));
            let rounds = async {
                match &collectors {
                    Some(collectors) => rounds(collectors, &pictures, &*clock).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = rounds => return,
                () = stop.cancelled() => return,
                changed = self.collectors.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// Looks at every cluster for as long as it is waited for.
async fn rounds(collectors: &Collectors, pictures: &Pictures, clock: &dyn Clock) {
    join_all(collectors.clusters().map(|(name, client)| keep_looking(name, client, pictures, clock))).await;
    // Without a cluster there is nothing to do until the configuration changes.
    std::future::pending().await
}

/// One look after the other at one cluster; it never ends.
async fn keep_looking(
    datacenter: &SiteName,
    client: &EnterpriseClient,
    pictures: &Pictures,
    clock: &dyn Clock,
) {
    let interval = client.interval();
    loop {
        let next = Instant::now() + interval;
        // Every question has its own deadline; this one is for what no deadline foresaw.
        let sheet = timeout(interval * 2, look(client, interval)).await.unwrap_or_default();
        let (samples, gaps) = sheet.finish();
        for (question, reason) in &gaps {
            tracing::debug!(%datacenter, question, reason = reason.as_str(), "a cluster did not say");
        }
        let (datacenter, taken) = (datacenter.clone(), clock.now());
        pictures.publish(ClusterPicture { datacenter, taken, samples, gaps });
        sleep_until(next).await;
    }
}
