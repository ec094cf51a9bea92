//! The Redis of a site, and what one look at one of its addresses brings.

use std::time::Duration;

use super::network::Passage;
use crate::monitor::WriteCanary;
use crate::sim::language::{Answer, Lag, MetricsState, RedisState};
use crate::types::{
    CanaryResult, Facts, Gap, GapReason, Link, Ratio, Role, Sample, TargetName, TargetSnapshot,
};

/// What the data of a service needs at each Redis. It is the same data everywhere, so the limits differ, not the use.
const MEMORY_USED_BYTES: u64 = 4 << 30;
/// Applications give up after so long.
const CLIENT_DEADLINE: Duration = Duration::from_millis(500);
/// Every other request of an application is a write.
const WRITES: f64 = 0.5;

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Seer {
    /// An application.
    Client,
    /// An agent, by its rank.
    Agent(usize),
}

/// To whom a state shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Audience {
    /// All applications.
    Clients,
    /// All agents.
    Agents,
    /// One agent, by its rank.
    Agent(usize),
}

impl Audience {
    fn includes(self, seer: Seer) -> bool {
        match (self, seer) {
            (Self::Clients, Seer::Client) | (Self::Agents, Seer::Agent(_)) => true,
            (Self::Agent(one), Seer::Agent(agent)) => one == agent,
            (Self::Clients, Seer::Agent(_)) | (Self::Agents | Self::Agent(_), Seer::Client) => false,
        }
    }
}

/// One Redis.
#[derive(Debug)]
pub(in crate::sim) struct Target {
    pub(in crate::sim) name: TargetName,
    /// What it does.
    pub(in crate::sim) state: RedisState,
    /// What only some see it do; the last one that includes somebody counts.
    pub(in crate::sim) seen: Vec<(Audience, RedisState)>,
    pub(in crate::sim) role: Role,
    /// Which history of writes it holds.
    pub(in crate::sim) history: u32,
    /// The history that it last took a write in.
    pub(in crate::sim) written: u32,
    pub(in crate::sim) loading_until: Duration,
    pub(in crate::sim) paused_until: Duration,
    /// Place in the stream of replication.
    pub(in crate::sim) offset_bytes: f64,
    /// While it is a replica it takes writes, and loses them: the destination of a Replica Of.
    pub(in crate::sim) takes_what_it_loses: bool,
}

impl Target {
    pub(in crate::sim) fn new(name: TargetName, role: Role) -> Self {
        Self {
            name,
            state: RedisState::Up,
            seen: Vec::new(),
            role,
            history: 1,
            written: 1,
            loading_until: Duration::ZERO,
            paused_until: Duration::ZERO,
            offset_bytes: 1e6,
            takes_what_it_loses: false,
        }
    }

    /// What somebody sees it do. A Redis that answers nobody answers no special audience either.
    pub(in crate::sim) fn state_for(&self, seer: Seer) -> RedisState {
        match self.state {
            RedisState::Dead | RedisState::Hung | RedisState::Silent => self.state,
            RedisState::Up
            | RedisState::Unresolvable
            | RedisState::Slow(_)
            | RedisState::Losing(_)
            | RedisState::Answering(_) => {
                let special = self.seen.iter().rev().find(|(audience, _)| audience.includes(seer));
                special.map_or(self.state, |(_, state)| *state)
            }
        }
    }

    /// A new process begins, with the role that its configuration file gives it.
    pub(in crate::sim) fn restart(&mut self) {
        self.paused_until = Duration::ZERO;
        if self.role == Role::Primary {
            self.history += 1;
        }
    }

    /// What it says it is: one that answers READONLY has become somebody's replica.
    fn shown_role(&self, state: RedisState) -> Role {
        if state == RedisState::Answering(Answer::Readonly) { Role::Replica } else { self.role }
    }

    /// Why it would refuse a command of each kind, in the order PING, INFO, write.
    fn refusals(&self, state: RedisState, now: Duration) -> [Option<GapReason>; 3] {
        use GapReason as G;
        if now < self.loading_until {
            return [Some(G::Loading), None, Some(G::Loading)];
        }
        let is_writable = self.role == Role::Primary || self.takes_what_it_loses;
        let of_role = if is_writable { None } else { Some(G::Readonly) };
        let RedisState::Answering(answer) = state else { return [None, None, of_role] };
        match answer {
            Answer::Auth => [Some(G::Auth); 3],
            Answer::Permission => [None, Some(G::Permission), Some(G::Permission)],
            Answer::Loading => [Some(G::Loading), None, Some(G::Loading)],
            Answer::Readonly => [None, None, Some(G::Readonly)],
            Answer::Misconf => [None, None, of_role.or(Some(G::Misconf))],
            Answer::Oom => [None, None, of_role.or(Some(G::Oom))],
            Answer::Noreplicas => [None, None, of_role.or(Some(G::Noreplicas))],
            Answer::Busy => [Some(G::Busy); 3],
            Answer::Masterdown => [None, Some(G::Masterdown), Some(G::Masterdown)],
            Answer::Tls => [Some(G::Tls); 3],
            Answer::Maxclients => [Some(G::Maxclients); 3],
            Answer::Protocol => [Some(G::Protocol); 3],
        }
    }

