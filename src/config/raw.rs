//! The file's shape. Each value is already of its own type; what is missing or wrong is `None` and noted, so that the
//! rules between keys can be checked for all that is there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::around::{ClientErrors, Datacenter, Enterprise, Maintenance, Prometheus, Reach, Vantage};
use super::checked::{
    Agent, Alertmanager, Analysis, Canary, Config, Global, Mode, Policy, Promote, Provider, Record, Service,
    Site, Target, Topology, Webhook,
};
use super::embedded::EmbeddedDns;
use super::exporter::{Discover, Exporter, Group};
use super::history::History;
use super::hooks::Hooks;
use super::keys::Keys;
use super::notify::Channel;
use super::redis::Login;
use super::route53::{MoreRecord, RawMore};
use crate::types::{AgentName, RecordName, RecordType, ServiceName, SiteName};

/// The file.
pub(super) struct RawConfig {
    pub(super) global: Global,
    pub(super) agent: Option<RawAgent>,
    pub(super) self_checks: Vec<Placed<Reach>>,
    pub(super) datacenters: Vec<RawDatacenter>,
    pub(super) services: Vec<RawService>,
    pub(super) exporter: RawExporter,
    pub(super) webhook: Option<Webhook>,
    pub(super) alertmanager: Option<Alertmanager>,
    pub(super) prometheus: Option<Prometheus>,
    pub(super) notify: Vec<Placed<Channel>>,
    pub(super) embedded_dns: Option<EmbeddedDns>,
    pub(super) analysis: Analysis,
    pub(super) history: Option<History>,
}

/// A value and the key it stands at.
pub(super) struct Placed<T> {
    pub(super) key: String,
    pub(super) value: T,
}

/// This agent.
pub(super) struct RawAgent {
    pub(super) name: Option<AgentName>,
    pub(super) failure_domain: Option<SiteName>,
    pub(super) data_dir: PathBuf,
    pub(super) vantages: Vec<Placed<Vantage>>,
}

/// A datacenter.
pub(super) struct RawDatacenter {
    pub(super) key: String,
    pub(super) name: SiteName,
    pub(super) domain_checks: Vec<Placed<Reach>>,
    /// The inner `None` is a wrong block, noted.
    pub(super) enterprise: Option<Option<Enterprise>>,
}

/// What is exported beside the services.
#[derive(Default)]
pub(super) struct RawExporter {
    pub(super) groups: Vec<RawGroup>,
    pub(super) parameters: bool,
    pub(super) clients_max: u32,
    pub(super) keys: Keys,
}

/// A group of targets.
pub(super) struct RawGroup {
    pub(super) key: String,
    pub(super) name: Option<ServiceName>,
    pub(super) targets: Vec<Placed<Target>>,
    pub(super) discover: Discover,
    pub(super) discovered: Login,
}

/// A service.
pub(super) struct RawService {
    pub(super) key: String,
    pub(super) name: Option<ServiceName>,
    pub(super) topology: Option<Topology>,
    pub(super) mode: Mode,
    pub(super) record: Option<RawRecord>,
    pub(super) sites: Vec<RawSite>,
    pub(super) promote: Option<Promote>,
    pub(super) canary: Option<Canary>,
    pub(super) client_errors: Option<ClientErrors>,
    pub(super) hooks: Hooks,
    pub(super) maintenance: Vec<Placed<Maintenance>>,
    pub(super) dry_run: bool,
    pub(super) policy: Policy,
}

impl RawService {
    /// The full key of an entry of this service.
    pub(super) fn key_of(&self, name: &str) -> String {
        format!("{}.{name}", self.key)
    }
}

/// A record.
pub(super) struct RawRecord {
    pub(super) name: Option<RecordName>,
    pub(super) kind: Option<RecordType>,
    pub(super) ttl_seconds: Option<u32>,
    pub(super) provider: Option<Provider>,
    pub(super) read_interval: Duration,
    pub(super) name_servers: Vec<SocketAddr>,
    pub(super) resolvers: Vec<SocketAddr>,
    pub(super) more_records: Vec<RawMore>,
}

