//! One look at a site: all its targets in parallel, each command within its own deadline.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::around::{CollectorMetrics, Collectors};
use super::canary::CanaryProbe;
use super::catalog::counted;
use super::error::RedisError;
use super::exposition::register;
use super::info::facts;
use super::normalise::samples;
use super::patience::Patience;
use super::redis::RedisClient;
use super::tls::TlsError;
use crate::config::{Address, Service, Topology};
use crate::types::{
    CanaryResult, ControlPlane, Gap, GapReason, Link, Ratio, Role, ServiceName, SiteName, Snapshot,
    Surroundings, TargetSnapshot,
};

/// Upper bounds of the probe's histogram, seconds: from a loopback to the largest sensible deadline.
const PROBE_BUCKETS_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Whether a look writes the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteCanary {
    /// It only reads.
    Skip,
    /// It writes where the service's configuration has a canary.
    Write,
}

/// The port through which sites are seen; the simulator has the second implementation.
#[async_trait]
pub trait SiteClient: Send + Sync {
    /// Looks at all targets of a site; each command may take `deadline`, and all of it no longer than
    /// [`look_limit`](crate::types::look_limit) says.
    /// What was not seen is a gap, and a site that is not configured has no targets.
    async fn look(&self, site: &SiteName, deadline: Duration, canary: WriteCanary) -> Snapshot;

    /// Looks at what this agent must reach itself, and at what applications report, within `deadline`.
    async fn surroundings(&self, deadline: Duration) -> Surroundings;

    /// Writes and reads back a canary at an address that the name of the service leads to, as a client of this site
    /// would. `None` where no canary is configured.
    async fn through(&self, _: &SiteName, _: IpAddr, _: Duration) -> Option<Result<Duration, Gap>> {
        None
    }
}

