//! Whether a database is available, as the API judges it.

use super::database::{Database, ShardState, Status};
use super::{Place, SyncState, World};
use crate::clock::Ms;

/// Of what the availability is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Of the database.
    Database,
    /// Of its endpoint at one node.
    Endpoint(u32),
}

/// The judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is available.
    Available,
    /// There is no such database.
    Unknown,
    /// The majority of the nodes is lost.
    NoQuorum,
    /// It is not available.
    Unavailable {
        /// A primary shard is not reached.
        shard: bool,
        /// No port is bound.
        port: bool,
    },
    /// Its endpoint is not at this node.
    Elsewhere,
}

impl World {
    /// The judgement of a database; with a limit also of how far it is behind.
    pub fn availability(&self, place: Place, form: Form, tolerance_ms: Option<Ms>) -> Verdict {
        let Some(database) = self.database(place) else { return Verdict::Unknown };
        let cluster = &self.clusters[place.cluster];
        if cluster.is_known_without_quorum(self.now, self.timing.quorum_notice_ms) {
            return Verdict::NoQuorum;
        }
        let at = |status: u16| match status {
            200 => Verdict::Available,
            _ => Verdict::Unavailable { shard: false, port: false },
        };
        match database.status {
            Status::DeletePending => return at(self.variants.deleting_status),
            Status::Active | Status::ActiveChangePending | Status::Pending | Status::ImportPending => {}
            Status::CreationFailed | Status::Recovery => return at(503),
        }
        if database.is_stopped {
            return at(self.variants.stopped_traffic_status);
        }
        let port = match form {
            Form::Database => self.is_bound(place),
            Form::Endpoint(node) if !self.serving_nodes(place).contains(&node) => return Verdict::Elsewhere,
            Form::Endpoint(node) => cluster.node(node).is_some_and(super::Node::proxies),
        };
        let shard = self.are_shards_good(place) || self.only_loads(database);
        // A database that is made has no port yet, and is told to be available all the same.
        let port = port || database.status == Status::Pending;
        let is_fresh = tolerance_ms.is_none_or(|tolerance_ms| self.is_fresh(database, tolerance_ms));
        if port && shard && is_fresh {
            Verdict::Available
        } else {
            Verdict::Unavailable { shard: !shard, port: !port }
        }
    }

    /// Whether the only fault of the primary shards is one that may not count.
    fn only_loads(&self, database: &Database) -> bool {
        let loads = |shard: &super::Shard| shard.lost_since.is_none() || shard.state == ShardState::Loading;
        self.variants.loading_status == 200 && database.primaries().all(loads)
    }

    /// Whether a member is behind by no more than that, as far as its cluster notices. No other database ever passes.
    fn is_fresh(&self, database: &Database, tolerance_ms: Ms) -> bool {
        let (now, timing) = (self.now, &self.timing);
        if database.crdt.is_none() {
            return false;
        }
        if database.sync.state != SyncState::Enabled {
            return now.saturating_sub(database.sync.since) < timing.pause_notice_ms;
        }
        database.sync.sources.iter().all(|source| match source.lost_since {
            Some(since) if now.saturating_sub(since) < timing.link_blind_ms => true,
            Some(since) => now.saturating_sub(since) <= tolerance_ms,
            None => now >= source.caught_up_at && now.saturating_sub(source.applied_until) <= tolerance_ms,
        })
    }
}
