//! What an agent gets to see: Redis, control planes, what else is there, its peers, the name servers.

use std::time::Duration;

use super::network::{Node, Passage};
use super::record::public;
use super::redis::{Following, Seer, Way, look};
use super::state::State;
use crate::act::dns::Answer;
use crate::config::Topology;
use crate::monitor::WriteCanary;
use crate::sim::language::{ControlState, Lag, MetricsState, Ports};
use crate::types::{
    CanaryResult, Check, CheckKind, ControlPlane, Gap, GapReason, Ratio, Role, Surroundings, TargetSnapshot,
    look_limit,
};

/// A round trip within a datacenter, and between two.
const NEAR: Duration = Duration::from_millis(1);
const FAR: Duration = Duration::from_millis(6);
/// The resolvers and name servers that are watched.
const NAME_SERVERS: u32 = 4;

/// Something that was seen, and how long it took.
pub(in crate::sim) type Sight<T> = (T, Duration);

impl State {
    /// A round trip between two datacenters, with its jitter.
    pub(in crate::sim) fn round_trip(&mut self, from: usize, to: usize) -> Duration {
        let base = if from == to { NEAR } else { FAR };
        base + self.chance.time(base)
    }

    /// One look of an agent at all addresses of a member.
    pub(in crate::sim) fn look(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        deadline: Duration,
        canary: WriteCanary,
        now: Duration,
    ) -> Sight<Vec<TargetSnapshot>> {
        self.settle(service, now);
        let there = self.layout.members[member];
        let to = [Node::Datacenter(there)];
        let passage = self.network.passage(&self.layout.nodes(agent), &to, Ports::Redis);
        let seer = Seer::Agent(agent);
        let mut seen = Vec::with_capacity(self.sites[service][member].targets.len());
        for rank in 0..self.sites[service][member].targets.len() {
            let round_trip = self.round_trip(self.layout.homes[agent], there);
            let losing = losing(&self.sites[service][member].targets[rank].state_for(seer));
            let is_lost = self.chance.happens(passage.losing.max(losing));
            let is_late = self.actors[agent].late >= deadline;
            let way = Way {
                passage,
                is_dark: self.is_dark[there],
                resolves: self.actors[agent].resolves,
                is_lost: is_lost || is_late,
                round_trip,
                deadline,
                limit: look_limit(deadline, self.setting.probe_interval),
                now,
            };
            let following = self.following(service, member, rank, now);
            let site = &self.sites[service][member];
            seen.push(look(&site.targets[rank], site, following.as_ref(), seer, &way, canary));
        }
        if seen.iter().all(|one| one.ping.is_ok() && matches!(one.canary, CanaryResult::Written(_))) {
            self.actors[agent].proofs.insert((service, member), now);
        }
        let took = seen.iter().map(|one| one.elapsed).max().unwrap_or_default();
        (seen, took)
    }

    fn following(&self, service: usize, member: usize, rank: usize, now: Duration) -> Option<Following> {
        let source = if member == self.layout.active { usize::from(member == 0) } else { self.layout.active };
        let site = &self.sites[service][member];
        let is_up = !site.is_link_cut && site.link_down_since(source, now).is_none();
        let source = match self.setting.topology {
            Topology::ActiveActive => return None,
            Topology::Replication => self.layout.address(service, source, rank),
            // Its cluster tells of the link, and not where to.
            Topology::ReplicaOf => String::new(),
        };
        Some(Following { source, is_up })
    }

    /// What the control plane of a member says to an agent.
    pub(in crate::sim) fn control(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        deadline: Duration,
        now: Duration,
    ) -> Option<Sight<Result<ControlPlane, Gap>>> {
        if !self.setting.is_enterprise {
            return None;
        }
        let there = self.layout.members[member];
        let way = self.way_to(agent, there, deadline);
        let took = match way {
            Ok(took) => took,
            Err((gap, took)) => return Some((Err(gap), took)),
        };
        let gap = |reason, detail: &str| Err(Gap::new(reason, detail));
        let said = match &self.controls[there] {
            ControlState::Up => Ok(self.available(service, member, None, now)),
            ControlState::Dead => gap(GapReason::Refused, "connection refused"),
            ControlState::Hung => return Some((gap(GapReason::Timeout, "no answer in time"), deadline)),
            ControlState::Malformed => gap(GapReason::Protocol, "the document ends in the middle"),
            ControlState::Tls => gap(GapReason::Tls, "certificate expired"),
            ControlState::Status { status: 200, .. } => Ok(self.available(service, member, None, now)),
            ControlState::Status { status: 401 | 403, .. } => gap(GapReason::Auth, "the status is 401"),
            ControlState::Status { status: 503, code } => {
                let code = code.clone().unwrap_or_else(|| "bdb_unavailable".to_owned());
                Ok(self.available(service, member, Some(code), now))
            }
            ControlState::Status { status, .. } => {
                gap(GapReason::ErrorReply, &format!("the status is {status}"))
            }
        };
        Some((said, took))
    }

    fn available(
        &self,
        service: usize,
        member: usize,
        unavailable: Option<String>,
        now: Duration,
    ) -> ControlPlane {
        let is_link_up = self.is_link_up(service, member, now);
        let lag = match self.sites[service][member].lag {
            Lag::Behind(lag) if is_link_up => Some(lag),
            Lag::Behind(_) | Lag::Unknown => None,
        };
        let is_copy = match self.setting.topology {
            Topology::ActiveActive | Topology::Replication => None,
            Topology::ReplicaOf => {
                Some(self.sites[service][member].targets.iter().any(|target| target.role != Role::Primary))
            }
        };
        ControlPlane {
            unavailable,
            lag,
            is_link_up: Some(is_link_up),
            is_fresh: None,
            memory_limit_bytes: None,
            is_copy,
        }
    }

