//! Draws an incident: the same number gives the same one.

use std::time::Duration;

use super::faults::{fault, outage};
use super::incident::{Fault, Incident, SETTLED_AT};
use crate::config::{Mode, Topology};
use crate::sim::chance::Chance;
use crate::sim::language::{AgentPlace, Alerts, Ground, PolicyText, World};
use crate::types::{AgentName, SiteName};

/// Most agents, sites and faults of an incident.
const AGENTS_MAX: usize = 5;
const SITES_MAX: usize = 4;
const FAULTS_MAX: usize = 8;
/// Share of incidents that begin with an outage of the active site.
const OUTAGES: f64 = 0.6;
/// Automatic needs vantages in so many places, unless a person accepts fewer.
const PLACES_FOR_AUTOMATIC: usize = 3;

/// Draws an incident; on a ground, only its faults.
pub(super) fn incident(seed: u64, ground: Option<&Ground>) -> Incident {
    let mut chance = Chance::new(seed);
    let (world, policy) = match ground {
        Some(ground) => (World { run: SETTLED_AT, ..ground.world().clone() }, ground.policy().clone()),
        None => {
            let world = world(&mut chance);
            let policy = policy(&world, &mut chance);
            (world, policy)
        }
    };
    let count = 1 + chance.below(FAULTS_MAX);
    // Most incidents are about what happens to a switch, so most begin with a reason for one.
    let outage = chance.happens(OUTAGES).then(|| outage(&world, &mut chance));
    let others: Vec<Fault> = (0..count).map(|_| fault(&world, &mut chance)).collect();
    Incident { seed, world, policy, faults: outage.into_iter().chain(others).collect() }
}

fn world(chance: &mut Chance) -> World {
    let members = 2 + chance.below(SITES_MAX - 1);
    let witness = usize::from(chance.happens(0.5));
    let name = |letter: char| SiteName::new(format!("dc-{letter}")).ok();
    let datacenters: Vec<SiteName> = ('a'..='z').take(members + witness).filter_map(name).collect();
    let mut world = World::of(datacenters);
    world.members = world.datacenters[..members].to_vec();
    // Three agents is what the handbook says, so it is what is tried most.
    let agents = if chance.happens(0.5) { 3 } else { 1 + chance.below(AGENTS_MAX) };
    let homes = world.datacenters.clone();
    let agent = |rank: usize| {
        // One in each place first; with more agents than places, two of them share one.
        let home = &homes[rank % homes.len()];
        let letter = char::from(b'a' + u8::try_from(rank % homes.len()).unwrap_or(0));
        let name = AgentName::new(format!("{letter}{}", 1 + rank / homes.len())).ok()?;
        Some(AgentPlace { name, datacenter: home.clone() })
    };
    world.agents = (0..agents).filter_map(agent).collect();
    world.leader = world.usual_leader();
    world.topology = match chance.below(10) {
        0..5 => Topology::ActiveActive,
        5..9 => Topology::Replication,
        _ => Topology::ReplicaOf,
    };
    world.targets = if chance.happens(0.8) { 1 } else { 3 };
    world.services = if chance.happens(0.8) { 1 } else { 2 };
    world.enterprise = chance.happens(0.8);
    world.clients = chance.happens(0.8);
    // Without anything beside the Redis a refusal by a device on the way cannot be told from one by the host.
    world.domain_checks = chance.happens(0.8) || world.topology == Topology::Replication;
    world.self_checks = chance.happens(0.9);
    world.alerts = if chance.happens(0.5) { Alerts::Automatic } else { Alerts::Manual };
    world.run = SETTLED_AT;
    world
}

fn policy(world: &World, chance: &mut Chance) -> PolicyText {
    let mut places: Vec<&SiteName> = world.agents.iter().map(|agent| &agent.datacenter).collect();
    places.sort_unstable();
    places.dedup();
    let is_few = places.len() < PLACES_FOR_AUTOMATIC;
    let promotes = world.topology == Topology::Replication && chance.happens(0.9);
    let mode = if chance.happens(0.95) { Mode::Automatic } else { Mode::Recommend };
    // A short interval lets records move back as well.
    let interval = if chance.happens(0.3) { Some(Duration::from_secs(60)) } else { None };
    let mut policy = Vec::new();
    policy.extend(is_few.then(|| "\"accept_fewer_vantages\": true".to_owned()));
    policy.extend(interval.map(|interval| format!("\"min_auto_interval\": \"{}s\"", interval.as_secs())));
    PolicyText {
        mode,
        dry_run: chance.happens(0.02),
        canary: true,
        promote: promotes.then(|| "{\"kind\": \"replicaof\"}".to_owned()),
        policy: format!("{{{}}}", policy.join(", ")),
    }
}
