//! The world: all that is so at one moment, behind one lock, and the time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::actor::{Actor, Life};
use super::effects::LateChange;
use super::layout::Layout;
use super::lease::Lease;
use super::network::{Network, Node};
use super::record::{Provider, Zone};
use super::redis::{Site, Target};
use super::trace::{Trace, Violation, What};
use crate::config::{Policy, Topology};
use crate::sim::chance::Chance;
use crate::sim::language::{
    ClientErrors, ControlState, Event, Happening, Lag, MetricsState, Ports, Scenario, When,
};
use crate::types::{AgentName, Fence, RecordState, ResourceSet, Role, TargetName};

/// Agents look around for so long before time 0: their warm-up takes 25 rounds.
pub(in crate::sim) const WARM_UP_ROUNDS: u32 = 30;
/// The wall clock at time 0: 2026-01-01 00:00:00 UTC.
pub(in crate::sim) const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// What the world asks of the player, who owns the agents' tasks.
#[derive(Debug)]
pub(in crate::sim) enum Command {
    /// An agent's process ends.
    Kill(usize),
    /// An agent's process begins.
    Start(usize),
    /// An agent reads a broken configuration.
    Reload(usize),
    /// A notification is posted.
    Post(crate::sim::language::Webhook),
    /// Something happens later.
    Later(Duration, Happening),
    /// A change of a record takes effect later.
    Arrives(Duration, Box<LateChange>),
}

/// An event that waits for a step.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Hook {
    pub(in crate::sim) event: Event,
    pub(in crate::sim) reached: u32,
    pub(in crate::sim) is_done: bool,
}

/// A move of a record, by redrover or before time 0.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Move {
    /// When, milliseconds since the world began.
    pub(in crate::sim) at: i64,
    pub(in crate::sim) is_acknowledged: bool,
}

/// What people ordered of one agent about one service, as places in the order of all things.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Orders {
    pub(in crate::sim) paused: Option<u64>,
    /// The agent wrote down that the service waits for a person.
    pub(in crate::sim) halted: Option<u64>,
    /// When the agent wrote down what it intends now.
    pub(in crate::sim) ticketed: Option<Duration>,
    /// The agent read its journal for orders.
    pub(in crate::sim) asked: Option<u64>,
    /// The claim of its present switch.
    pub(in crate::sim) claimed: Option<u64>,
    /// The members that a person asked for a switch to: one may be under way when another is asked for.
    pub(in crate::sim) asked_for: Vec<usize>,
}

/// All that is so at one moment.
#[derive(Debug)]
pub(in crate::sim) struct State {
    pub(in crate::sim) layout: Arc<Layout>,
    pub(in crate::sim) setting: Setting,
    pub(in crate::sim) chance: Chance,
    pub(in crate::sim) network: Network,
    /// By service and member.
    pub(in crate::sim) sites: Vec<Vec<Site>>,
    /// By datacenter.
    pub(in crate::sim) controls: Vec<ControlState>,
    /// By datacenter.
    pub(in crate::sim) is_dark: Vec<bool>,
    /// By service.
    pub(in crate::sim) zones: Vec<Zone>,
    pub(in crate::sim) provider: Provider,
    pub(in crate::sim) lease: Lease,
    pub(in crate::sim) actors: Vec<Actor>,
    /// What applications report, forced while a member is active, or whichever is; the last one counts.
    pub(in crate::sim) clients: Vec<(Option<usize>, ClientErrors)>,
    pub(in crate::sim) hooks: Vec<Hook>,
    pub(in crate::sim) trace: Vec<Trace>,
    pub(in crate::sim) commands: mpsc::UnboundedSender<Command>,
    /// Up to when streams, links and the watch over primaries are worked out, by service.
    pub(in crate::sim) settled: Vec<Duration>,
    /// Since when two primaries take writes of applications, by service.
    pub(in crate::sim) two_primaries: Vec<Option<Duration>>,
    /// The members of each service that took writes of applications a moment ago.
    pub(in crate::sim) taking: Vec<Vec<usize>>,
    /// Of two primaries the old one came back; else it was there when the new one was promoted.
    pub(in crate::sim) has_returned: Vec<bool>,
    /// Somebody else has moved the record; what comes of that is not redrover's. By service.
    pub(in crate::sim) is_edited: Vec<bool>,
    /// By service.
    pub(in crate::sim) moves: Vec<Vec<Move>>,
    /// By agent and service.
    pub(in crate::sim) orders: Vec<Vec<Orders>>,
    /// The last place in the order of all things.
    pub(in crate::sim) place: u64,
}

