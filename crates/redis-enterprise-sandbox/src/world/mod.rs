//! The state: what there is, what follows from what, and how long it takes. No I/O, no clock: a moment comes in.

mod account;
mod advance;
mod build;
mod cluster;
mod data;
mod database;
mod doors;
mod flow;
mod orders;
mod requests;
mod sync;
mod truth;
mod verdict;

pub use account::{Account, AccountStatus, Login};
pub use build::Ports;
pub use cluster::{Cluster, DnsFault, Node, RestFault};
pub use data::{Keys, slot};
pub use database::{Database, Shard, ShardState, Status, WireFault};
pub use doors::Door;
pub use orders::Refusal;
pub use requests::{Request, Requests};
pub use sync::{Source, SourceState, Sync, SyncState};
pub use truth::truth;
pub use verdict::{Form, Verdict};

use crate::clock::Ms;
use crate::plan::{Timing, Variants};

/// A database of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The cluster's index.
    pub cluster: usize,
    /// The database's number there.
    pub uid: u32,
}

/// Everything.
#[derive(Debug)]
pub struct World {
    /// The moment up to which everything has happened.
    pub now: Ms,
    /// The wall clock at 0.
    pub started_unix_ms: u64,
    /// How long things take.
    pub timing: Timing,
    /// What nobody documents.
    pub variants: Variants,
    /// The clusters.
    pub clusters: Vec<Cluster>,
    /// What was asked.
    pub requests: Requests,
}

impl World {
    /// The index of a cluster by its name.
    pub fn cluster_named(&self, name: &str) -> Option<usize> {
        self.clusters.iter().position(|cluster| cluster.name == name)
    }

    /// A database.
    pub fn database(&self, place: Place) -> Option<&Database> {
        self.clusters.get(place.cluster)?.database(place.uid)
    }

    /// A database, to change it.
    pub fn database_mut(&mut self, place: Place) -> Option<&mut Database> {
        self.clusters.get_mut(place.cluster)?.databases.iter_mut().find(|database| database.uid == place.uid)
    }

    /// The place of every database.
    pub fn places(&self) -> Vec<Place> {
        let of = |(cluster, c): (usize, &Cluster)| {
            c.databases.iter().map(move |database| Place { cluster, uid: database.uid }).collect::<Vec<_>>()
        };
        self.clusters.iter().enumerate().flat_map(of).collect()
    }

    /// A moment on the wall clock.
    pub fn unix_ms(&self, at: Ms) -> u64 {
        self.started_unix_ms.saturating_add(at)
    }
}
