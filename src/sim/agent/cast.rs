//! The agents' processes: put together of shipped parts on simulated ports, begun and ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::config::{ConfigError, Policies, config};
use super::past::write_past;
use crate::act::{self, CurrentService, Hands, Pace};
use crate::config::{Config, Service};
use crate::control::{self, Intake, Ledger, Setup, View, Wakers, Worker};
use crate::lead::{Election, Solo};
use crate::monitor::{Exporter, Names, Pictures};
use crate::serve::{self, Serve, TelemetryPath, WebKeeper, router};
use crate::sim::language::Scenario;
use crate::sim::ports::{Gate, SimClock, SimDns, SimElection, SimEyes, SimHands, SimJournal, SimPeers};
use crate::sim::world::{Trace, What, World};
use crate::store::{Journal, MemoryJournal};
use crate::types::Clock;

/// One process: its tasks end when it is dropped.
struct Running {
    _tasks: JoinSet<()>,
    metrics: serve::Metrics,
}

/// All agents of a scenario.
pub(in crate::sim) struct Cast {
    world: Arc<World>,
    scenario: Arc<Scenario>,
    configs: Vec<Arc<Config>>,
    running: Vec<Option<Running>>,
    /// The HTTP side of each running agent.
    doors: Doors,
}

/// The HTTP side of each running agent.
pub(in crate::sim) type Doors = Arc<Mutex<Vec<Option<Router>>>>;

impl Cast {
    /// The agents of a scenario, none of which runs; their journals hold the past.
    pub(in crate::sim) fn new(world: Arc<World>, scenario: Arc<Scenario>, configs: Vec<Arc<Config>>) -> Self {
        let agents = configs.len();
        for actor in &world.state().actors {
            write_past(&actor.journal, &scenario, &world.layout);
        }
        let doors = Arc::new(Mutex::new(vec![None; agents]));
        Self { world, scenario, configs, running: (0..agents).map(|_| None).collect(), doors }
    }

    /// The HTTP side of each running agent.
    pub(in crate::sim) fn doors(&self) -> Doors {
        Arc::clone(&self.doors)
    }

    /// Ends an agent's process at once. The world has cut it off already.
    pub(in crate::sim) fn kill(&mut self, agent: usize) {
        self.running[agent] = None;
        self.set_door(agent, None);
        self.world.tell(What::Life { agent, text: "is dead" });
    }

    /// Begins an agent's process on the journal that it left.
    pub(in crate::sim) async fn start(&mut self, agent: usize) {
        if self.running[agent].is_some() {
            return;
        }
        let view = View::default();
        let (journal, process, phase) = {
            let now = self.world.now();
            let mut state = self.world.state();
            let phase = state.chance.time(self.scenario.world.probe_interval);
            if std::mem::take(&mut state.actors[agent].is_journal_damaged) {
                // The product puts a damaged file aside, and begins with an empty one.
                let lost = std::mem::take(&mut state.actors[agent].journal);
                state.actors[agent].lost.push(lost);
                state.trace.push(Trace { at: now, what: What::Forgot { agent } });
            }
            let process = state.begin_process(agent, view.clone(), now);
            (state.actors[agent].journal.clone(), process, phase)
        };
        let gate = Gate { world: Arc::clone(&self.world), agent, process };
        let parts = Parts::new(gate, journal, view, &self.configs[agent], self.configs.len());
        let (running, door) = parts.start(phase).await;
        self.running[agent] = Some(running);
        self.set_door(agent, Some(door));
    }

    fn set_door(&self, agent: usize, door: Option<Router>) {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)[agent] = door;
    }

    /// Lets an agent reload a configuration that its reader must refuse.
    pub(in crate::sim) fn reload_broken(&mut self, agent: usize) {
        let read = config(&self.scenario, &self.world.layout, agent, Policies::Broken);
        if let Some(running) = &self.running[agent] {
            running.metrics.reloaded(read.is_ok());
        }
        self.world.tell(match read {
            Ok(_) => What::Life { agent, text: "accepts a broken configuration" },
            Err(ConfigError { .. }) => What::RefusedConfig { agent },
        });
    }
}

