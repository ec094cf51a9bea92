//! A database, its shards, and where it is served.

use serde::{Deserialize, Serialize};

use super::{Keys, Sync};
use crate::clock::Ms;
use crate::plan::Policy;

/// A database.
#[derive(Debug)]
pub struct Database {
    /// Its number in the cluster.
    pub uid: u32,
    /// Its name.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// Whether the cluster chose the port, so that the database says 0.
    pub has_system_port: bool,
    /// Its state.
    pub status: Status,
    /// The change that is under way: its id, and when it ends.
    pub change: Option<Change>,
    /// Which nodes serve it.
    pub policy: Policy,
    /// The node that serves it under the policy of a single one.
    pub endpoint_node: u32,
    /// Since when no node serves it that should.
    pub endpoint_lost_since: Option<Ms>,
    /// Its shards.
    pub shards: Vec<Shard>,
    /// Whether primary shards have replicas.
    pub is_replicated: bool,
    /// Whether clients speak TLS.
    pub tls: bool,
    /// The password of its default user.
    pub password: Option<String>,
    /// Its limit in bytes.
    pub memory_size: u64,
    /// What it is a member of.
    pub crdt: Option<Membership>,
    /// How it copies from others.
    pub sync: Sync,
    /// Whether a copy refuses writes.
    pub is_read_only: bool,
    /// Whether its traffic was stopped.
    pub is_stopped: bool,
    /// Whether it awaits recovery.
    pub awaits_recovery: bool,
    /// Whether nobody uses it.
    pub is_idle: bool,
    /// What its clients' connections suffer.
    pub wire: WireFault,
    /// What it holds.
    pub keys: Keys,
    /// What was done with it.
    pub counts: Counts,
}

/// The membership of an Active-Active database.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The id of the whole.
    pub guid: String,
    /// Its number among the members.
    pub replica_id: u32,
}

/// A change that is under way.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its id.
    pub action_uid: String,
    /// When it ends.
    pub until: Ms,
}

/// What was done with a database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Connections since the start.
    pub connections: u64,
    /// Connections that are open.
    pub open: u64,
    /// Commands that read.
    pub reads: u64,
    /// Commands that write.
    pub writes: u64,
    /// Other commands.
    pub others: u64,
    /// Reads that found something.
    pub hits: u64,
}

/// The state of a database, as the API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is made.
    Pending,
    /// It is there.
    Active,
    /// It is there, and is changed.
    ActiveChangePending,
    /// It is there, and is filled.
    ImportPending,
    /// It is deleted.
    DeletePending,
    /// It could not be made.
    CreationFailed,
    /// It is brought back.
    Recovery,
}

impl Status {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::ActiveChangePending => "active-change-pending",
            Self::ImportPending => "import-pending",
            Self::DeletePending => "delete-pending",
            Self::CreationFailed => "creation-failed",
            Self::Recovery => "recovery",
        }
    }

    /// As the metrics of the second generation write it.
    pub fn number(self) -> u32 {
        match self {
            Self::Active => 0,
            Self::ActiveChangePending => 1,
            Self::Pending => 2,
            Self::ImportPending => 3,
            Self::DeletePending => 4,
            Self::Recovery => 5,
            Self::CreationFailed => 99,
        }
    }
}

/// What the connections of a database's clients suffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireFault {
    /// Nothing.
    #[default]
    None,
    /// They are refused.
    Refused,
    /// They are taken, and nothing is ever said.
    Silent,
    /// They are reset.
    Reset,
}

/// A shard.
#[derive(Debug)]
pub struct Shard {
    /// Its number in the cluster.
    pub uid: u32,
    /// Its node.
    pub node: u32,
    /// Whether it accepts writes.
    pub is_primary: bool,
    /// Its first and last slot.
    pub slots: (u16, u16),
    /// How it is.
    pub state: ShardState,
    /// Since when it does not serve.
    pub lost_since: Option<Ms>,
}

/// How a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// It serves.
    Ok,
    /// It is gone.
    Down,
    /// It reads its data.
    Loading,
    /// It does not answer.
    Timeout,
}

impl ShardState {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Down => "down",
            Self::Loading => "loading",
            Self::Timeout => "timeout",
        }
    }
}

impl Database {
    /// The state that the API tells.
    pub fn shown_status(&self, recovery_is_shown: bool) -> Status {
        let is_hidden = self.status == Status::Recovery && !recovery_is_shown;
        if is_hidden { Status::Active } else { self.status }
    }

    /// The primary shards.
    pub fn primaries(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter(|shard| shard.is_primary)
    }

    /// The primary shard of a slot.
    pub fn primary_of(&self, slot: u16) -> Option<&Shard> {
        self.primaries().find(|shard| (shard.slots.0..=shard.slots.1).contains(&slot))
    }
}
