//! The collectors of one agent, shared by the monitors of all its services.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::client::PrometheusClient;
use super::enterprise::EnterpriseClient;
use super::http::HttpClients;
use super::lookout::{Lookout, Means};
use super::metrics::Collector;
use super::reach::Thing;
use super::silences::{SilenceClient, incident_labels};
use crate::config::{Config, Reach};
use crate::monitor::Metrics;
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{
    AgentName, Check, Clock, ControlPlane, Gap, GapReason, Ratio, ServiceName, Silence, SiteName, look_limit,
};

/// What all services of an agent look with.
pub struct Collectors {
    pub(in crate::monitor) agent: AgentName,
    pub(in crate::monitor) profiles: TlsProfiles,
    pub(in crate::monitor) metrics: Metrics,
    pub(in crate::monitor) clock: Arc<dyn Clock>,
    probe_interval: Duration,
    self_checks: Lookout,
    domains: BTreeMap<SiteName, Lookout>,
    clusters: BTreeMap<SiteName, EnterpriseClient>,
    prometheus: Option<PrometheusClient>,
    silences: Option<SilenceClient>,
}

impl fmt::Debug for Collectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collectors").field("agent", &self.agent).finish_non_exhaustive()
    }
}

impl Collectors {
    /// The collectors that a configuration names. They connect at their first look.
    ///
    /// # Errors
    /// TLS files cannot be used.
    pub fn new(config: &Config, metrics: Metrics, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let profiles = TlsProfiles::new();
        let clients = HttpClients::new(config.global.probe_timeout);
        let means = Means {
            clock: Arc::clone(&clock),
            metrics: metrics.around.clone(),
            probe_interval: config.global.probe_interval,
        };
        let lookout = |collector, reaches: &[Reach]| {
            let things = reaches.iter().map(|reach| Thing::new(reach, &clients, &profiles));
            let things = things.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, TlsError>(Lookout::new(collector, things, means.clone()))
        };
        let self_checks = lookout(Collector::SelfCheck, &config.self_checks)?;
        let (mut domains, mut clusters) = (BTreeMap::new(), BTreeMap::new());
        for place in &config.datacenters {
            domains.insert(place.name.clone(), lookout(Collector::Domain, &place.domain_checks)?);
            if let Some(enterprise) = &place.enterprise {
                let client = EnterpriseClient::new(enterprise, &clients, &profiles, Arc::clone(&clock))?;
                clusters.insert(place.name.clone(), client);
            }
        }
        let prometheus = config.prometheus.as_ref();
        let prometheus = prometheus
            .map(|p| PrometheusClient::new(p, &clients, &profiles, Arc::clone(&clock)))
            .transpose()?;
        let deadline = config.global.probe_timeout;
        let silences = config.alertmanager.as_ref();
        let silences = silences.map(|a| SilenceClient::new(a, deadline)).transpose()?;
        let agent = config.agent.name.clone();
        let probe_interval = config.global.probe_interval;
        Ok(Self {
            agent,
            profiles,
            metrics,
            clock,
            probe_interval,
            self_checks,
            domains,
            clusters,
            prometheus,
            silences,
        })
    }

    /// The longest that a look may take whose commands have this deadline.
    pub(in crate::monitor) fn look_limit(&self, deadline: Duration) -> Duration {
        look_limit(deadline, self.probe_interval)
    }

    /// What this agent must reach itself; one look serves all services of a round.
    pub async fn self_checks(&self, deadline: Duration) -> Vec<Check> {
        self.self_checks.look(deadline).await
    }

    /// What else is in a datacenter; one look serves all services of a round.
    pub async fn domain(&self, datacenter: &SiteName, deadline: Duration) -> Vec<Check> {
        match self.domains.get(datacenter) {
            Some(lookout) => lookout.look(deadline).await,
            None => Vec::new(),
        }
    }

    /// What the cluster of a datacenter says of a database.
    ///
    /// # Errors
    /// It said nothing that can be used, or there is no cluster.
    pub async fn control(
        &self,
        datacenter: &SiteName,
        database: u32,
        deadline: Duration,
    ) -> Result<ControlPlane, Gap> {
        let Some(cluster) = self.clusters.get(datacenter) else {
            return Err(Gap::new(GapReason::NotAsked, "the datacenter has no cluster"));
        };
        self.counted(Collector::Enterprise, cluster.look(database, deadline)).await
    }

    /// The clusters, by their datacenters.
    pub(in crate::monitor) fn clusters(&self) -> impl Iterator<Item = (&SiteName, &EnterpriseClient)> {
        self.clusters.iter()
    }

    /// The value of a query, as a share.
    ///
    /// # Errors
    /// There is no value that can be used, or no Prometheus.
    pub async fn client_errors(&self, promql: &str, deadline: Duration) -> Result<Ratio, Gap> {
        let Some(prometheus) = &self.prometheus else {
            return Err(Gap::new(GapReason::NotAsked, "there is no Prometheus"));
        };
        self.counted(Collector::Client, prometheus.share(promql, deadline)).await
    }

    /// The sites of a service whose incidents a person has silenced; `None` without an Alertmanager.
    pub async fn silenced(
        &self,
        service: &ServiceName,
        sites: &[SiteName],
        deadline: Duration,
    ) -> Option<Result<BTreeMap<SiteName, Silence>, Gap>> {
        let silences = self.silences.as_ref()?;
        let labels: Vec<_> =
            sites.iter().map(|site| incident_labels(service.as_str(), site.as_str())).collect();
        let found = self.counted(Collector::Silences, silences.of(&labels, deadline)).await;
        let named = |found: Vec<Option<Silence>>| {
            sites.iter().cloned().zip(found).filter_map(|(site, silence)| Some((site, silence?))).collect()
        };
        Some(found.map(named))
    }

    async fn counted<T>(
        &self,
        collector: Collector,
        look: impl Future<Output = Result<T, Gap>>,
    ) -> Result<T, Gap> {
        let start = self.clock.now();
        let seen = look.await;
        self.metrics.around.count(collector, self.clock.now().since(start), seen.as_ref().err());
        seen
    }
}