/// What all services of one process share.
struct Parts {
    gate: Gate,
    clock: Arc<SimClock>,
    journal: Arc<dyn Journal>,
    election: Arc<dyn Election>,
    pace: Pace,
    config: Arc<Config>,
    view: View,
    act: act::Metrics,
    decided: control::Metrics,
    metrics: serve::Metrics,
}

impl Parts {
    fn new(gate: Gate, inner: MemoryJournal, view: View, config: &Arc<Config>, agents: usize) -> Self {
        let clock = Arc::new(SimClock::new(Arc::clone(&gate.world), gate.agent));
        let election: Arc<dyn Election> = if agents == 1 {
            Arc::new(Solo)
        } else {
            let (world, agent) = (Arc::clone(&gate.world), gate.agent);
            Arc::new(SimElection { world, agent, clock: Arc::clone(&clock) })
        };
        let mut registry = Registry::default();
        let act = act::Metrics::register(&mut registry);
        let decided = control::Metrics::register(&mut registry);
        Self {
            journal: Arc::new(SimJournal { gate: gate.clone(), inner }),
            pace: Pace::default(),
            config: Arc::clone(config),
            metrics: serve::Metrics::register(registry),
            gate,
            clock,
            election,
            view,
            act,
            decided,
        }
    }

    fn setup(&self, service: &Service, rank: usize) -> Setup {
        let gate = || self.gate.clone();
        let hands = Hands {
            journal: Arc::clone(&self.journal),
            dns: Arc::new(SimDns { gate: gate(), service: rank }),
            promote: Arc::new(SimHands { gate: gate(), service: rank }),
            eyes: Arc::new(SimEyes {
                gate: gate(),
                service: rank,
                clock: Arc::clone(&self.clock),
                has_canary: service.canary.is_some(),
            }),
            look_deadline: self.config.global.probe_timeout,
            election: Arc::clone(&self.election),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            current: CurrentService::new(Arc::new(service.clone())),
            metrics: self.act.clone(),
        };
        let peers = Arc::new(SimPeers { gate: gate(), probe_interval: self.config.global.probe_interval });
        Setup::new(&self.config, Arc::new(service.clone()), hands, peers, self.pace.clone())
    }

    /// Begins all tasks; the first round comes after `phase`.
    async fn start(self, phase: Duration) -> (Running, Router) {
        let (wakers, mut tasks) = (Wakers::default(), JoinSet::new());
        // A simulated process never stops in good order: it is killed, or the world ends.
        let never = CancellationToken::new();
        let clock = || Arc::clone(&self.clock) as Arc<dyn Clock>;
        let (intake, control) = Intake::new(Arc::clone(&self.journal), clock(), wakers.clone());
        tasks.spawn(intake.run(never.clone()));
        for (rank, service) in self.config.services.iter().enumerate() {
            let (setups, receiver) = watch::channel(self.setup(service, rank));
            let (view, decided) = (self.view.clone(), self.decided.clone());
            let worker = Worker::load(receiver, &wakers, view, decided).await;
            let cancelled = never.clone();
            tasks.spawn(async move {
                // Dropping the sender would end the worker.
                let _setups = setups;
                tokio::time::sleep(phase).await;
                worker.run(cancelled).await;
            });
        }
        let (_, ledger) = Ledger::new(Arc::clone(&self.journal), clock());
        // Reloads are played by the cast; nobody asks for one over HTTP.
        let (reload, _) = mpsc::channel(1);
        let door = router(Serve {
            control,
            ledger,
            view: self.view.clone(),
            pictures: Pictures::default(),
            config: Arc::new(ArcSwap::from(Arc::clone(&self.config))),
            clock: clock(),
            metrics: self.metrics.clone(),
            names: Names::Clean,
            exporter: Arc::new(ArcSwap::from_pointee(Exporter::empty(clock()))),
            reload,
            web: WebKeeper::open_to_all(self.metrics.clone()),
            telemetry: TelemetryPath::default(),
        });
        (Running { _tasks: tasks, metrics: self.metrics }, door)
    }
}
