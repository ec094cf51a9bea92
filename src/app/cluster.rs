//! The hands at databases of Redis Enterprise of which one copies another (Replica Of): their clusters are told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::promote::RedisHands;
use crate::act::cluster::{ClusterError, ClusterOrders, RefusedLogins, Stopped};
use crate::act::dns::wire::chain;
use crate::act::hook::{HookError, HookPoint};
use crate::act::{Promote, PromoteError};
use crate::config::{Config, Service};
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::monitor::{RedisClient, TlsProfiles};
use crate::types::{Clock, GapReason, SiteName};

/// Deadline of one look at a database that is to be stopped.
const LOOK_DEADLINE: Duration = Duration::from_secs(1);
/// A database whose cluster does not say that it is stopped must answer nobody within so many looks,
const STOPPED_TRIES: u32 = 20;
/// with so long between them.
const STOPPED_POLL: Duration = Duration::from_millis(250);

/// The hands of one service.
pub struct ClusterHands {
    redis: RedisHands,
    orders: BTreeMap<SiteName, ClusterOrders>,
    /// Of each site whose traffic is stopped, whether these hands have done it, and not a person before.
    stopped: Mutex<BTreeMap<SiteName, bool>>,
}

impl ClusterHands {
    /// Hands that tell the clusters of the service's sites.
    ///
    /// # Errors
    /// Certificates cannot be used.
    pub fn new(
        config: &Config,
        service: &Service,
        redis: RedisHands,
        refused: RefusedLogins,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClusterError> {
        let profiles = TlsProfiles::new();
        let mut orders = BTreeMap::new();
        for site in &service.sites {
            let place = config.datacenters.iter().find(|place| place.name == site.name);
            let cluster = place.and_then(|place| place.enterprise.as_ref());
            if let Some((cluster, database)) = cluster.zip(site.database) {
                let at = (&site.name, database);
                let sender = ClusterOrders::new(at, cluster, &profiles, refused.clone(), Arc::clone(&clock))?;
                orders.insert(site.name.clone(), sender);
            }
        }
        Ok(Self { redis, orders, stopped: Mutex::default() })
    }

    fn orders(&self, site: &SiteName) -> Result<&ClusterOrders, PromoteError> {
        self.orders.get(site).ok_or_else(|| PromoteError::UnknownSite(site.clone()))
    }

    fn note_stopped(&self, site: &SiteName, is_ours: bool) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped.entry(site.clone()).or_insert(is_ours) |= is_ours;
    }

    /// Whether a person had stopped the traffic of a site before these hands were to. After a restart nobody knows, and
    /// whoever was interrupted has probably done it.
    fn is_a_persons(&self, site: &SiteName) -> bool {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get(site) == Some(&false)
    }

    /// Whether these hands have stopped the traffic of a site, and nothing there answers since; asked where its cluster is too
    /// old to say so.
    async fn is_stopped_already(&self, site: &SiteName, clients: &[Arc<RedisClient>]) -> bool {
        let is_ours = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get(site) == Some(&true);
        let pings = join_all(clients.iter().map(|client| client.ping(LOOK_DEADLINE))).await;
        is_ours && pings.iter().all(Result::is_err)
    }

    /// Whether every Redis of a site refuses connections.
    async fn is_gone(&self, clients: &[Arc<RedisClient>]) -> bool {
        let pings = join_all(clients.iter().map(|client| client.ping(LOOK_DEADLINE))).await;
        pings.into_iter().all(|ping| ping.is_err_and(|error| error.gap().reason == GapReason::Refused))
    }

    /// Looks until no Redis of a site answers any more.
    async fn wait_silent(&self, clients: &[Arc<RedisClient>]) -> Result<(), PromoteError> {
        let mut answers = None;
        for _ in 0..STOPPED_TRIES {
            let pings = join_all(clients.iter().map(|client| client.ping(LOOK_DEADLINE))).await;
            answers = clients.iter().zip(pings).find_map(|(client, ping)| ping.is_ok().then_some(client));
            if answers.is_none() {
                return Ok(());
            }
            tokio::time::sleep(STOPPED_POLL).await;
        }
        match answers {
            Some(client) => Err(PromoteError::StillServes { target: client.target().name.clone() }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Promote for ClusterHands {
    /// The cluster stops the traffic, whatever the database does: one that refuses connections may be back in seconds. It
    /// stays stopped, for however long; where the cluster cannot be told, the database must be gone.
    async fn fence(&self, site: &SiteName, _: Duration) -> Result<Vec<Fencing>, PromoteError> {
        let (orders, clients) = (self.orders(site)?, self.redis.clients(site)?);
        if matches!(orders.is_stopped().await, Ok(None)) && self.is_stopped_already(site, clients).await {
            return Ok(vec![Fencing::Stopped; clients.len()]);
        }
        match orders.stop().await {
            Ok(how) => {
                self.note_stopped(site, how != Stopped::Before);
                if how == Stopped::Unsaid {
                    self.wait_silent(clients).await?;
                }
                Ok(vec![Fencing::Stopped; clients.len()])
            }
            Err(error) => {
                if error.may_still_happen() {
                    self.note_stopped(site, true);
                }
                if self.is_gone(clients).await {
                    Ok(vec![Fencing::Gone; clients.len()])
                } else {
                    Err(error.into())
                }
            }
        }
    }

    async fn release(&self, site: &SiteName) {
        let Ok(orders) = self.orders(site) else { return };
        if self.is_a_persons(site) {
            return;
        }
        match orders.resume().await {
            Ok(()) => {
                self.stopped.lock().unwrap_or_else(PoisonError::into_inner).remove(site);
            }
            Err(error) => {
                let error = chain(&error);
                tracing::error!(%site, error, "the traffic of the database may still be stopped: resume it at its cluster");
            }
        }
    }

    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError> {
        Ok(self.orders(&plan.to)?.end_copying().await?)
    }

    async fn hooks(
        &self,
        point: HookPoint<'_>,
        plan: &Plan,
        limit: Duration,
    ) -> Result<Vec<String>, HookError> {
        self.redis.hooks(point, plan, limit).await
    }
}