/// What never changes.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Setting {
    pub(in crate::sim) topology: Topology,
    pub(in crate::sim) is_enterprise: bool,
    pub(in crate::sim) has_clients: bool,
    pub(in crate::sim) has_domain_checks: bool,
    pub(in crate::sim) has_self_checks: bool,
    pub(in crate::sim) ttl: Duration,
    pub(in crate::sim) probe_interval: Duration,
    pub(in crate::sim) policy: Policy,
    /// Redrover may move a record by itself.
    pub(in crate::sim) is_automatic: bool,
    /// A promotion needs no fencing.
    pub(in crate::sim) is_without_fencing: bool,
    /// Time 0, since the world began.
    pub(in crate::sim) zero: Duration,
}

/// The world.
#[derive(Debug)]
pub(in crate::sim) struct World {
    state: Mutex<State>,
    pub(in crate::sim) layout: Arc<Layout>,
    pub(in crate::sim) zero: Duration,
    start: Instant,
}

impl World {
    /// A world as a scenario begins. Must be called within the runtime whose time it runs on.
    pub(in crate::sim) fn new(
        scenario: &Scenario,
        setting: Setting,
        seed: u64,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Command>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let layout = Arc::new(Layout::new(scenario));
        let zero = setting.zero;
        let state = State::new(scenario, Arc::clone(&layout), setting, Chance::new(seed), commands);
        let world = Self { state: Mutex::new(state), layout, zero, start: Instant::now() };
        (Arc::new(world), receiver)
    }

    /// The time since the world began.
    pub(in crate::sim) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// All that is so. Nobody may hold it across an await.
    pub(in crate::sim) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a moment.
    pub(in crate::sim) async fn until(&self, moment: Duration) {
        tokio::time::sleep_until(self.start + moment).await;
    }

    /// Writes a line into the world's log.
    pub(in crate::sim) fn tell(&self, what: What) {
        let at = self.now();
        self.state().trace.push(Trace { at, what });
    }
}

impl State {
    fn new(
        scenario: &Scenario,
        layout: Arc<Layout>,
        setting: Setting,
        chance: Chance,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        let (services, members) = (layout.services.len(), layout.members.len());
        let agents = layout.agents.len();
        let site = |service, member| site(scenario, &layout, service, member);
        let sites = (0..services).map(|s| (0..members).map(|m| site(s, m)).collect()).collect();
        let is_hook = |event: &&Event| matches!(event.at, When::On(_));
        let hook = |event: &Event| Hook { event: event.clone(), reached: 0, is_done: false };
        let wall = EPOCH.saturating_sub(setting.zero);
        let leader = layout.agent(&scenario.world.leader).unwrap_or(0);
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let moves = scenario
            .history
            .iter()
            .map(|past| Move { at: ms(setting.zero) - ms(past.ago), is_acknowledged: past.is_acknowledged });
        let moves: Vec<Move> = moves.collect();
        Self {
            chance,
            network: Network::new(layout.datacenters.len()),
            sites,
            controls: vec![ControlState::Up; layout.datacenters.len()],
            is_dark: vec![false; layout.datacenters.len()],
            zones: (0..services).map(|s| Zone::new(first_record(scenario, &layout, s))).collect(),
            provider: Provider::default(),
            lease: Lease::new(agents, leader),
            actors: (0..agents).map(|_| Actor::new(wall, services)).collect(),
            clients: Vec::new(),
            hooks: scenario.timeline.iter().filter(is_hook).map(hook).collect(),
            trace: Vec::new(),
            commands,
            settled: vec![Duration::ZERO; services],
            two_primaries: vec![None; services],
            taking: vec![Vec::new(); services],
            has_returned: vec![false; services],
            is_edited: vec![false; services],
            moves: vec![moves; services],
            orders: vec![vec![Orders::default(); services]; agents],
            place: 0,
            layout,
            setting,
        }
    }