    /// What else answers in the datacenter of a member.
    pub(in crate::sim) fn domain(
        &mut self,
        agent: usize,
        member: usize,
        deadline: Duration,
    ) -> Sight<Vec<Check>> {
        if !self.setting.has_domain_checks {
            return (Vec::new(), Duration::ZERO);
        }
        let there = self.layout.members[member];
        let (result, took) = outcome(self.way_to(agent, there, deadline));
        let name = format!("gateway.{}", self.layout.datacenters[there]);
        (vec![Check { name, kind: CheckKind::Tcp, result }], took)
    }

    /// How unusual a site is, where the scenario says so.
    pub(in crate::sim) fn anomaly(&self, service: usize, member: usize) -> Option<Ratio> {
        self.sites.get(service)?.get(member)?.anomaly
    }

    /// What is seen around a service.
    pub(in crate::sim) fn surroundings(
        &mut self,
        agent: usize,
        service: usize,
        deadline: Duration,
        now: Duration,
    ) -> Sight<Surroundings> {
        let mut longest = Duration::ZERO;
        let mut self_checks = Vec::new();
        if self.setting.has_self_checks {
            let passage = self.network.passage(&self.layout.nodes(agent), &[Node::Outside], Ports::All);
            let (result, took) = outcome(self.travel(agent, passage, FAR, deadline));
            longest = longest.max(took);
            let resolved = if self.actors[agent].resolves {
                result.clone()
            } else {
                Err(Gap::new(GapReason::Dns, "the resolver does not answer"))
            };
            let check = |name: &str, kind, result| Check { name: name.to_owned(), kind, result };
            self_checks = vec![
                check("reference.example.net:443", CheckKind::Tcp, result),
                check("reference.example.net", CheckKind::Dns, resolved),
            ];
        }
        let client_errors = self.setting.has_clients.then(|| {
            let home = self.layout.homes[agent];
            let (way, took) = outcome(self.way_to(agent, home, deadline));
            longest = longest.max(took);
            way?;
            let none = || Gap::new(GapReason::ErrorReply, "the query gives no number");
            // The query is over the same metrics that say what is no number.
            let are_numbers = self.sites[service].iter().all(|site| site.metrics == MetricsState::Normal);
            let share = self.client_errors(service, now).filter(|_| are_numbers);
            share.map(Ratio::clamped).ok_or_else(none)
        });
        (Surroundings { self_checks, client_errors, silenced: None }, longest)
    }

    /// The way of a request of an agent to something beside Redis in a datacenter.
    fn way_to(
        &mut self,
        agent: usize,
        there: usize,
        deadline: Duration,
    ) -> Result<Duration, (Gap, Duration)> {
        if self.is_dark[there] {
            return Err((
                Gap::new(GapReason::ConnectTimeout, "no answer to the connection attempt"),
                deadline,
            ));
        }
        let passage = self.network.passage(&self.layout.nodes(agent), &[Node::Datacenter(there)], Ports::All);
        let round_trip = self.round_trip(self.layout.homes[agent], there);
        self.travel(agent, passage, round_trip, deadline)
    }

    /// How long a request takes, or how it fails.
    pub(in crate::sim) fn travel(
        &mut self,
        agent: usize,
        passage: Passage,
        round_trip: Duration,
        deadline: Duration,
    ) -> Result<Duration, (Gap, Duration)> {
        if passage.is_blocked {
            return Err((
                Gap::new(GapReason::ConnectTimeout, "no answer to the connection attempt"),
                deadline,
            ));
        }
        if passage.is_rejected {
            return Err((Gap::new(GapReason::Refused, "connection refused"), round_trip));
        }
        let took = round_trip + passage.slower + self.actors[agent].late;
        if took >= deadline || self.chance.happens(passage.losing) {
            return Err((Gap::new(GapReason::Timeout, "no answer in time"), deadline));
        }
        Ok(took)
    }

    /// What the watched name servers answer to an agent.
    pub(in crate::sim) fn answers(&mut self, agent: usize, service: usize, now: Duration) -> Vec<Answer> {
        let passage = self.network.passage(&self.layout.nodes(agent), &[Node::Outside], Ports::All);
        let zone = &self.zones[service];
        let (stale, since, until) = self.provider.stale;
        let answer = |rank: u32| {
            let state = if rank < stale && now < until { zone.shown_before(since) } else { zone.shown(now) };
            let record = public(state).record.ok_or_else(|| "it holds no such record".to_owned());
            let result =
                if passage.is_open() { record } else { Err("it does not answer in time".to_owned()) };
            Answer { server: format!("ns{}.example.net", rank + 1), result }
        };
        (0..NAME_SERVERS).map(answer).collect()
    }
}

/// A way as the result of a check, and how long it took.
fn outcome(way: Result<Duration, (Gap, Duration)>) -> Sight<Result<Duration, Gap>> {
    match way {
        Ok(took) => (Ok(took), took),
        Err((gap, took)) => (Err(gap), took),
    }
}

fn losing(state: &crate::sim::language::RedisState) -> f64 {
    if let crate::sim::language::RedisState::Losing(share) = state { share.get() } else { 0.0 }
}
