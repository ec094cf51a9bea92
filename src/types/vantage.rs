//! What agents tell each other of a service: each is a vantage for the others.

use std::time::Duration;

use super::{AgentName, Gap, Ratio, SiteName};

/// What one agent makes of one site.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Vote {
    /// The site it speaks of.
    pub site: SiteName,
    /// How badly the site fails, as it sees it; `None` when it could not or would not say.
    pub severity: Option<Ratio>,
    /// Nothing at the site answers, as it sees it.
    pub is_silent: bool,
    /// Whether all else in the site's datacenter is silent too; `None` when it has nothing else to look at there.
    pub is_domain_silent: Option<bool>,
}

/// What a vantage said when it was asked about a service.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct VantageReport {
    /// What its wall clock showed, since the Unix epoch.
    pub wall: Duration,
    /// Its votes, one for each site it can judge; empty when it mistrusts itself.
    pub votes: Vec<Vote>,
}

/// One configured vantage, and what it said.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct VantageAnswer {
    /// The agent.
    pub agent: AgentName,
    /// The failure domain it observes from.
    pub failure_domain: SiteName,
    /// Its report, or why there is none.
    pub said: Result<VantageReport, Gap>,
}