    /// The next place in the order of all things.
    pub(in crate::sim) fn next_place(&mut self) -> u64 {
        self.place += 1;
        self.place
    }

    /// Writes down that a rule was broken.
    pub(in crate::sim) fn break_rule(&mut self, now: Duration, rule: &'static str, detail: String) {
        self.trace.push(Trace { at: now, what: What::Broken(Violation { rule, detail }) });
    }

    /// Whether an agent runs and reaches the lease store.
    pub(in crate::sim) fn reaches_store(&self, agent: usize) -> bool {
        self.actors[agent].is_running()
            && self.network.passage(&self.layout.nodes(agent), &[Node::Outside], Ports::All).is_open()
    }

    /// Brings the lease up to a moment.
    pub(in crate::sim) fn settle_lease(&mut self, now: Duration) {
        let eligible: Vec<bool> = (0..self.actors.len()).map(|agent| self.reaches_store(agent)).collect();
        self.lease.settle(&|agent| eligible[agent], now);
    }

    /// An agent gives the lease up.
    pub(in crate::sim) fn step_down(&mut self, agent: usize, now: Duration) {
        self.settle_lease(now);
        self.lease.step_down(agent, now);
    }

    /// The agents that may rely on a term.
    pub(in crate::sim) fn leaders(&mut self, now: Duration) -> Vec<usize> {
        self.settle_lease(now);
        self.lease.leaders(now).collect()
    }

    /// What the rounds of a process do: those of an earlier one are gone.
    pub(in crate::sim) fn life(&self, agent: usize, process: u64) -> Life {
        let actor = &self.actors[agent];
        match (&actor.life, &actor.stuck) {
            _ if actor.process != process => Life::Gone,
            (Life::Running, Some(thaw)) => Life::Frozen(Arc::clone(thaw)),
            (life, _) => life.clone(),
        }
    }
}

fn site(scenario: &Scenario, layout: &Layout, service: usize, member: usize) -> Site {
    let is_replica = scenario.world.topology != Topology::ActiveActive && member != layout.active;
    let role = if is_replica { Role::Replica } else { Role::Primary };
    let target = |rank| {
        let address = format!("redis://{}", layout.address(service, member, rank));
        // The parts of an address are checked names, so their sum is one.
        let target = TargetName::new(address).ok().map(|name| Target::new(name, role))?;
        let takes_what_it_loses = scenario.world.topology == Topology::ReplicaOf;
        Some(Target { takes_what_it_loses, ..target })
    };
    Site {
        targets: (0..scenario.world.targets).filter_map(target).collect(),
        lag: Lag::Behind(scenario.world.lag),
        memory_percent: scenario.world.memory_percent,
        metrics: MetricsState::Normal,
        anomaly: None,
        is_link_cut: false,
        missing: vec![None; layout.members.len()],
    }
}

/// The epoch of the fence at time 0: adoption, and two for each switch since.
pub(in crate::sim) fn first_epoch(scenario: &Scenario) -> u64 {
    1 + 2 * scenario.history.len() as u64
}

/// Record and fence at time 0.
fn first_record(scenario: &Scenario, layout: &Layout, service: usize) -> RecordState {
    let ttl = u32::try_from(scenario.world.ttl.as_secs()).unwrap_or(u32::MAX);
    let active = layout.member_name(layout.active).clone();
    let last = scenario.history.last();
    let at = EPOCH.saturating_sub(last.map_or(Duration::from_secs(86_400), |past| past.ago));
    let owner = layout.agents.first().cloned().or_else(|| AgentName::new("nobody").ok());
    let fence = owner.map(|owner| Fence {
        owner,
        epoch: first_epoch(scenario),
        from: last.map_or_else(|| active.clone(), |past| past.from.clone()),
        active,
        at: at.as_secs(),
        decision: last.map_or_else(|| "adopt".to_owned(), |_| "before".to_owned()),
        intent: None,
    });
    RecordState {
        record: Some(ResourceSet::single(ttl, layout.value(service, layout.active))),
        fence: fence.map(|fence| ResourceSet::single(ttl, fence.to_string())),
    }
}
