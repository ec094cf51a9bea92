//! The names that a scenario may use: those of its world. Where the world itself is wrong, every name passes, since a
//! consequence is no second problem.

use std::fmt::Display;

use super::state::word_or;
use crate::config::read::{Item, Value, Wrong, integer, named};
use crate::sim::language::{Place, Rank, Who, World};
use crate::types::{AgentName, SiteName};

/// What the scenario's own world is called by, if that is known.
#[derive(Clone, Copy)]
pub struct Names<'w>(Option<&'w World>);

impl<'w> Names<'w> {
    /// The names of a world.
    #[must_use]
    pub fn of(world: Option<&'w World>) -> Self {
        Self(world)
    }

    /// The world, unless it is wrong.
    #[must_use]
    pub fn world(&self) -> Option<&'w World> {
        self.0
    }

    /// A datacenter with a site of the services.
    ///
    /// # Errors
    /// It is none.
    pub fn member(&self, value: &Value) -> Result<SiteName, Wrong> {
        let name = named(|t| SiteName::new(t))(value)?;
        among(name, self.0.map(|w| w.members.iter()), "a member of this world")
    }

    /// A datacenter.
    ///
    /// # Errors
    /// It is none.
    pub fn datacenter(&self, value: &Value) -> Result<SiteName, Wrong> {
        let name = named(|t| SiteName::new(t))(value)?;
        among(name, self.0.map(|w| w.datacenters.iter()), "a datacenter of this world")
    }

    /// An agent.
    ///
    /// # Errors
    /// It is none.
    pub fn agent(&self, value: &Value) -> Result<AgentName, Wrong> {
        let name = named(|t| AgentName::new(t))(value)?;
        among(name, self.agents(), "an agent of this world")
    }

    /// An agent, the leader, or all.
    ///
    /// # Errors
    /// It is none of them.
    pub fn who(&self, value: &Value) -> Result<Who, Wrong> {
        let words = [("leader", Who::Leader), ("all", Who::All)];
        word_or(value, &words, |value| self.agent(value).map(Who::Named))
    }

    /// A datacenter or an agent.
    ///
    /// # Errors
    /// It is neither.
    pub fn place(&self, value: &Value) -> Result<Place, Wrong> {
        let name = named(|t| SiteName::new(t))(value)?;
        let agent = AgentName::new(name.as_str())
            .ok()
            .filter(|agent| self.agents().is_some_and(|mut all| all.any(|a| a == agent)));
        if let Some(agent) = agent {
            return Ok(Place::Agent(agent));
        }
        let Some(world) = self.0 else { return Ok(Place::Datacenter(name)) };
        if world.datacenters.contains(&name) {
            return Ok(Place::Datacenter(name));
        }
        let all = list(world.datacenters.iter()) + ", " + &list(world.agents.iter().map(|a| &a.name));
        Err(Wrong::new(
            format!("{name} is neither a datacenter nor an agent of this world"),
            format!("write one of {all}"),
        ))
    }

    /// The rank of a service.
    ///
    /// # Errors
    /// There is no such service.
    pub fn service(&self, value: &Value) -> Result<Rank, Wrong> {
        rank(value, self.0.map(|w| w.services), "services")
    }

    /// The ranks of targets.
    #[must_use]
    pub fn targets(&self, item: &Item<'_>) -> Vec<Rank> {
        let of = self.0.map(|w| w.targets);
        let items = item.items().unwrap_or_default();
        items.iter().filter_map(|item| item.read(|value| rank(value, of, "targets"))).collect()
    }

    fn agents(&self) -> Option<impl Iterator<Item = &'w AgentName> + Clone> {
        self.0.map(|w| w.agents.iter().map(|agent| &agent.name))
    }
}

fn rank(value: &Value, of: Option<usize>, what: &str) -> Result<Rank, Wrong> {
    let rank = integer(0..=9999)(value)? as usize;
    match of {
        Some(count) if rank >= count => Err(Wrong::new(
            format!("{rank} is beyond the last one"),
            format!("write a number from 0 to {}, or raise {what} under world", count - 1),
        )),
        Some(_) | None => Ok(rank),
    }
}

fn among<'n, T: PartialEq + Display + 'n>(
    name: T,
    all: Option<impl Iterator<Item = &'n T> + Clone>,
    what: &str,
) -> Result<T, Wrong> {
    match all {
        Some(all) if !all.clone().any(|one| *one == name) => {
            Err(Wrong::new(format!("{name} is not {what}"), format!("write one of {}", list(all))))
        }
        Some(_) | None => Ok(name),
    }
}

fn list<T: Display>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
