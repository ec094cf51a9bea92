//! What becomes of datacenters and of the lines between them.

use std::time::Duration;

use crate::types::{AgentName, Ratio, SiteName};

/// The power of a datacenter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Gone.
    Dark,
    /// Back; agents start anew, on their journals.
    Back,
}

/// A datacenter or an agent, as the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A datacenter, with all in it.
    Datacenter(SiteName),
    /// One agent.
    Agent(AgentName),
}

/// Which lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkPath {
    /// Those between two places.
    Between(Place, Place),
    /// Those between a place and all the rest: the other places, the lease store, DNS.
    Around(Place),
}

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NetworkState {
    /// It works.
    Back,
    /// Packets vanish.
    Cut,
    /// Packets from the first place to the second vanish: what the first one asks never arrives, what the second one
    /// asks arrives and its answer is lost.
    Oneway,
    /// Connections are refused.
    Rejected,
    /// So many packets are lost: that share of requests misses its deadline.
    Losing(Ratio),
    /// Every round trip takes so much longer.
    Slow(Duration),
}

/// What of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// All of it.
    All,
    /// The ports of Redis, for agents; replication goes on.
    Redis,
}
