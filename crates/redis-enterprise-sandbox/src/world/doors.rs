//! Who is let in where: whether a listener accepts, refuses, or keeps silent.

use super::cluster::RestFault;
use super::database::{Database, Status, WireFault};
use super::{Place, World};
use crate::plan::{DataPlane, Policy};

/// How a listener treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It serves them.
    Open,
    /// Nobody listens.
    Shut,
    /// They are taken, and nothing is ever said.
    Silent,
    /// They are taken, and cut.
    Reset,
}

impl World {
    /// The REST API of a node.
    pub fn rest_door(&self, cluster: usize, node: u32) -> Door {
        let Some(cluster) = self.clusters.get(cluster) else { return Door::Shut };
        let manages = cluster.node(node).is_some_and(|node| node.is_up && node.manages);
        match &cluster.rest {
            _ if cluster.is_isolated => Door::Silent,
            _ if !manages => Door::Shut,
            RestFault::Refused => Door::Shut,
            RestFault::Silent => Door::Silent,
            RestFault::Reset => Door::Reset,
            RestFault::None
            | RestFault::Slow(_)
            | RestFault::Status(_)
            | RestFault::Garbage
            | RestFault::Truncated
            | RestFault::Endless => Door::Open,
        }
    }

    /// The metrics of a node.
    pub fn metrics_door(&self, cluster: usize, node: u32) -> Door {
        let Some(cluster) = self.clusters.get(cluster) else { return Door::Shut };
        let is_up = cluster.node(node).is_some_and(|node| node.is_up);
        match (cluster.is_isolated, is_up) {
            (true, _) => Door::Silent,
            (false, true) => Door::Open,
            (false, false) => Door::Shut,
        }
    }

    /// A database at a node.
    pub fn redis_door(&self, place: Place, node: u32) -> Door {
        let (Some(cluster), Some(database)) = (self.clusters.get(place.cluster), self.database(place)) else {
            return Door::Shut;
        };
        if cluster.is_isolated {
            return Door::Silent;
        }
        let refuses = self.variants.without_quorum == DataPlane::Refuses && !cluster.has_majority();
        let proxies = cluster.node(node).is_some_and(super::Node::proxies);
        let is_served = self.serving_nodes(place).contains(&node) && database.is_there();
        match database.wire {
            _ if refuses || !proxies || !is_served || database.is_stopped => Door::Shut,
            WireFault::Refused => Door::Shut,
            WireFault::Silent => Door::Silent,
            WireFault::Reset => Door::Reset,
            WireFault::None => Door::Open,
        }
    }

    /// The nodes that serve a database, or should.
    pub fn serving_nodes(&self, place: Place) -> Vec<u32> {
        let Some(database) = self.database(place) else { return Vec::new() };
        let nodes = match database.policy {
            Policy::Single => vec![database.endpoint_node],
            Policy::AllMasterShards => database.primaries().map(|shard| shard.node).collect(),
            Policy::AllNodes => self.clusters[place.cluster].nodes.iter().map(|node| node.uid).collect(),
        };
        nodes.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Whether clients are served: a port is bound, and every primary shard is reached.
    pub fn is_endpoint_good(&self, place: Place) -> bool {
        self.is_bound(place) && self.are_shards_good(place)
    }

    /// Whether a node serves the port.
    pub fn is_bound(&self, place: Place) -> bool {
        let Some(cluster) = self.clusters.get(place.cluster) else { return false };
        let is_there = self.database(place).is_some_and(Database::is_there);
        let proxies = |node: &u32| cluster.node(*node).is_some_and(super::Node::proxies);
        is_there && self.serving_nodes(place).iter().any(proxies)
    }

    /// Whether every primary shard is reached.
    pub fn are_shards_good(&self, place: Place) -> bool {
        self.database(place).is_some_and(|database| database.primaries().all(|s| s.lost_since.is_none()))
    }
}

impl Database {
    /// Whether it is in a state in which it is served.
    pub fn is_there(&self) -> bool {
        match self.status {
            Status::Active | Status::ActiveChangePending | Status::ImportPending | Status::DeletePending => {
                !self.awaits_recovery
            }
            Status::Pending | Status::CreationFailed | Status::Recovery => false,
        }
    }
}
