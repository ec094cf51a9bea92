//! Reads the world; what is absent has its default.

use std::time::Duration;

use super::state::{time, whole_seconds};
use crate::config::Topology;
use crate::config::read::{Item, Section, Value, Wrong, boolean, choice, duration, integer, named};
use crate::sim::language::ground::{AGENTS_MAX, DATACENTERS_MAX, INTERVALS, RESERVED};
use crate::sim::language::{AgentPlace, Alerts, Ground, World};
use crate::types::{AgentName, SiteName};

const TARGETS_MAX: u64 = 64;
const SERVICES_MAX: u64 = 200;
/// Reads the world; `None` when anything in it is wrong, which was noted.
pub fn read(item: Option<&Item<'_>>, ground: Option<&Ground>) -> Option<World> {
    let base = || ground.map_or_else(World::default, |ground| ground.world.clone());
    let Some(item) = item else { return Some(base()) };
    let section = item.section(&[
        "datacenters",
        "members",
        "active",
        "topology",
        "targets",
        "services",
        "agents",
        "leader",
        "enterprise",
        "clients",
        "domain_checks",
        "self_checks",
        "alerts",
        "ttl",
        "lag",
        "memory",
        "probe_interval",
        "probe_timeout",
        "run",
    ])?;
    for key in ground.into_iter().flat_map(Ground::world_keys) {
        refuse(section.item(key));
    }
    let datacenters = section.item("datacenters").map(|item| sites(&item, 2..=DATACENTERS_MAX));
    let mut world = match &datacenters {
        Some(Some(datacenters)) => World::of(datacenters.clone()),
        Some(None) | None => base(),
    };
    // Without datacenters there is nothing to compare the other names with.
    if datacenters != Some(None) {
        members(&section, &mut world);
        agents(&section, &mut world);
    }
    let topologies = [
        ("active-active", Topology::ActiveActive),
        ("replica-of", Topology::ReplicaOf),
        ("replication", Topology::Replication),
    ];
    world.topology = section.or("topology", world.topology, choice(&topologies));
    let alerts = [("manual", Alerts::Manual), ("automatic", Alerts::Automatic)];
    world.alerts = section.or("alerts", world.alerts, choice(&alerts));
    world.targets = section.or("targets", world.targets, |v| integer(1..=TARGETS_MAX)(v).map(|n| n as usize));
    world.services =
        section.or("services", world.services, |v| integer(1..=SERVICES_MAX)(v).map(|n| n as usize));
    world.enterprise = section.or("enterprise", world.enterprise, boolean);
    world.clients = section.or("clients", world.clients, boolean);
    world.domain_checks = section.or("domain_checks", world.domain_checks, boolean);
    world.self_checks = section.or("self_checks", world.self_checks, boolean);
    world.memory_percent =
        section.or("memory", world.memory_percent, |v| integer(0..=100)(v).map(|n| n as u32));
    world.ttl = section.or("ttl", world.ttl, whole_seconds);
    world.lag = section.or("lag", world.lag, time);
    world.probe_interval = section.or("probe_interval", world.probe_interval, duration(INTERVALS));
    let shorter = duration(Duration::from_millis(10)..=world.probe_interval - Duration::from_millis(1));
    world.probe_timeout = section.or("probe_timeout", world.probe_timeout, shorter);
    let week = Duration::from_secs(7 * 86_400);
    world.run = section.or("run", world.run, duration(Duration::from_secs(1)..=week));
    section.sheet.is_sound(&section.key).then_some(world)
}

/// Notes that a scenario says what its configuration says.
pub fn refuse(item: Option<Item<'_>>) {
    if let Some(item) = item {
        let hint = "remove it, or play the scenario without --config.file";
        item.sheet.problem(&item.key, "is what the configuration file says", hint);
    }
}

fn members(section: &Section<'_>, world: &mut World) {
    if let Some(members) = section.item("members").and_then(|item| {
        let known = |v: &Value| one_of(&world.datacenters, v);
        listed(&item, 2..=DATACENTERS_MAX, known)
    }) {
        world.active = members[0].clone();
        world.members = members;
    }
    if let Some(active) = section.optional("active", |v| one_of(&world.members, v)) {
        world.active = active;
    }
}

fn agents(section: &Section<'_>, world: &mut World) {
    if let Some(item) = section.item("agents") {
        let entries = item.entries().unwrap_or_default();
        let agent = |(name, item): &(&str, Item<'_>)| {
            let datacenter = item.read(|v| one_of(&world.datacenters, v));
            let taken = |t: &str| RESERVED.contains(&t) || world.datacenters.iter().any(|d| d.as_str() == t);
            let reason = match AgentName::new(*name) {
                Ok(_) if taken(name) => "is the name of something else".to_owned(),
                Ok(name) => return datacenter.map(|datacenter| AgentPlace { name, datacenter }),
                Err(error) => error.to_string(),
            };
            item.sheet.problem(&item.key, reason, "write another name");
            None
        };
        let agents: Vec<AgentPlace> = entries.iter().filter_map(agent).collect();
        if !item.sheet.is_sound(&item.key) {
            return;
        }
        if !(1..=AGENTS_MAX).contains(&agents.len()) {
            let hint = format!("name 1 to {AGENTS_MAX} agents, such as {{a1: {}}}", world.active);
            item.sheet.problem(&item.key, format!("has {} agents", agents.len()), hint);
            return;
        }
        world.agents = agents;
    }
    let names: Vec<AgentName> = world.agents.iter().map(|agent| agent.name.clone()).collect();
    let leader = section.optional("leader", |v| {
        let name = named(|t| AgentName::new(t))(v)?;
        among(&names, name, "an agent")
    });
    world.leader = leader.unwrap_or_else(|| world.usual_leader());
}

fn sites(item: &Item<'_>, count: std::ops::RangeInclusive<usize>) -> Option<Vec<SiteName>> {
    listed(item, count, |v| {
        let name = named(|t| SiteName::new(t))(v)?;
        if RESERVED.contains(&name.as_str()) {
            return Err(Wrong::new("is a word of the language", "write another name"));
        }
        Ok(name)
    })
}

/// A list of different names; `None` when it is wrong in any way, which was noted.
fn listed(
    item: &Item<'_>,
    count: std::ops::RangeInclusive<usize>,
    one: impl Fn(&Value) -> Result<SiteName, Wrong>,
) -> Option<Vec<SiteName>> {
    let mut names: Vec<SiteName> = Vec::new();
    for item in item.items()? {
        let Some(name) = item.read(&one) else { continue };
        if names.contains(&name) {
            item.sheet.problem(&item.key, "is there already", "keep one of the two");
        }
        names.push(name);
    }
    if !item.sheet.is_sound(&item.key) {
        return None;
    }
    if !count.contains(&names.len()) {
        let (least, most) = (count.start(), count.end());
        item.sheet.problem(
            &item.key,
            format!("has {} names", names.len()),
            format!("write {least} to {most} names"),
        );
        return None;
    }
    Some(names)
}

fn one_of(all: &[SiteName], value: &Value) -> Result<SiteName, Wrong> {
    among(all, named(|t| SiteName::new(t))(value)?, "one of the datacenters here")
}

fn among<T: PartialEq + std::fmt::Display>(all: &[T], name: T, what: &str) -> Result<T, Wrong> {
    if all.contains(&name) {
        return Ok(name);
    }
    let all = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Wrong::new(format!("{name} is not {what}"), format!("write one of {all}")))
}
