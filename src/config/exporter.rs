//! Reads what is exported beside the services: groups of targets with a login each, and what a scrape asks for.

use super::checked::{Address, Target};
use super::keys::{self, Keys};
use super::raw::{Placed, RawExporter, RawGroup};
use super::read::{Item, Section, boolean, choice, integer, named};
use super::redis::{Login, login};
use super::target;
use crate::types::{ServiceName, TargetName};

/// Most connections that a scrape may list.
const CLIENTS_MAX: u64 = 1000;

/// What the exporter does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exporter {
    /// Targets that no service has, or that are scraped with another login than the service's.
    pub groups: Vec<Group>,
    /// Whether every parameter of a server is exported.
    pub parameters: bool,
    /// Most connections of a server that are listed; 0 for none.
    pub clients_max: u32,
    /// Which keys of a server are looked at.
    pub keys: Keys,
}

/// Targets with one login.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name; a label of its targets at discovery.
    pub name: ServiceName,
    /// Its Redis addresses, at least one.
    pub targets: Vec<Target>,
    /// Which other servers its targets make known.
    pub discover: Discover,
    /// How to log in to those.
    pub discovered: Login,
}

/// Which other servers a target makes known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discover {
    /// None.
    #[default]
    Nothing,
    /// The other nodes of its cluster.
    Cluster,
    /// The primaries and replicas that it watches as a Sentinel.
    Sentinel,
}

impl Group {
    /// The target at a place that one of the group's own made known: reached in the same way.
    #[must_use]
    pub fn target_at(&self, seed: &Target, host: String, port: u16) -> Option<Target> {
        let scheme =
            seed.name.as_str().split("://").next().filter(|scheme| *scheme != "unix").unwrap_or("redis");
        let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let tls = self.discovered.tls.clone().or_else(|| seed.tls.clone());
        Some(Target {
            name: TargetName::new(format!("{scheme}://{shown}:{port}")).ok()?,
            address: Address::Tcp { host, port },
            tls: seed.tls.as_ref().and(tls),
            username: self.discovered.username.clone(),
            password: self.discovered.password.clone(),
            password_file: self.discovered.password_file.clone(),
        })
    }
}

/// Reads the section.
pub(super) fn exporter(file: &Section<'_>) -> RawExporter {
    let known = ["groups", "parameters", "clients_max", "keys"];
    let section = file.item("exporter").and_then(|item| item.section(&known));
    let Some(section) = section else { return RawExporter::default() };
    let groups = section.item("groups").and_then(|item| item.items()).unwrap_or_default();
    let clients_max = section.or("clients_max", 0, integer(0..=CLIENTS_MAX));
    RawExporter {
        groups: groups.iter().filter_map(group).collect(),
        parameters: section.or("parameters", false, boolean),
        clients_max: u32::try_from(clients_max).unwrap_or(0),
        keys: section.item("keys").map(|item| keys::keys(&item)).unwrap_or_default(),
    }
}

fn group(item: &Item<'_>) -> Option<RawGroup> {
    let section = item.section(&["name", "redis", "targets", "discover", "discovered_redis"])?;
    let of = |name: &str| section.item(name).and_then(|item| login(&item));
    let login = of("redis").unwrap_or_default();
    let ways = [("cluster", Discover::Cluster), ("sentinel", Discover::Sentinel)];
    let items = section.required_item("targets", "targets: [\"redis://10.0.0.1:6379\"]");
    let items = items.and_then(|item| item.items());
    if items.as_ref().is_some_and(Vec::is_empty) {
        section.sheet.problem(&section.key_of("targets"), "is empty", "name at least one Redis address");
    }
    let target = |item: &Item<'_>| {
        let value = item.read(|value| target::read(value, &login))?;
        Some(Placed { key: item.key.clone(), value })
    };
    Some(RawGroup {
        key: section.key.clone(),
        name: section.required("name", "name: caches", named(|t| ServiceName::new(t))),
        targets: items.unwrap_or_default().iter().filter_map(target).collect(),
        discover: section.or("discover", Discover::Nothing, choice(&ways)),
        discovered: of("discovered_redis").unwrap_or(login),
    })
}
