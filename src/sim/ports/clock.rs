//! Virtual time, as an agent's clocks show it.

use std::sync::Arc;
use std::time::Duration;

use crate::sim::world::World;
use crate::types::{Clock, Moment};

/// The clocks of one process: the monotonic one never errs, the wall clock may.
pub(in crate::sim) struct SimClock {
    world: Arc<World>,
    agent: usize,
    began: Duration,
}

impl SimClock {
    /// The clocks of a process that begins at this moment.
    pub(in crate::sim) fn new(world: Arc<World>, agent: usize) -> Self {
        let began = world.now();
        Self { world, agent, began }
    }

    /// What the monotonic clock shows at a moment of the world.
    pub(in crate::sim) fn mono(&self, at: Duration) -> Duration {
        at.saturating_sub(self.began)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Moment {
        let now = self.world.now();
        let wall = self.world.state().actors[self.agent].clocks.wall(now);
        Moment { mono: self.mono(now), wall }
    }
}
