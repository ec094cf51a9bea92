//! The hands at the Redis, over the monitor's connections.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::act::hook::{Call, HookError, HookPoint, call, call_all};
use crate::act::{Promote, PromoteError};
use crate::config::{Promote as Rule, Service};
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::monitor::{Monitor, RedisClient, TlsProfiles};
use crate::types::{AgentName, GapReason, Role, SiteName};

/// Deadline of one order to one Redis.
const ORDER_DEADLINE: Duration = Duration::from_secs(2);
/// Looks at a promoted target until it must say that it is a primary.
const ROLE_TRIES: u32 = 20;
/// Time between them.
const ROLE_POLL: Duration = Duration::from_millis(25);

/// The hands of one service.
pub struct RedisHands {
    monitor: Arc<Monitor>,
    service: Arc<Service>,
    agent: AgentName,
    tls: TlsProfiles,
}

impl RedisHands {
    /// Hands over a monitor's connections.
    #[must_use]
    pub fn new(monitor: Arc<Monitor>, service: Arc<Service>, agent: AgentName) -> Self {
        Self { monitor, service, agent, tls: TlsProfiles::new() }
    }

    fn call<'a>(&'a self, point: HookPoint<'a>, plan: &'a Plan, limit: Duration) -> Call<'a> {
        Call { point, agent: &self.agent, service: &self.service, plan, limit }
    }

    fn clients(&self, site: &SiteName) -> Result<&[Arc<RedisClient>], PromoteError> {
        let clients = self.monitor.clients(site);
        if clients.is_empty() { Err(PromoteError::UnknownSite(site.clone())) } else { Ok(clients) }
    }
}

#[async_trait]
impl Promote for RedisHands {
    async fn fence(&self, site: &SiteName, pause: Duration) -> Result<Vec<Fencing>, PromoteError> {
        let fences = self.clients(site)?.iter().map(|client| async move {
            let target = client.target();
            match client.pause_writes(pause, ORDER_DEADLINE).await {
                Ok(()) => Ok(Fencing::Paused),
                Err(error) => match error.gap() {
                    gap if gap.reason == GapReason::Refused => Ok(Fencing::Gone),
                    gap => Err(PromoteError::Unfenceable { target: target.name.clone(), gap }),
                },
            }
        });
        futures_util::future::join_all(fences).await.into_iter().collect()
    }

    async fn release(&self, site: &SiteName) {
        let clients = self.clients(site).unwrap_or_default();
        let releases = clients.iter().map(|client| client.resume_writes(ORDER_DEADLINE));
        for failed in futures_util::future::join_all(releases).await.into_iter().filter_map(Result::err) {
            tracing::debug!(%site, error = %failed, "a pause was not lifted; it runs out by itself");
        }
    }

    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError> {
        let hook = match &self.service.promote {
            Some(Rule::Hook { hook, .. }) => Some(hook),
            Some(Rule::Replicaof { .. }) | None => None,
        };
        if let Some(hook) = hook {
            call(hook, &self.call(HookPoint::Promote, plan, hook.timeout), &self.tls).await?;
        }
        let promotions = self.clients(&plan.to)?.iter().map(|client| async move {
            let target = client.target();
            let failed = |gap| PromoteError::Promotion { target: target.name.clone(), gap };
            // A pause from the time when it was an old primary would keep the proof waiting.
            if let Err(error) = client.resume_writes(ORDER_DEADLINE).await {
                tracing::debug!(target = %target.name, error = %error, "a pause was not lifted");
            }
            if hook.is_none() {
                client.replicaof_no_one(ORDER_DEADLINE).await.map_err(|error| failed(error.gap()))?;
            }
            for _ in 0..ROLE_TRIES {
                if client.role(ORDER_DEADLINE).await.map_err(|error| failed(error.gap()))? == Role::Primary {
                    return Ok(());
                }
                tokio::time::sleep(ROLE_POLL).await;
            }
            Err(PromoteError::NotPrimary { target: target.name.clone() })
        });
        futures_util::future::join_all(promotions).await.into_iter().collect()
    }

    async fn hooks(
        &self,
        point: HookPoint<'_>,
        plan: &Plan,
        limit: Duration,
    ) -> Result<Vec<String>, HookError> {
        let hooks = match point {
            HookPoint::Before => self.service.hooks.before.as_slice(),
            HookPoint::Promote => &[],
            HookPoint::After(_) => self.service.hooks.after.as_slice(),
        };
        call_all(hooks, &self.call(point, plan, limit), &self.tls).await
    }
}
