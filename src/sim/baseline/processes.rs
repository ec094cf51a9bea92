//! The processes of a baseline: begun and ended with the agents' places at which they run.

use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use super::health_check::{Board, Checker};
use super::three_probes::ThreeProbes;
use crate::control::View;
use crate::sim::agent::Doors;
use crate::sim::ports::{Gate, SimClock, SimDns, SimEyes};
use crate::sim::world::{What, World};

/// A baseline.
pub(in crate::sim) struct Baseline {
    world: Arc<World>,
    rule: Rule,
    /// One for each agent's place; its task ends when it is dropped.
    running: Vec<Option<JoinSet<()>>>,
}

/// Which one it is.
enum Rule {
    /// The prober runs at this agent's place.
    ThreeProbes(usize),
    /// A checker runs at every agent's place.
    HealthCheck(Arc<Board>),
}

impl Baseline {
    /// One prober, as far from the active site as can be: at the last place that does not share its fate.
    pub(in crate::sim) fn three_probes(world: Arc<World>) -> Self {
        let layout = &world.layout;
        let active = layout.members[layout.active];
        let place = layout.homes.iter().rposition(|home| *home != active).unwrap_or(0);
        Self::new(world, Rule::ThreeProbes(place))
    }

    /// The checkers of a DNS provider, at all places.
    pub(in crate::sim) fn health_check(world: Arc<World>) -> Self {
        let board = Arc::new(Board::new(world.layout.agents.len(), world.layout.members.len()));
        Self::new(world, Rule::HealthCheck(board))
    }

    fn new(world: Arc<World>, rule: Rule) -> Self {
        let running = world.layout.agents.iter().map(|_| None).collect();
        Self { world, rule, running }
    }

    /// Nobody can tell a baseline anything.
    pub(in crate::sim) fn doors(&self) -> Doors {
        Arc::new(Mutex::new(vec![None; self.running.len()]))
    }

    /// Begins the process at an agent's place, if there is to be one.
    pub(in crate::sim) fn start(&mut self, agent: usize) {
        if self.running[agent].is_some() {
            return;
        }
        let (process, phase) = {
            let now = self.world.now();
            let mut state = self.world.state();
            let interval = state.setting.probe_interval;
            let phase = state.chance.time(interval);
            (state.begin_process(agent, View::default(), now), phase)
        };
        let gate = Gate { world: Arc::clone(&self.world), agent, process };
        let clock = Arc::new(SimClock::new(Arc::clone(&self.world), agent));
        let eyes = SimEyes { gate: gate.clone(), service: 0, clock, has_canary: true };
        let mut tasks = JoinSet::new();
        match &self.rule {
            Rule::ThreeProbes(place) if *place == agent => {
                let dns = SimDns { gate, service: 0 };
                tasks.spawn(ThreeProbes { eyes, dns }.run(phase));
            }
            Rule::ThreeProbes(_) => {}
            Rule::HealthCheck(board) => {
                tasks.spawn(Checker { eyes, board: Arc::clone(board) }.run(phase));
            }
        }
        self.running[agent] = Some(tasks);
    }

    /// Ends the process at an agent's place at once.
    pub(in crate::sim) fn kill(&mut self, agent: usize) {
        self.running[agent] = None;
        if let Rule::HealthCheck(board) = &self.rule {
            board.forget(agent);
        }
        self.world.tell(What::Life { agent, text: "is dead" });
    }
}
