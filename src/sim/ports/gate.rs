//! What stands between an agent's process and the world: a dead process gets no answer, a frozen one waits.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use crate::sim::language::{Side, Step};
use crate::sim::world::{Life, World};

/// The gate of one process of one agent.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Gate {
    pub(in crate::sim) world: Arc<World>,
    pub(in crate::sim) agent: usize,
    pub(in crate::sim) process: u64,
}

impl Gate {
    /// Waits until the process runs; for ever when it is dead.
    pub(in crate::sim) async fn pass(&self) {
        loop {
            let life = self.world.state().life(self.agent, self.process);
            match life {
                Life::Running => return,
                Life::Frozen(thaw) => thaw.notified().await,
                Life::Gone => pending().await,
            }
        }
    }

    /// Takes the time that an answer needs, then waits until the process runs.
    pub(in crate::sim) async fn take(&self, time: Duration) {
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        self.pass().await;
    }

    /// Reaches a step: what hangs on it happens before the process goes on.
    pub(in crate::sim) async fn reach(&self, step: Step, side: Side) {
        self.world.reach(self.agent, step, side);
        self.pass().await;
    }

    /// How much later everything comes back.
    pub(in crate::sim) fn late(&self) -> Duration {
        self.world.state().actors[self.agent].late
    }
}
