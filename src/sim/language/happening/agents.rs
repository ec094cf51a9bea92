//! What becomes of agents and of what they lead by, and what people order.

use std::time::Duration;

use crate::types::{AgentName, SiteName};

/// Which agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// This one.
    Named(AgentName),
    /// The one that leads at that moment; nobody when nobody leads.
    Leader,
    /// All.
    All,
}

/// What becomes of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentState {
    /// It is killed at once; its journal stays.
    Killed,
    /// It starts, on the journal it left.
    Started,
    /// It stands still: it reaches nothing, its own journal included.
    Frozen,
    /// Its rounds stand still, and the rest of it goes on: it answers others with what it saw last, and keeps its lease.
    Stuck,
    /// It goes on.
    Running,
    /// Everything it asks comes back so much later.
    Late(Duration),
    /// Its journal takes no entries.
    DiskFull,
    /// Its journal takes entries again.
    DiskOk,
    /// Its journal will be found damaged at its next start, and is then an empty one.
    JournalDamaged,
    /// It resolves no name.
    ResolverDead,
    /// It resolves names again.
    ResolverOk,
}

/// What a clock does. Only the wall clock is wrong; how much time passes, an agent always knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClockChange {
    /// It jumps ahead, from where it is.
    Ahead(Duration),
    /// It jumps back, from where it is.
    Back(Duration),
    /// It runs so many times as fast.
    Drift(f64),
}

/// What the lease store does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// It works.
    Up,
    /// It answers nobody.
    Down,
    /// It tells each of these agents that the lease is theirs.
    HeldBy(Vec<AgentName>),
    /// It gives the lease to this agent, whoever held it.
    MovedTo(AgentName),
}

/// A person's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Nothing may be changed until further notice.
    Pause,
    /// Automatic changes are allowed again.
    Resume,
    /// What happened is acknowledged.
    Ack,
    /// The service moves to this site.
    Failover(SiteName),
    /// The service moves back to this site, which was left last.
    Failback(SiteName),
    /// A site, or with `None` the service as a whole, is in maintenance for so long.
    Maintenance(Option<SiteName>, Duration),
}