/// A site.
pub(super) struct RawSite {
    pub(super) key: String,
    pub(super) datacenter: Option<SiteName>,
    pub(super) dns_target: Option<String>,
    pub(super) alias_zone_id: Option<String>,
    pub(super) targets: Vec<Placed<Target>>,
    pub(super) database: Option<u32>,
}

impl RawConfig {
    /// The checked configuration; `None` when something is missing, which was noted then.
    pub(super) fn build(self) -> Option<Config> {
        Some(Config {
            global: self.global,
            agent: self.agent?.build()?,
            self_checks: values(self.self_checks),
            datacenters: self.datacenters.into_iter().map(RawDatacenter::build).collect(),
            services: self.services.into_iter().map(RawService::build).collect::<Option<_>>()?,
            exporter: self.exporter.build()?,
            webhook: self.webhook?,
            alertmanager: self.alertmanager,
            prometheus: self.prometheus,
            notify: values(self.notify),
            embedded_dns: self.embedded_dns,
            analysis: self.analysis,
            history: self.history?,
        })
    }
}

impl RawAgent {
    fn build(self) -> Option<Agent> {
        Some(Agent {
            name: self.name?,
            failure_domain: self.failure_domain?,
            data_dir: self.data_dir,
            vantages: values(self.vantages),
        })
    }
}

impl RawDatacenter {
    fn build(self) -> Datacenter {
        let enterprise = self.enterprise.flatten();
        Datacenter { name: self.name, domain_checks: values(self.domain_checks), enterprise }
    }
}

impl RawExporter {
    fn build(self) -> Option<Exporter> {
        let group = |group: RawGroup| {
            Some(Group {
                name: group.name?,
                targets: values(group.targets),
                discover: group.discover,
                discovered: group.discovered,
            })
        };
        let groups = self.groups.into_iter().map(group).collect::<Option<_>>()?;
        let Self { parameters, clients_max, keys, .. } = self;
        Some(Exporter { groups, parameters, clients_max, keys })
    }
}

impl RawService {
    fn build(self) -> Option<Service> {
        Some(Service {
            name: self.name?,
            topology: self.topology?,
            mode: self.mode,
            record: self.record?.build(&self.sites)?,
            sites: self.sites.into_iter().map(RawSite::build).collect::<Option<_>>()?,
            promote: self.promote,
            canary: self.canary,
            client_errors: self.client_errors,
            hooks: self.hooks,
            maintenance: values(self.maintenance),
            dry_run: self.dry_run,
            policy: self.policy,
        })
    }
}

impl RawRecord {
    fn build(mut self, sites: &[RawSite]) -> Option<Record> {
        if let Some(Provider::Route53(place)) = &mut self.provider {
            place.more_records = self.more_records.into_iter().map(RawMore::build).collect::<Option<_>>()?;
            let alias = |site: &RawSite| Some((site.datacenter.clone()?, site.alias_zone_id.clone()?));
            place.alias_zone_ids = sites.iter().filter_map(alias).collect();
        }
        Some(Record {
            name: self.name?,
            kind: self.kind?,
            ttl_seconds: self.ttl_seconds?,
            provider: self.provider?,
            read_interval: self.read_interval,
            name_servers: self.name_servers,
            resolvers: self.resolvers,
        })
    }
}

impl RawMore {
    fn build(self) -> Option<MoreRecord> {
        Some(MoreRecord { name: self.name?, kind: self.kind?, targets: values(self.targets) })
    }
}

impl RawSite {
    fn build(self) -> Option<Site> {
        Some(Site {
            name: self.datacenter?,
            dns_target: self.dns_target?,
            targets: values(self.targets),
            database: self.database,
        })
    }
}

fn values<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}
