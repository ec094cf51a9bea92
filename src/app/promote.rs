//! The hands at the Redis, over the monitor's connections.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::act::hook::{Call, HookError, HookPoint, call, call_all};
use crate::act::{Promote, PromoteError};
use crate::config::{Promote as Rule, Service};
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::monitor::{Monitor, RedisClient, RedisError, TlsProfiles};
use crate::types::{AgentName, GapReason, Role, SiteName};

/// Deadline of one order to one Redis.
const ORDER_DEADLINE: Duration = Duration::from_secs(2);
/// Looks at a promoted target until it must say that it is a primary.
const ROLE_TRIES: u32 = 20;
/// And once a hook has said yes.
const HOOK_ROLE_TRIES: u32 = 200;
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

    pub(super) fn clients(&self, site: &SiteName) -> Result<&[Arc<RedisClient>], PromoteError> {
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
        join_all(fences).await.into_iter().collect()
    }

    async fn release(&self, site: &SiteName) {
        let clients = self.clients(site).unwrap_or_default();
        let releases = clients.iter().map(|client| client.resume_writes(ORDER_DEADLINE));
        for failed in join_all(releases).await.into_iter().filter_map(Result::err) {
            tracing::debug!(%site, error = %failed, "a pause was not lifted; it runs out by itself");
        }
    }

    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError> {
        let clients = self.clients(&plan.to)?;
        let promoted = match &self.service.promote {
            Some(Rule::Hook { hook, .. }) => {
                call(hook, &self.call(HookPoint::Promote, plan, hook.timeout), &self.tls).await?;
                join_all(clients.iter().map(|client| confirm(client))).await
            }
            Some(Rule::Replicaof { .. } | Rule::Enterprise { .. }) | None => {
                join_all(clients.iter().map(|client| promote(client))).await
            }
        };
        let failures = promoted.into_iter().filter_map(Result::err);
        // Of several failures the one counts that leaves most open.
        let worst = failures.reduce(|one, other| if one.may_still_happen() { one } else { other });
        worst.map_or(Ok(()), Err)
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

/// Makes a Redis a primary, and sees that it says so.
async fn promote(client: &RedisClient) -> Result<(), PromoteError> {
    let target = || client.target().name.clone();
    let doubtful = |error: RedisError| PromoteError::Doubtful { target: target(), gap: error.gap() };
    lift(client).await;
    client.replicaof_no_one(ORDER_DEADLINE).await.map_err(|error| match error.may_still_happen() {
        true => doubtful(error),
        false => PromoteError::Promotion { target: target(), gap: error.gap() },
    })?;
    match is_primary(client, ROLE_TRIES).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(PromoteError::NotPrimary { target: target() }),
        Err(error) => Err(doubtful(error)),
    }
}

/// Sees that a Redis says that it is a primary, once a hook has made it one.
async fn confirm(client: &RedisClient) -> Result<(), PromoteError> {
    lift(client).await;
    match is_primary(client, HOOK_ROLE_TRIES).await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(PromoteError::Unconfirmed { target: client.target().name.clone() }),
    }
}

/// Lifts a pause from the time when it was an old primary, which would keep the proof waiting.
async fn lift(client: &RedisClient) {
    if let Err(error) = client.resume_writes(ORDER_DEADLINE).await {
        tracing::debug!(target = %client.target().name, error = %error, "a pause was not lifted");
    }
}

async fn is_primary(client: &RedisClient, tries: u32) -> Result<bool, RedisError> {
    for _ in 0..tries {
        if client.role(ORDER_DEADLINE).await? == Role::Primary {
            return Ok(true);
        }
        tokio::time::sleep(ROLE_POLL).await;
    }
    Ok(false)
}