type ProbeLabels = [(&'static str, String); 2];
type GapLabels = [(&'static str, String); 3];

/// The monitor's own metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    duration: Family<ProbeLabels, Histogram, fn() -> Histogram>,
    gaps: Family<GapLabels, Counter>,
    pub(super) around: CollectorMetrics,
}

impl Metrics {
    /// Makes and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(PROBE_BUCKETS_SECONDS);
        let (duration, gaps) = (Family::new_with_constructor(histogram), Family::default());
        let metrics = Self { duration, gaps, around: CollectorMetrics::register(registry) };
        register(registry, &counted::PROBE_DURATION, metrics.duration.clone());
        register(registry, &counted::PROBE_GAPS, metrics.gaps.clone());
        metrics
    }

    fn count(&self, service: &ServiceName, site: &SiteName, seen: &TargetSnapshot) {
        let (service, site) = (("redis_service", service.to_string()), ("datacenter", site.to_string()));
        self.duration.get_or_create(&[service.clone(), site.clone()]).observe(seen.elapsed.as_secs_f64());
        if let Some(gap) = seen.gap() {
            let reason = ("reason", gap.reason.as_str().to_owned());
            self.gaps.get_or_create(&[service, site, reason]).inc();
        }
    }
}

/// The real monitor of one service.
#[derive(Debug)]
pub struct Monitor {
    service: ServiceName,
    canary_prefix: Option<String>,
    sites: BTreeMap<SiteName, Watched>,
    promql: Option<String>,
    /// The sites are databases of which one copies another, and call themselves primaries all of them.
    is_replica_of: bool,
    sequence: AtomicU64,
    collectors: Arc<Collectors>,
}

/// What is looked at of one site.
#[derive(Debug)]
struct Watched {
    clients: Vec<Arc<RedisClient>>,
    database: Option<u32>,
}

impl Monitor {
    /// A monitor of a service, as seen by the agent whose collectors these are. It connects at its first look.
    ///
    /// # Errors
    /// A target's TLS files cannot be used.
    pub fn new(service: &Service, collectors: Arc<Collectors>) -> Result<Self, TlsError> {
        let client = |target: &crate::config::Target| {
            RedisClient::new(target.clone(), &collectors.profiles, Arc::clone(&collectors.clock))
                .map(Arc::new)
        };
        let mut sites = BTreeMap::new();
        for site in &service.sites {
            let clients = site.targets.iter().map(client).collect::<Result<Vec<_>, _>>()?;
            sites.insert(site.name.clone(), Watched { clients, database: site.database });
        }
        Ok(Self {
            service: service.name.clone(),
            canary_prefix: service.canary.as_ref().map(|canary| canary.key_prefix.clone()),
            sites,
            promql: service.client_errors.as_ref().map(|errors| errors.promql.clone()),
            is_replica_of: service.topology == Topology::ReplicaOf,
            sequence: AtomicU64::new(0),
            collectors,
        })
    }

    /// The clients of a site's targets, in the configuration's order; promotion and pausing go through them.
    #[must_use]
    pub fn clients(&self, site: &SiteName) -> &[Arc<RedisClient>] {
        self.sites.get(site).map_or(&[], |watched| &watched.clients)
    }

    /// The canary for a site, where one is configured and asked for.
    fn probe(&self, site: &SiteName, canary: WriteCanary) -> Option<CanaryProbe> {
        let prefix = match canary {
            WriteCanary::Skip => return None,
            WriteCanary::Write => self.canary_prefix.as_deref()?,
        };
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let (agent, now) = (&self.collectors.agent, self.collectors.clock.now());
        Some(CanaryProbe::new(prefix, agent, site, sequence, now))
    }

    async fn control(&self, site: &SiteName, deadline: Duration) -> Option<Result<ControlPlane, Gap>> {
        let database = self.sites.get(site)?.database?;
        Some(self.collectors.control(site, database, deadline).await)
    }

    async fn client_errors(&self, deadline: Duration) -> Option<Result<Ratio, Gap>> {
        Some(self.collectors.client_errors(self.promql.as_ref()?, deadline).await)
    }

    async fn look_at(
        &self,
        client: &RedisClient,
        deadline: Duration,
        probe: Option<CanaryProbe>,
    ) -> TargetSnapshot {
        let clock = &self.collectors.clock;
        let start = clock.now();
        let elapsed = || clock.now().since(start);
        let patience = Patience::new(deadline, self.collectors.look_limit(deadline));
        let name = client.target().name.clone();
        let ping = match client.ping(patience).await {
            Ok(trip) => Ok(trip),
            // Redis answers INFO while it loads, and while it refuses PING for other reasons of its own.
            Err(error) if error.is_answer() => Err(error.gap()),
            Err(error) => return TargetSnapshot::blind(name, error.gap(), elapsed()),
        };
        let reply = client.info(patience).await;
        let canary = match probe {
            None => CanaryResult::NotAsked,
            Some(probe) => match client.canary(&probe, patience).await {
                Ok(took) => CanaryResult::Written(took),
                Err(error) => CanaryResult::Failed(error.gap()),
            },
        };
        TargetSnapshot {
            target: name,
            ping,
            samples: reply.as_ref().map(samples).unwrap_or_default(),
            facts: reply.as_ref().map(facts).map_err(RedisError::gap),
            canary,
            elapsed: elapsed(),
        }
    }
}

#[async_trait]
impl SiteClient for Monitor {
    async fn look(&self, site: &SiteName, deadline: Duration, canary: WriteCanary) -> Snapshot {
        let looks = self.clients(site).iter().map(|client| async move {
            let seen = self.look_at(client, deadline, self.probe(site, canary)).await;
            self.collectors.metrics.count(&self.service, site, &seen);
            seen
        });
        // All at once: what hangs costs its own deadline.
        let (mut targets, control, domain) = tokio::join!(
            join_all(looks),
            self.control(site, deadline),
            self.collectors.domain(site, deadline)
        );
        if self.is_replica_of {
            let plane = control.as_ref().and_then(|said| said.as_ref().ok());
            targets.iter_mut().for_each(|seen| tell_role(seen, plane));
        }
        Snapshot {
            site: site.clone(),
            taken: self.collectors.clock.now(),
            targets,
            control,
            domain,
            anomaly: None,
        }
    }

    async fn surroundings(&self, deadline: Duration) -> Surroundings {
        let sites: Vec<SiteName> = self.sites.keys().cloned().collect();
        let (self_checks, client_errors, silenced) = tokio::join!(
            self.collectors.self_checks(deadline),
            self.client_errors(deadline),
            self.collectors.silenced(&self.service, &sites, deadline)
        );
        Surroundings { self_checks, client_errors, silenced }
    }

    async fn through(
        &self,
        site: &SiteName,
        address: IpAddr,
        deadline: Duration,
    ) -> Option<Result<Duration, Gap>> {
        let probe = self.probe(site, WriteCanary::Write)?;
        let mut target = self.clients(site).first()?.target().clone();
        let Address::Tcp { host, port } = target.address else { return None };
        if let Some(tls) = target.tls.as_mut() {
            // The certificate is that of the site, by whatever way it is reached.
            tls.server_name.get_or_insert(host);
        }
        target.address = Address::Tcp { host: address.to_string(), port };
        let client = RedisClient::new(target, &self.collectors.profiles, Arc::clone(&self.collectors.clock));
        let client = match client {
            Ok(client) => client,
            Err(error) => return Some(Err(Gap::new(GapReason::Tls, error.to_string()))),
        };
        Some(client.canary(&probe, deadline).await.map_err(|error| error.gap()))
    }
}

/// A proxy calls the destination of a Replica Of a primary as well: what a database is, only its cluster tells. Where that
/// says nothing, nothing is known.
fn tell_role(seen: &mut TargetSnapshot, plane: Option<&ControlPlane>) {
    let Ok(facts) = &mut seen.facts else { return };
    let is_link_up = plane.and_then(|plane| plane.is_link_up);
    (facts.role, facts.link) = match plane.and_then(|plane| plane.is_copy) {
        None => (None, None),
        Some(false) => (Some(Role::Primary), None),
        Some(true) => {
            let link = Link {
                up: is_link_up == Some(true),
                source: String::new(),
                // Neither in sync nor out of it.
                syncing: is_link_up.is_none(),
            };
            (Some(Role::Replica), Some(link))
        }
    };
}

#[cfg(test)]
impl Metrics {
    /// One observation of each family, for pages in tests.
    pub(super) fn touch(&self) {
        let (service, site) = (("redis_service", "s".to_owned()), ("datacenter", "dc".to_owned()));
        self.duration.get_or_create(&[service.clone(), site.clone()]).observe(0.1);
        self.gaps.get_or_create(&[service, site, ("reason", "refused".to_owned())]).inc();
        self.around.touch();
    }
}
