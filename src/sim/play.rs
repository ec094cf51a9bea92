//! Plays a scenario: one runtime on virtual time, the world, its agents, and the timeline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::agent::{Cast, ConfigError, Policies, config};
use super::alertmanager::Alertmanager;
use super::baseline::Baseline;
use super::crew::{Contender, Crew};
use super::language::{Alerts, Happening, Scenario, When};
use super::leaks;
use super::watchman::Watchman;
use super::world::{Command, LateChange, Layout, Setting, Trace, WARM_UP_ROUNDS, World};
use crate::config::{Config, Mode, Promote};
use crate::decide::{Verdict, fence_of};
use crate::store::MemoryJournal;

/// Why a scenario was not played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// Its agents cannot be configured so.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The runtime cannot be built.
    #[error("cannot start a runtime")]
    Runtime(#[source] std::io::Error),
}

/// What came of a scenario.
#[derive(Debug)]
pub(super) struct Record {
    /// Names and places.
    pub(super) layout: Arc<Layout>,
    /// Time 0, since the world began.
    pub(super) zero: Duration,
    /// All that happened.
    pub(super) trace: Vec<Trace>,
    /// Who served whenever something had changed, in the order of time.
    pub(super) truth: Vec<Truth>,
    /// The journals of all agents, damaged ones included.
    pub(super) journals: Vec<MemoryJournal>,
    /// Where in logs and HTTP answers a secret stood.
    pub(super) leaks: Vec<String>,
    /// How it stood at the end.
    pub(super) end: End,
}

/// Who serves the writes of applications from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    /// Since the world began.
    pub(super) from: Duration,
    /// By service and member.
    pub(super) serving: Vec<Vec<bool>>,
}

/// How a world stands at the end.
#[derive(Debug)]
pub(super) struct End {
    /// When, since the world began.
    pub(super) at: Duration,
    /// The member that each record names, by service; `None` is none of them.
    pub(super) named: Vec<Option<usize>>,
    /// Members that take writes, by service.
    pub(super) writable: Vec<usize>,
    /// The share of failing requests at the named member, by service.
    pub(super) failing: Vec<f64>,
    /// Where a claim stands in a fence: to which site, by service.
    pub(super) claims: Vec<Option<String>>,
    /// The agents that may rely on a term.
    pub(super) leaders: Vec<usize>,
    /// Which agents run, and have room on their disks.
    pub(super) can_write: Vec<bool>,
    /// By agent and service, where the agent runs and has decided.
    pub(super) standings: Vec<Vec<Option<Standing>>>,
}

/// How an agent stands to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its last verdict.
    pub(super) verdict: Verdict,
    /// The target in it.
    pub(super) target: Option<String>,
    /// Its reasons, in words.
    pub(super) reasons: Vec<String>,
    /// The service waits for a person.
    pub(super) is_halted: bool,
}

/// Plays a scenario.
///
/// # Errors
/// It cannot be played.
pub(super) fn play(scenario: &Scenario, seed: u64) -> Result<Record, PlayError> {
    play_with(scenario, seed, Contender::Redrover)
}

/// Plays a scenario in which somebody watches over the record.
///
/// # Errors
/// It cannot be played.
pub(super) fn play_with(scenario: &Scenario, seed: u64, contender: Contender) -> Result<Record, PlayError> {
    let layout = Layout::new(scenario);
    let of_agent = |agent| config(scenario, &layout, agent, Policies::Stated).map(Arc::new);
    let configs = (0..layout.agents.len()).map(of_agent).collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(PlayError::Runtime)?;
    let (record, leaks) =
        leaks::listen(|| runtime.block_on(Player::play(scenario, configs, seed, contender)));
    Ok(Record { leaks, ..record })
}

fn setting(scenario: &Scenario, config: &Config) -> Setting {
    let world = &scenario.world;
    let service = config.services.first();
    Setting {
        topology: world.topology,
        is_enterprise: world.enterprise,
        has_clients: world.clients,
        has_domain_checks: world.domain_checks,
        has_self_checks: world.self_checks,
        ttl: world.ttl,
        probe_interval: world.probe_interval,
        policy: service.map(|service| service.policy.clone()).unwrap_or_default(),
        is_automatic: service.is_some_and(|service| service.mode == Mode::Automatic && !service.dry_run),
        is_without_fencing: service
            .and_then(|service| service.promote.as_ref())
            .is_some_and(Promote::without_fencing),
        zero: world.probe_interval * WARM_UP_ROUNDS,
    }
}

/// What is due at some moment.
enum Due {
    Happens(Happening),
    Arrives(Box<LateChange>),
}

/// The task that owns the agents, and lets the timeline happen.
struct Player {
    world: Arc<World>,
    crew: Crew,
    alertmanager: Alertmanager,
    watchman: Option<Watchman>,
    /// What happens at a fixed time; in the order in which it was planned where the time is the same.
    timeline: BTreeMap<(Duration, usize), Due>,
    planned: usize,
    truth: Vec<Truth>,
}

