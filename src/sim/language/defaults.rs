//! What a scenario need not say.

use std::time::Duration;

use super::scenario::{AgentPlace, Alerts, PolicyText, World};
use crate::config::{Mode, Topology};
use crate::types::{AgentName, SiteName};

impl Default for World {
    fn default() -> Self {
        let name = |text: &str| SiteName::new(text).expect("letters and a dash are a name");
        Self::of(["dc-a", "dc-b", "dc-c"].map(name).to_vec())
    }
}

impl World {
    /// The usual world in these datacenters, of which there are at least two: the first two are members, the first
    /// one is active, and each has one agent: a1, b1 and so on.
    #[must_use]
    pub fn of(datacenters: Vec<SiteName>) -> Self {
        let agent = |(datacenter, letter): (&SiteName, char)| {
            let name = AgentName::new(format!("{letter}1")).expect("a letter and a digit are a name");
            AgentPlace { name, datacenter: datacenter.clone() }
        };
        let agents: Vec<AgentPlace> = datacenters.iter().zip('a'..='z').map(agent).collect();
        Self {
            members: datacenters[..2].to_vec(),
            active: datacenters[0].clone(),
            topology: Topology::ActiveActive,
            targets: 1,
            services: 1,
            called: None,
            leader: agents[1].name.clone(),
            agents,
            datacenters,
            enterprise: true,
            clients: true,
            domain_checks: true,
            self_checks: true,
            alerts: Alerts::Manual,
            ttl: Duration::from_secs(30),
            lag: Duration::from_millis(200),
            memory_percent: 40,
            probe_interval: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(1),
            run: Duration::from_secs(600),
        }
    }

    /// The agent that leads unless the scenario says otherwise: the first one that does not share the fate of the
    /// active site, or else the first.
    #[must_use]
    pub fn usual_leader(&self) -> AgentName {
        let outside = self.agents.iter().find(|agent| agent.datacenter != self.active);
        outside.unwrap_or(&self.agents[0]).name.clone()
    }
}

impl Default for PolicyText {
    fn default() -> Self {
        Self { mode: Mode::Automatic, dry_run: false, canary: true, promote: None, policy: "{}".to_owned() }
    }
}
