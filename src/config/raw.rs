//! The file's shape. Each value is already of its own type; what is missing or wrong is `None` and noted, so that the
//! rules between keys can be checked for all that is there.

use std::net::SocketAddr;
use std::time::Duration;

use super::checked::{
    Agent, Alertmanager, Canary, Config, EmbeddedDns, Global, Mode, Policy, Promote, Provider, Record,
    Service, Site, Target, Topology, Webhook,
};
use crate::types::{RecordName, RecordType, ServiceName, SiteName};

/// The file.
pub(super) struct RawConfig {
    pub(super) global: Global,
    pub(super) agent: Option<Agent>,
    pub(super) datacenters: Vec<Placed<SiteName>>,
    pub(super) services: Vec<RawService>,
    pub(super) webhook: Option<Webhook>,
    pub(super) alertmanager: Option<Alertmanager>,
    pub(super) embedded_dns: Option<EmbeddedDns>,
}

/// A value and the key it stands at.
pub(super) struct Placed<T> {
    pub(super) key: String,
    pub(super) value: T,
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
}

/// A site.
pub(super) struct RawSite {
    pub(super) key: String,
    pub(super) datacenter: Option<SiteName>,
    pub(super) dns_target: Option<String>,
    pub(super) targets: Vec<Placed<Target>>,
}

impl RawConfig {
    /// The checked configuration; `None` when something is missing, which was noted then.
    pub(super) fn build(self) -> Option<Config> {
        Some(Config {
            global: self.global,
            agent: self.agent?,
            datacenters: self.datacenters.into_iter().map(|d| d.value).collect(),
            services: self.services.into_iter().map(RawService::build).collect::<Option<_>>()?,
            webhook: self.webhook?,
            alertmanager: self.alertmanager,
            embedded_dns: self.embedded_dns,
        })
    }
}

impl RawService {
    fn build(self) -> Option<Service> {
        Some(Service {
            name: self.name?,
            topology: self.topology?,
            mode: self.mode,
            record: self.record?.build()?,
            sites: self.sites.into_iter().map(RawSite::build).collect::<Option<_>>()?,
            promote: self.promote,
            canary: self.canary,
            policy: self.policy,
        })
    }
}

impl RawRecord {
    fn build(self) -> Option<Record> {
        Some(Record {
            name: self.name?,
            kind: self.kind?,
            ttl_seconds: self.ttl_seconds?,
            provider: self.provider?,
            read_interval: self.read_interval,
            name_servers: self.name_servers,
        })
    }
}

impl RawSite {
    fn build(self) -> Option<Site> {
        Some(Site {
            name: self.datacenter?,
            dns_target: self.dns_target?,
            targets: self.targets.into_iter().map(|t| t.value).collect(),
        })
    }
}
