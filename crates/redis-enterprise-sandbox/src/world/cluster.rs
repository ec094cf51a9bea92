//! A cluster and its nodes.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{Account, Database};
use crate::clock::Ms;
use crate::plan::{Profile, Settings};

/// A cluster.
#[derive(Debug)]
pub struct Cluster {
    /// What the control endpoint calls it.
    pub name: String,
    /// Its domain.
    pub fqdn: String,
    /// What its release does.
    pub profile: Profile,
    /// What is set for it.
    pub settings: Settings,
    /// Its nodes, the first one has the number 1.
    pub nodes: Vec<Node>,
    /// The node that leads; none without a majority, and for a while after its loss.
    pub master: Option<u32>,
    /// Since when nobody leads.
    pub leaderless_since: Option<Ms>,
    /// Since when the majority is lost.
    pub minority_since: Option<Ms>,
    /// Its databases.
    pub databases: Vec<Database>,
    /// Who may ask.
    pub accounts: Vec<Account>,
    /// Grows with every change of the configuration.
    pub state_id: u64,
    /// When its licence ends, on the wall clock.
    pub license_until_unix_ms: u64,
    /// What is wrong with its REST API.
    pub rest: RestFault,
    /// Whether nobody outside reaches it.
    pub is_isolated: bool,
    /// What is wrong with its names.
    pub dns: DnsFault,
    /// How often it has shown another certificate than at the start.
    pub certificate: u32,
    /// Whether it speaks clear text.
    pub is_plain: bool,
    /// The port of its REST API.
    pub rest_port: u16,
    /// The port of its metrics.
    pub metrics_port: u16,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// Its number.
    pub uid: u32,
    /// Where it listens, for everybody.
    pub address: Ipv4Addr,
    /// What its cluster calls it; nobody outside reaches that.
    pub internal: Ipv4Addr,
    /// Whether it runs.
    pub is_up: bool,
    /// Since when it is down.
    pub down_since: Option<Ms>,
    /// Since when its proxy is down.
    pub proxy_down_since: Option<Ms>,
    /// Whether its management process runs.
    pub manages: bool,
    /// Since when it is in maintenance.
    pub maintenance_since: Option<Ms>,
    /// Its version, when it differs from the profile's.
    pub version: Option<String>,
}

/// What is wrong with a REST API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestFault {
    /// Nothing.
    #[default]
    None,
    /// Connections are refused.
    Refused,
    /// Connections are taken, and nothing is ever said.
    Silent,
    /// Connections are reset.
    Reset,
    /// Answers take so many milliseconds more.
    Slow(u64),
    /// Every answer has this status, and the words of a proxy on the way.
    Status(u16),
    /// Answers are no JSON.
    Garbage,
    /// Answers end in the middle.
    Truncated,
    /// Answers never end.
    Endless,
}

/// What is wrong with the names of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsFault {
    /// Nothing.
    #[default]
    None,
    /// They do not exist.
    Nxdomain,
    /// Nobody answers.
    Silent,
}

impl Cluster {
    /// A database.
    pub fn database(&self, uid: u32) -> Option<&Database> {
        self.databases.iter().find(|database| database.uid == uid)
    }

    /// A node.
    pub fn node(&self, uid: u32) -> Option<&Node> {
        self.nodes.iter().find(|node| node.uid == uid)
    }

    /// Whether more than half of the nodes run.
    pub fn has_majority(&self) -> bool {
        self.nodes.iter().filter(|node| node.is_up).count() * 2 > self.nodes.len()
    }

    /// Whether the API says that the majority is lost.
    pub fn is_known_without_quorum(&self, now: Ms, notice_ms: Ms) -> bool {
        self.minority_since.is_some_and(|since| now.saturating_sub(since) >= notice_ms)
    }

    /// The name of a database's endpoint.
    pub fn endpoint_name(&self, port: u16) -> String {
        format!("redis-{port}.{}", self.fqdn)
    }

    /// The version that a node tells.
    pub fn version_of<'a>(&'a self, node: &'a Node) -> &'a str {
        node.version.as_deref().unwrap_or(&self.profile.software_version)
    }
}

impl Node {
    /// Whether it serves databases.
    pub fn proxies(&self) -> bool {
        self.is_up && self.proxy_down_since.is_none()
    }
}