impl Player {
    async fn play(scenario: &Scenario, configs: Vec<Arc<Config>>, seed: u64, contender: Contender) -> Record {
        let setting = setting(scenario, &configs[0]);
        let (world, mut commands) = World::new(scenario, setting, seed);
        let crew = match contender {
            Contender::Redrover => {
                Crew::Redrover(Cast::new(Arc::clone(&world), Arc::new(scenario.clone()), configs))
            }
            Contender::ThreeProbes => Crew::Baseline(Baseline::three_probes(Arc::clone(&world))),
            Contender::HealthCheck => Crew::Baseline(Baseline::health_check(Arc::clone(&world))),
        };
        let mut player = Self {
            alertmanager: Alertmanager::new(Arc::clone(&world), crew.doors()),
            watchman: (scenario.world.alerts == Alerts::Automatic).then(|| Watchman::new(Arc::clone(&world))),
            timeline: BTreeMap::new(),
            planned: 0,
            truth: Vec::new(),
            crew,
            world,
        };
        for event in &scenario.timeline {
            if let When::At(at) = event.at {
                player.plan(player.world.zero + at, Due::Happens(event.what.clone()));
            }
        }
        for agent in 0..player.world.layout.agents.len() {
            player.crew.start(agent).await;
        }
        player.note_truth();
        let end = player.world.zero + scenario.world.run;
        player.run(end, &mut commands).await;
        leaks::read_pages(&player.crew.doors()).await;
        player.record()
    }

    fn plan(&mut self, at: Duration, what: Due) {
        self.planned += 1;
        self.timeline.insert((at, self.planned), what);
    }

    async fn run(&mut self, end: Duration, commands: &mut mpsc::UnboundedReceiver<Command>) {
        loop {
            let event = self.timeline.keys().next().map(|(at, _)| *at).filter(|at| *at <= end);
            let look = self.watchman.as_ref().map(Watchman::next).filter(|at| *at < end);
            let next = event.into_iter().chain(look).min();
            tokio::select! {
                biased;
                Some(command) = commands.recv() => self.obey(command).await,
                () = self.world.until(next.unwrap_or(end)) => {
                    if next.is_none() {
                        return;
                    }
                    if next == event && let Some((_, what)) = self.timeline.pop_first() {
                        match what {
                            Due::Happens(what) => self.world.apply(&what),
                            Due::Arrives(late) => self.world.state().arrive(&late, self.world.now()),
                        }
                        self.note_truth();
                    } else if let Some(watchman) = &mut self.watchman {
                        watchman.look(&mut self.alertmanager);
                    }
                }
            }
        }
    }

    fn note_truth(&mut self) {
        let from = self.world.now();
        let serving = self.world.state().serving(from);
        self.truth.push(Truth { from, serving });
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Kill(agent) => self.crew.kill(agent),
            Command::Start(agent) => self.crew.start(agent).await,
            Command::Reload(agent) => self.crew.reload_broken(agent),
            Command::Post(webhook) => self.alertmanager.post(&webhook),
            Command::Later(at, what) => self.plan(at, Due::Happens(what)),
            Command::Arrives(at, late) => self.plan(at, Due::Arrives(late)),
        }
    }

    fn record(self) -> Record {
        let now = self.world.now();
        let layout = Arc::clone(&self.world.layout);
        let mut state = self.world.state();
        state.settle_all(now);
        let services = 0..layout.services.len();
        let named: Vec<Option<usize>> = services.clone().map(|service| state.named(service)).collect();
        let failing = |(service, member): (usize, &Option<usize>)| {
            member.map_or(1.0, |member| state.failing(service, member, now))
        };
        let failing = named.iter().enumerate().map(failing).collect();
        let claims = state.zones.iter().map(|zone| {
            fence_of(&zone.state).ok().flatten().and_then(|fence| fence.intent).map(|site| site.to_string())
        });
        let claims = claims.collect();
        let writable = services.clone().map(|service| state.writable(service, now)).collect();
        let standing = |agent: usize, service: usize| {
            let actor = &state.actors[agent];
            let view = actor.view.as_ref().filter(|_| actor.is_running())?.of(&layout.services[service])?;
            Some(Standing {
                verdict: view.decision.verdict,
                target: view.decision.target.as_ref().map(ToString::to_string),
                reasons: view.decision.reasons.iter().map(ToString::to_string).collect(),
                is_halted: view.is_halted(),
            })
        };
        let agents = 0..layout.agents.len();
        let standings =
            agents.map(|agent| services.clone().map(|service| standing(agent, service)).collect());
        let standings = standings.collect();
        let leaders = state.leaders(now);
        let can_write = state.actors.iter().map(|actor| actor.is_running() && !actor.is_disk_full).collect();
        let all = state.actors.iter().flat_map(|actor| actor.lost.iter().chain([&actor.journal]));
        let journals = all.cloned().collect();
        let end = End { at: now, named, writable, failing, claims, leaders, can_write, standings };
        let trace = std::mem::take(&mut state.trace);
        drop(state);
        Record { zero: self.world.zero, layout, trace, truth: self.truth, journals, leaks: Vec::new(), end }
    }
}

/// A world in which nobody runs, for tests.
#[cfg(test)]
pub(super) fn empty_world(
    scenario: &Scenario,
) -> Result<(Arc<World>, mpsc::UnboundedReceiver<Command>), PlayError> {
    let config = config(scenario, &Layout::new(scenario), 0, Policies::Stated)?;
    Ok(World::new(scenario, setting(scenario, &config), 1))
}