    /// Whether it is there to be replicated from.
    pub(in crate::sim) fn presence(&self, now: Duration) -> Presence {
        match self.state {
            RedisState::Dead | RedisState::Unresolvable => Presence::Gone,
            RedisState::Hung | RedisState::Silent => Presence::Silent,
            RedisState::Answering(Answer::Loading) => Presence::Gone,
            RedisState::Up | RedisState::Slow(_) | RedisState::Losing(_) | RedisState::Answering(_) => {
                if now < self.loading_until { Presence::Gone } else { Presence::Here }
            }
        }
    }

    /// Whether it would take a write that reaches it.
    pub(in crate::sim) fn takes_writes(&self, seer: Seer, now: Duration) -> bool {
        let state = self.state_for(seer);
        let is_there = match state {
            RedisState::Up | RedisState::Losing(_) | RedisState::Answering(_) => true,
            RedisState::Slow(by) => by < CLIENT_DEADLINE,
            RedisState::Dead | RedisState::Hung | RedisState::Silent | RedisState::Unresolvable => false,
        };
        is_there && self.refusals(state, now)[2].is_none() && now >= self.paused_until
    }

    /// The share of an application's requests that fail here, once they arrive.
    pub(in crate::sim) fn failing(&self, now: Duration) -> f64 {
        let state = self.state_for(Seer::Client);
        match state {
            RedisState::Dead | RedisState::Hung | RedisState::Silent | RedisState::Unresolvable => 1.0,
            RedisState::Slow(by) if by >= CLIENT_DEADLINE => 1.0,
            RedisState::Up | RedisState::Slow(_) | RedisState::Losing(_) | RedisState::Answering(_) => {
                let [ping, info, write] = self.refusals(state, now);
                // What refuses INFO to an application refuses it reading as well.
                let lost = if let RedisState::Losing(share) = state { share.get() } else { 0.0 };
                match (ping.or(info), write) {
                    (Some(_), _) => 1.0,
                    (None, Some(_)) => WRITES,
                    (None, None) if now < self.paused_until => WRITES,
                    (None, None) => lost,
                }
            }
        }
    }
}

/// Whether a Redis answers those who replicate from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Presence {
    /// It does.
    Here,
    /// Connections to it end at once.
    Gone,
    /// Nothing comes back; a link is given up after some time.
    Silent,
}

/// The Redis of one service in one datacenter.
#[derive(Debug)]
pub(in crate::sim) struct Site {
    pub(in crate::sim) targets: Vec<Target>,
    pub(in crate::sim) lag: Lag,
    pub(in crate::sim) memory_percent: u32,
    pub(in crate::sim) metrics: MetricsState,
    pub(in crate::sim) anomaly: Option<Ratio>,
    /// Somebody has broken the link over which it receives writes.
    pub(in crate::sim) is_link_cut: bool,
    /// Since when each other member, by its rank, cannot be replicated from, and how it is missing.
    pub(in crate::sim) missing: Vec<Option<(Duration, Presence)>>,
}

/// A link to a silent source is given up after so long (`repl-timeout`).
const LINK_TIMEOUT: Duration = Duration::from_secs(10);

impl Site {
    /// Since when the link to a member is down, if it is.
    pub(in crate::sim) fn link_down_since(&self, member: usize, now: Duration) -> Option<Duration> {
        let (since, how) = (*self.missing.get(member)?)?;
        let down = match how {
            Presence::Here => return None,
            Presence::Gone => since,
            Presence::Silent => since + LINK_TIMEOUT,
        };
        (down <= now).then_some(down)
    }
}

/// What stands between a seer and a Redis.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Way {
    pub(in crate::sim) passage: Passage,
    /// The datacenter of the Redis has no power.
    pub(in crate::sim) is_dark: bool,
    /// The seer resolves names.
    pub(in crate::sim) resolves: bool,
    /// Chance wants this look to miss its deadline.
    pub(in crate::sim) is_lost: bool,
    /// A round trip.
    pub(in crate::sim) round_trip: Duration,
    /// For each command.
    pub(in crate::sim) deadline: Duration,
    /// For the look as a whole.
    pub(in crate::sim) limit: Duration,
    pub(in crate::sim) now: Duration,
}

/// What a replica says of its link.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Following {
    pub(in crate::sim) source: String,
    pub(in crate::sim) is_up: bool,
}

