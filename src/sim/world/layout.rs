//! Names and places of a simulated world; none of them changes while it runs.

use crate::sim::language::{Scenario, Who};
use crate::types::{AgentName, ServiceName, SiteName};

use super::network::Node;

/// The domain below which everything lies; it is reserved for examples.
pub(in crate::sim) const DOMAIN: &str = "example.test";

/// Names and places, each thing by its rank.
#[derive(Debug)]
pub(in crate::sim) struct Layout {
    pub(in crate::sim) datacenters: Vec<SiteName>,
    /// The datacenters that have a site, by their ranks.
    pub(in crate::sim) members: Vec<usize>,
    pub(in crate::sim) services: Vec<ServiceName>,
    pub(in crate::sim) agents: Vec<AgentName>,
    /// The datacenter of each agent.
    pub(in crate::sim) homes: Vec<usize>,
    /// The member that each record names at first.
    pub(in crate::sim) active: usize,
    /// What each record holds, by service and active member.
    values: Vec<Vec<String>>,
}

impl Layout {
    /// The layout of a scenario.
    pub(in crate::sim) fn new(scenario: &Scenario) -> Self {
        let world = &scenario.world;
        let rank = |name: &SiteName| world.datacenters.iter().position(|d| d == name).unwrap_or(0);
        let called = world.called.clone().filter(|_| world.services == 1);
        let service = |n: usize| called.clone().or_else(|| ServiceName::new(format!("db{}", n + 1)).ok());
        let services: Vec<ServiceName> = (0..world.services).filter_map(service).collect();
        let value = |service: &ServiceName, member: &SiteName| format!("{service}.{member}.{DOMAIN}");
        let values = services.iter().map(|s| world.members.iter().map(|m| value(s, m)).collect());
        Self {
            members: world.members.iter().map(rank).collect(),
            values: values.collect(),
            services,
            agents: world.agents.iter().map(|agent| agent.name.clone()).collect(),
            homes: world.agents.iter().map(|agent| rank(&agent.datacenter)).collect(),
            active: world.members.iter().position(|m| *m == world.active).unwrap_or(0),
            datacenters: world.datacenters.clone(),
        }
    }

    /// The rank of a datacenter.
    pub(in crate::sim) fn datacenter(&self, name: &SiteName) -> Option<usize> {
        self.datacenters.iter().position(|known| known == name)
    }

    /// The rank of a member among the members.
    pub(in crate::sim) fn member(&self, name: &SiteName) -> Option<usize> {
        self.members.iter().position(|member| self.datacenters[*member] == *name)
    }

    /// The name of a member.
    pub(in crate::sim) fn member_name(&self, member: usize) -> &SiteName {
        &self.datacenters[self.members[member]]
    }

    /// The rank of an agent.
    pub(in crate::sim) fn agent(&self, name: &AgentName) -> Option<usize> {
        self.agents.iter().position(|known| known == name)
    }

    /// An agent as the end of a line, with all that contains it.
    pub(in crate::sim) fn nodes(&self, agent: usize) -> [Node; 2] {
        [Node::Agent(agent), Node::Datacenter(self.homes[agent])]
    }

    /// What the record of a service holds while a member is active.
    pub(in crate::sim) fn value(&self, service: usize, member: usize) -> &str {
        &self.values[service][member]
    }

    /// The member that a record value stands for.
    pub(in crate::sim) fn member_of_value(&self, service: usize, value: &str) -> Option<usize> {
        self.values[service].iter().position(|known| known == value)
    }

    /// The address of a Redis, without its scheme.
    pub(in crate::sim) fn address(&self, service: usize, member: usize, target: usize) -> String {
        format!("{}-{target}.{}.{DOMAIN}:6379", self.services[service], self.member_name(member))
    }

    /// The agents that somebody speaks of; `leaders` are those that lead.
    pub(in crate::sim) fn who(&self, who: &Who, leaders: &[usize]) -> Vec<usize> {
        match who {
            Who::Named(name) => self.agent(name).into_iter().collect(),
            Who::Leader => leaders.to_vec(),
            Who::All => (0..self.agents.len()).collect(),
        }
    }
}
