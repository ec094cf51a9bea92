//! An agent, as the world knows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::redis::Seer;
use crate::control::View;
use crate::sim::language::{ClockChange, Step};
use crate::store::MemoryJournal;

/// Whether an agent lives.
#[derive(Debug, Clone)]
pub(in crate::sim) enum Life {
    /// There is no process.
    Gone,
    /// It runs.
    Running,
    /// It stands still until this is told.
    Frozen(Arc<Notify>),
}

/// How far a switch of one agent is, as far as its ports can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sim) enum Phase {
    /// There is none.
    #[default]
    Idle,
    /// There is an intent to move to a member; the target has not been looked at since.
    Ticketed(usize),
    /// The last look before the claim is over.
    Rechecked(usize),
    /// The target may have to prove itself.
    Proving(usize),
}

/// An agent's clocks.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Clocks {
    /// Since when, by the world's time, the wall clock runs as it does,
    since: Duration,
    /// what it showed then,
    shown: Duration,
    /// and how fast it runs.
    pace: f64,
}

impl Clocks {
    pub(in crate::sim) fn new(wall: Duration) -> Self {
        Self { since: Duration::ZERO, shown: wall, pace: 1.0 }
    }

    /// What the wall clock shows.
    pub(in crate::sim) fn wall(&self, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.since);
        // Multiplying by 1.0 would round; most clocks run well.
        self.shown + if self.pace == 1.0 { passed } else { passed.mul_f64(self.pace) }
    }

    pub(in crate::sim) fn change(&mut self, change: ClockChange, now: Duration) {
        let shown = self.wall(now);
        let (shown, pace) = match change {
            ClockChange::Ahead(by) => (shown + by, self.pace),
            ClockChange::Back(by) => (shown.saturating_sub(by), self.pace),
            ClockChange::Drift(pace) => (shown, pace),
        };
        *self = Self { since: now, shown, pace };
    }
}

/// One agent.
#[derive(Debug)]
pub(in crate::sim) struct Actor {
    pub(in crate::sim) life: Life,
    /// Counts its processes; a port of an earlier one answers no more.
    pub(in crate::sim) process: u64,
    /// When its process began.
    pub(in crate::sim) began: Duration,
    pub(in crate::sim) late: Duration,
    pub(in crate::sim) is_disk_full: bool,
    pub(in crate::sim) is_journal_damaged: bool,
    pub(in crate::sim) resolves: bool,
    pub(in crate::sim) clocks: Clocks,
    pub(in crate::sim) journal: MemoryJournal,
    /// The journals that it found damaged; the agent reads them no more, but they did hold what they held.
    pub(in crate::sim) lost: Vec<MemoryJournal>,
    /// What it publishes; its peers are answered from it.
    pub(in crate::sim) view: Option<View>,
    /// How far its switch of each service is.
    pub(in crate::sim) phases: Vec<Phase>,
    /// When a look of it last found every mandatory check of a member passed, by service and member.
    pub(in crate::sim) proofs: BTreeMap<(usize, usize), Duration>,
    /// How often it reached each step since time 0.
    pub(in crate::sim) steps: BTreeMap<Step, u32>,
}

impl Actor {
    pub(in crate::sim) fn new(wall: Duration, services: usize) -> Self {
        Self {
            life: Life::Gone,
            process: 0,
            began: Duration::ZERO,
            late: Duration::ZERO,
            is_disk_full: false,
            is_journal_damaged: false,
            resolves: true,
            clocks: Clocks::new(wall),
            journal: MemoryJournal::new(),
            lost: Vec::new(),
            view: None,
            phases: vec![Phase::Idle; services],
            proofs: BTreeMap::new(),
            steps: BTreeMap::new(),
        }
    }

    pub(in crate::sim) fn is_running(&self) -> bool {
        matches!(self.life, Life::Running)
    }
}

impl From<usize> for Seer {
    fn from(agent: usize) -> Self {
        Self::Agent(agent)
    }
}