/// One look at one Redis.
pub(in crate::sim) fn look(
    target: &Target,
    site: &Site,
    following: Option<&Following>,
    seer: Seer,
    way: &Way,
    canary: WriteCanary,
) -> TargetSnapshot {
    let state = target.state_for(seer);
    let blind = |reason, detail: &str, took| {
        TargetSnapshot::blind(target.name.clone(), Gap::new(reason, detail), took)
    };
    if !way.resolves || state == RedisState::Unresolvable {
        return blind(GapReason::Dns, "the name does not resolve", way.round_trip);
    }
    if way.is_dark || way.passage.is_blocked || state == RedisState::Silent {
        return blind(GapReason::ConnectTimeout, "no answer to the connection attempt", way.deadline);
    }
    if way.passage.is_rejected || state == RedisState::Dead {
        return blind(GapReason::Refused, "connection refused", way.round_trip);
    }
    if way.is_lost || state == RedisState::Hung {
        return blind(GapReason::Timeout, "no answer in time", way.deadline);
    }
    let unusable = match state {
        RedisState::Answering(Answer::Tls) => Some((GapReason::Tls, "certificate expired")),
        RedisState::Answering(Answer::Maxclients) => {
            Some((GapReason::Maxclients, "ERR max number of clients reached"))
        }
        RedisState::Answering(Answer::Protocol) => Some((GapReason::Protocol, "this is no Redis")),
        RedisState::Up
        | RedisState::Dead
        | RedisState::Hung
        | RedisState::Silent
        | RedisState::Unresolvable
        | RedisState::Slow(_)
        | RedisState::Losing(_)
        | RedisState::Answering(_) => None,
    };
    if let Some((reason, detail)) = unusable {
        return blind(reason, detail, way.round_trip);
    }
    commands(target, site, following, state, way, canary)
}

/// The commands of a look, each within the deadline, and all of them within the limit.
fn commands(
    target: &Target,
    site: &Site,
    following: Option<&Following>,
    state: RedisState,
    way: &Way,
    canary: WriteCanary,
) -> TargetSnapshot {
    let slow = if let RedisState::Slow(by) = state { by } else { Duration::ZERO };
    let each = way.round_trip + way.passage.slower + slow;
    let [ping, info, write] = target.refusals(state, way.now);
    if each >= way.deadline {
        let gap = Gap::new(GapReason::Timeout, "no answer in time");
        return TargetSnapshot::blind(target.name.clone(), gap, way.deadline);
    }
    let mut elapsed = Duration::ZERO;
    let mut ask = |trips: u32, refusal: Option<GapReason>| {
        elapsed += each * trips;
        match refusal {
            _ if elapsed >= way.limit => {
                elapsed = way.limit;
                Err(Gap::new(GapReason::Timeout, "no answer in time"))
            }
            Some(reason) => Err(Gap::new(reason, reason.as_str())),
            None => Ok(each * trips),
        }
    };
    let ping = ask(1, ping);
    let facts = ask(1, info).map(|_| facts(target, site, following, state, way.now));
    let canary = match canary {
        WriteCanary::Skip => CanaryResult::NotAsked,
        WriteCanary::Write if write.is_none() && way.now < target.paused_until => {
            elapsed = (elapsed + way.deadline).min(way.limit);
            CanaryResult::Failed(Gap::new(GapReason::Timeout, "writes are paused"))
        }
        WriteCanary::Write => match ask(2, write) {
            Ok(took) => CanaryResult::Written(took),
            Err(gap) => CanaryResult::Failed(gap),
        },
    };
    let samples = samples(site, facts.is_ok());
    TargetSnapshot { target: target.name.clone(), ping, facts, canary, samples, elapsed }
}

fn facts(
    target: &Target,
    site: &Site,
    following: Option<&Following>,
    state: RedisState,
    now: Duration,
) -> Facts {
    let role = target.shown_role(state);
    let link = following.filter(|_| role == Role::Replica).map(|following| Link {
        up: following.is_up,
        source: following.source.clone(),
        syncing: false,
    });
    let is_measurable = !(role == Role::Replica && site.lag == Lag::Unknown);
    let loading = now < target.loading_until || state == RedisState::Answering(Answer::Loading);
    let full = if state == RedisState::Answering(Answer::Oom) { 100 } else { 1 };
    let percent = u64::from(site.memory_percent.max(full));
    Facts {
        role: Some(role),
        link,
        loading: Some(loading),
        offset_bytes: is_measurable.then_some(target.offset_bytes as u64),
        replication_id: Some(target.history.to_string()),
        memory_used_bytes: Some(MEMORY_USED_BYTES),
        memory_max_bytes: Some(MEMORY_USED_BYTES * 100 / percent),
        memory_system_bytes: Some(MEMORY_USED_BYTES * 200),
        clients: Some(100),
        clients_max: Some(10_000),
        loading_eta: loading.then(|| target.loading_until.saturating_sub(now)).filter(|left| !left.is_zero()),
        persistence_ok: Some(state != RedisState::Answering(Answer::Misconf)),
    }
}

/// Numbers are reported only where they are news: no decision rests on those of a healthy Redis.
fn samples(site: &Site, is_answered: bool) -> Vec<Sample> {
    match site.metrics {
        MetricsState::NotFinite if is_answered => {
            ["redis_memory_used_bytes", "redis_commands_duration_seconds_total"]
                .into_iter()
                .zip([f64::INFINITY, f64::NAN])
                .map(|(metric, value)| Sample { metric, labels: Vec::new(), value })
                .collect()
        }
        MetricsState::NotFinite | MetricsState::Normal => Vec::new(),
    }
}
