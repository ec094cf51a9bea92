//! Leadership: what the lease store has told an agent last.

use std::sync::Arc;

use super::SimClock;
use crate::lead::{Election, Standing, Term};
use crate::sim::world::World;
use crate::types::{Clock as _, Moment};

/// An agent's candidacy for the lease.
pub(in crate::sim) struct SimElection {
    pub(in crate::sim) world: Arc<World>,
    pub(in crate::sim) agent: usize,
    pub(in crate::sim) clock: Arc<SimClock>,
}

impl Election for SimElection {
    fn standing(&self) -> Standing {
        let now = self.world.now();
        let mut state = self.world.state();
        state.settle_lease(now);
        let term = state.lease.term(self.agent);
        let is_held = state.lease.is_held();
        drop(state);
        match term {
            Some((number, until)) if now < until => {
                let wall = self.clock.now().wall;
                let until = Moment { mono: self.clock.mono(until), wall: wall + (until - now) };
                Standing::Leads(Term { number, until: Some(until) })
            }
            Some(_) | None if is_held => Standing::Follows,
            Some(_) | None => Standing::Unknown,
        }
    }

    fn step_down(&self) {
        let now = self.world.now();
        self.world.state().step_down(self.agent, now);
    }
}
