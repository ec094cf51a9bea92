//! The world in which a service of a real configuration is played: what the file says of it, and the usual rest.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::scenario::{AgentPlace, PolicyText, World};
use crate::config::read::duration_text;
use crate::config::{Config, Promote, Service, policy_text};
use crate::types::{AgentName, SiteName};

/// Most datacenters of a world.
pub(super) const DATACENTERS_MAX: usize = 9;
/// Most agents of a world.
pub(super) const AGENTS_MAX: usize = 15;
/// How far apart rounds may be: a round must not outlast the interval, and virtual time is not endless.
pub(super) const INTERVALS: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(300);
/// Words of the language that no datacenter and no agent may be called by.
pub(super) const RESERVED: [&str; 6] = ["all", "leader", "agents", "clients", "service", "missing"];
/// What a configuration says of the world, beside the agents.
const KEYS: [&str; 12] = [
    "datacenters",
    "members",
    "topology",
    "targets",
    "services",
    "enterprise",
    "clients",
    "domain_checks",
    "self_checks",
    "ttl",
    "probe_interval",
    "probe_timeout",
];

/// Why a service cannot be played.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GroundError {
    /// More places than a world has.
    #[error(
        "service {service} and its agents are in {count} datacenters, and a simulated world has at most {DATACENTERS_MAX}"
    )]
    Datacenters {
        /// The service.
        service: String,
        /// How many.
        count: usize,
    },
    /// More agents than a world has.
    #[error("there are {count} agents, and a simulated world has at most {AGENTS_MAX}")]
    Agents {
        /// How many.
        count: usize,
    },
    /// A name that means something else in scenarios.
    #[error(
        "{name} is a word of the language of scenarios, or the name of something else; rename it in a copy of the file"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Rounds that the simulator does not play.
    #[error("global.probe_interval is {}, and the simulator plays {} to {}", duration_text(*.interval), duration_text(*INTERVALS.start()), duration_text(*INTERVALS.end()))]
    Interval {
        /// The interval.
        interval: Duration,
    },
}

/// What a configuration says of the world in which one of its services is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    pub(super) world: World,
    pub(super) policy: PolicyText,
    has_vantages: bool,
}

impl Ground {
    /// The ground of one service. What only some of its sites have, such as a cluster's API, counts as absent: a
    /// simulated world has the same at every site.
    ///
    /// # Errors
    /// The simulator has no such world.
    pub fn of(config: &Config, service: &Service) -> Result<Self, GroundError> {
        let agents = agents(config)?;
        let datacenters = datacenters(config, service, &agents)?;
        let interval = config.global.probe_interval;
        if !INTERVALS.contains(&interval) {
            return Err(GroundError::Interval { interval });
        }
        let taken = |name: &str| RESERVED.contains(&name);
        let names = agents.iter().map(|agent| agent.name.as_str());
        let is_place = |name: &str| datacenters.iter().any(|place| place.as_str() == name);
        let mut wrong = names.filter(|name| taken(name) || is_place(name));
        let wrong = wrong.next().or_else(|| datacenters.iter().map(SiteName::as_str).find(|n| taken(n)));
        if let Some(name) = wrong {
            return Err(GroundError::Name { name: name.to_owned() });
        }
        let checked = |site: &SiteName| {
            config.datacenters.iter().any(|place| place.name == *site && !place.domain_checks.is_empty())
        };
        let members: Vec<SiteName> = service.sites.iter().map(|site| site.name.clone()).collect();
        let mut world = World {
            active: members[0].clone(),
            topology: service.topology,
            targets: service.sites.iter().map(|site| site.targets.len()).max().unwrap_or(1),
            services: 1,
            called: Some(service.name.clone()),
            enterprise: service.sites.iter().all(|site| site.database.is_some()),
            clients: service.client_errors.is_some(),
            domain_checks: members.iter().all(checked),
            self_checks: !config.self_checks.is_empty(),
            ttl: Duration::from_secs(u64::from(service.record.ttl_seconds)),
            probe_interval: interval,
            probe_timeout: config.global.probe_timeout,
            agents,
            members,
            ..World::of(datacenters)
        };
        world.leader = world.usual_leader();
        let policy = PolicyText {
            mode: service.mode,
            dry_run: service.dry_run,
            canary: service.canary.is_some(),
            promote: service.promote.as_ref().map(promote),
            policy: policy_text(&service.policy),
        };
        Ok(Self { world, policy, has_vantages: !config.agent.vantages.is_empty() })
    }

    /// The world, as it is where a scenario says nothing of it.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What the configuration says beside the defaults.
    #[must_use]
    pub fn policy(&self) -> &PolicyText {
        &self.policy
    }

    /// What a scenario must not say of the world: the agents only where the configuration names others beside its own.
    pub(super) fn world_keys(&self) -> impl Iterator<Item = &'static str> {
        KEYS.into_iter().chain(self.has_vantages.then_some("agents"))
    }
}

/// This agent, and those it asks.
fn agents(config: &Config) -> Result<Vec<AgentPlace>, GroundError> {
    let place =
        |name: &AgentName, domain: &SiteName| AgentPlace { name: name.clone(), datacenter: domain.clone() };
    let own = place(&config.agent.name, &config.agent.failure_domain);
    let others = config.agent.vantages.iter().map(|vantage| place(&vantage.name, &vantage.failure_domain));
    let agents: Vec<AgentPlace> = std::iter::once(own).chain(others).collect();
    let count = agents.len();
    if count > AGENTS_MAX { Err(GroundError::Agents { count }) } else { Ok(agents) }
}

/// The places of the service and of the agents, and of the others as many as there is room for.
fn datacenters(
    config: &Config,
    service: &Service,
    agents: &[AgentPlace],
) -> Result<Vec<SiteName>, GroundError> {
    let needed = service.sites.iter().map(|site| &site.name).chain(agents.iter().map(|a| &a.datacenter));
    let mut known = BTreeSet::new();
    let mut all: Vec<SiteName> = needed.filter(|name| known.insert(*name)).cloned().collect();
    if all.len() > DATACENTERS_MAX {
        return Err(GroundError::Datacenters { service: service.name.to_string(), count: all.len() });
    }
    let others = config.datacenters.iter().map(|place| &place.name).filter(|name| known.insert(*name));
    let room = DATACENTERS_MAX - all.len();
    all.extend(others.take(room).cloned());
    Ok(all)
}

fn promote(promote: &Promote) -> String {
    // In a simulated world nobody is called: a hook promotes as Redis itself does.
    let kind = if promote.is_by_cluster() { "enterprise" } else { "replicaof" };
    format!("{{kind: {kind}, without_fencing: {}}}", promote.without_fencing())
}
