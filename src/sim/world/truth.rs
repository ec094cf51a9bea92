//! What is really so, whatever anybody sees: streams of replication, links, whom applications reach, who takes writes.

use std::time::Duration;

use super::network::Node;
use super::record::public;
use super::redis::{Presence, Seer, Target};
use super::state::State;
use crate::config::Topology;
use crate::sim::language::{ClientErrors, Lag, Ports, RedisState};
use crate::types::{RecordState, Role};

/// What a healthy primary's stream of replication grows by, bytes a second.
const STREAM_BYTES_PER_SECOND: f64 = 50_000.0;
/// Two primaries may take writes for so long beyond one round of looking.
const TWO_PRIMARIES_GRACE: Duration = Duration::from_secs(1);
/// A site serves while no more than this share of the applications' writes fails.
const FAILING_WRITES_MAX: f64 = 0.5;

impl State {
    /// Works out, for one service, what time alone has changed.
    pub(in crate::sim) fn settle(&mut self, service: usize, now: Duration) {
        let passed = now.saturating_sub(self.settled[service]);
        self.settled[service] = now;
        self.settle_links(service, now);
        if self.setting.topology == Topology::Replication {
            self.settle_streams(service, now, passed);
            self.watch_primaries(service, now);
        }
    }

    /// Works out everything, because something else is about to change, or has.
    pub(in crate::sim) fn settle_all(&mut self, now: Duration) {
        for service in 0..self.sites.len() {
            self.settle(service, now);
        }
        self.settle_lease(now);
    }

    fn settle_links(&mut self, service: usize, now: Duration) {
        for member in 0..self.sites[service].len() {
            for source in 0..self.sites[service].len() {
                let presence = if self.sites[service][member].is_link_cut {
                    Presence::Gone
                } else {
                    self.presence(service, member, source, now)
                };
                let missing = &mut self.sites[service][member].missing[source];
                *missing = match (presence, *missing) {
                    (Presence::Here, _) => None,
                    // A link that has ended does not come back because its source falls silent.
                    (how, Some((since, before))) if before == how || before == Presence::Gone => {
                        Some((since, before))
                    }
                    (how, _) => Some((now, how)),
                };
            }
        }
    }

    /// Whether a member can replicate from another one.
    fn presence(&self, service: usize, member: usize, source: usize, now: Duration) -> Presence {
        if member == source {
            return Presence::Here;
        }
        let (here, there) = (self.layout.members[member], self.layout.members[source]);
        let (here, there_node) = (Node::Datacenter(here), Node::Datacenter(there));
        let passage = self.network.passage(&[here], &[there_node], Ports::All);
        if self.is_dark[there] || passage.is_blocked {
            return Presence::Silent;
        }
        if passage.is_rejected {
            return Presence::Gone;
        }
        let all = || self.sites[service][source].targets.iter().map(|target| target.presence(now));
        // A site with one living address keeps its link: what is lost with the others shows elsewhere.
        if all().any(|one| one == Presence::Here) {
            Presence::Here
        } else if all().all(|one| one == Presence::Gone) {
            Presence::Gone
        } else {
            Presence::Silent
        }
    }

    /// The members whose writes a member receives.
    pub(in crate::sim) fn sources(&self, member: usize) -> Vec<usize> {
        match self.setting.topology {
            Topology::ActiveActive => (0..self.layout.members.len()).filter(|m| *m != member).collect(),
            Topology::ReplicaOf | Topology::Replication if member == self.layout.active => Vec::new(),
            Topology::ReplicaOf | Topology::Replication => vec![self.layout.active],
        }
    }

    /// Whether every link over which a member receives writes is in sync.
    pub(in crate::sim) fn is_link_up(&self, service: usize, member: usize, now: Duration) -> bool {
        let site = &self.sites[service][member];
        let is_down = |source: &usize| site.link_down_since(*source, now).is_some();
        !site.is_link_cut && !self.sources(member).iter().any(is_down)
    }

    fn settle_streams(&mut self, service: usize, now: Duration, passed: Duration) {
        let source = self.layout.active;
        let (dark, members) = (self.is_dark.clone(), self.layout.members.clone());
        for (member, site) in self.sites[service].iter_mut().enumerate() {
            let is_on = !dark[members[member]];
            for target in site.targets.iter_mut().filter(|t| is_on && t.role == Role::Primary) {
                if target.takes_writes(Seer::Client, now) {
                    target.offset_bytes += STREAM_BYTES_PER_SECOND * passed.as_secs_f64();
                    target.written = target.history;
                }
            }
        }
        for member in (0..self.sites[service].len()).filter(|member| *member != source) {
            if !self.is_link_up(service, member, now) {
                continue;
            }
            let behind = match self.sites[service][member].lag {
                Lag::Behind(lag) => STREAM_BYTES_PER_SECOND * lag.as_secs_f64(),
                Lag::Unknown => 0.0,
            };
            for rank in 0..self.sites[service][member].targets.len() {
                let primary = &self.sites[service][source].targets[rank];
                let is_growing = primary.takes_writes(Seer::Client, now);
                let (head, history) = (primary.offset_bytes, primary.history);
                let replica = &mut self.sites[service][member].targets[rank];
                if replica.role != Role::Replica {
                    continue;
                }
                let reached = if is_growing { head - behind } else { head };
                // A new history begins with a full synchronisation.
                let is_new = replica.history != history;
                replica.history = history;
                replica.offset_bytes = if is_new { reached } else { replica.offset_bytes.max(reached) };
            }
        }
    }

    /// Two primaries that both take writes of applications lose some of them, if nobody stops one.
    fn watch_primaries(&mut self, service: usize, now: Duration) {
        let taking: Vec<usize> = (0..self.sites[service].len())
            .filter(|member| self.takes_client_writes(service, *member, now))
            .collect();
        let named = self.named(service);
        let old = taking.iter().find(|member| Some(**member) != named);
        if let Some(old) = old
            && taking.len() > self.taking[service].len()
        {
            self.has_returned[service] = !self.taking[service].contains(old);
        }
        let could_hold = old.is_some_and(|old| self.could_be_held(service, *old));
        self.taking[service].clone_from(&taking);
        if taking.len() < 2 || self.is_edited[service] || !could_hold {
            self.two_primaries[service] = None;
            return;
        }
        let since = *self.two_primaries[service].get_or_insert(now);
        let limit = self.setting.probe_interval + TWO_PRIMARIES_GRACE;
        if now.saturating_sub(since) > limit && !self.setting.is_without_fencing {
            // Said once for each such time.
            self.two_primaries[service] = Some(Duration::MAX);
            let detail = format!(
                "{} has had two writable primaries for more than {limit:?}",
                self.layout.services[service]
            );
            self.break_rule(now, "two_primaries", detail);
        }
    }

    /// Whether some agent could keep a member from taking writes: it may act, and what it orders arrives. One that comes
    /// back can be held only by who can read that another is active by now.
    fn could_be_held(&self, service: usize, member: usize) -> bool {
        let to = [Node::Datacenter(self.layout.members[member])];
        (0..self.actors.len()).any(|agent| {
            let actor = &self.actors[agent];
            let may_act = actor.is_running()
                && !actor.is_disk_full
                && actor.resolves
                && actor.late.is_zero()
                && self.orders[agent][service].paused.is_none();
            let is_clear = |to: &[Node], ports| {
                let way = self.network.passage(&self.layout.nodes(agent), to, ports);
                way.is_open() && way.losing == 0.0 && way.slower.is_zero()
            };
            let reads = is_clear(&[Node::Outside], Ports::All) && self.provider.read().is_ok();
            let knows = reads || !self.has_returned[service];
            let takes_orders = |target: &Target| target.state_for(Seer::Agent(agent)) == RedisState::Up;
            may_act
                && knows
                && is_clear(&to, Ports::Redis)
                && self.sites[service][member].targets.iter().all(takes_orders)
        })
    }

    /// Whether a member is a primary that takes writes, and some application still sends it any.
    fn takes_client_writes(&self, service: usize, member: usize, now: Duration) -> bool {
        let is_dark = self.is_dark[self.layout.members[member]];
        let site = &self.sites[service][member];
        let takes = site.targets.iter().any(|t| t.role == Role::Primary && t.takes_writes(Seer::Client, now));
        !is_dark && takes && self.is_named(service, member, now)
    }

    /// Whether some application still takes a member for the active one: the answer of a name server lives for the
    /// time of the record.
    fn is_named(&self, service: usize, member: usize, now: Duration) -> bool {
        let zone = &self.zones[service];
        let value = self.layout.value(service, member);
        let holds = |state: &RecordState| state.record.as_ref().is_some_and(|set| set.values.contains(value));
        // Of two zones that differ, each has its own applications.
        let names = |state: &RecordState| match state.parted() {
            Some((first, second)) => holds(&first) || holds(&second),
            None => holds(state),
        };
        let (stale, since, until) = self.provider.stale;
        names(zone.shown(now))
            || names(zone.shown(now.saturating_sub(self.setting.ttl)))
            || (stale > 0 && now < until && names(zone.shown_before(since)))
    }

    /// The member that applications find behind the name.
    pub(in crate::sim) fn found_by_clients(&self, service: usize, now: Duration) -> Option<usize> {
        let shown = public(self.zones[service].shown(now.saturating_sub(self.setting.ttl)));
        let value = shown.record.as_ref()?.values.first()?;
        self.layout.member_of_value(service, value)
    }

    /// The share of requests that fail at a member, for the applications in the other datacenters.
    pub(in crate::sim) fn failing(&self, service: usize, member: usize, now: Duration) -> f64 {
        let there = self.layout.members[member];
        if self.is_dark[there] {
            return 1.0;
        }
        let targets = &self.sites[service][member].targets;
        let failing = targets.iter().map(|t| t.failing(now)).sum::<f64>() / targets.len().max(1) as f64;
        let homes = || (0..self.is_dark.len()).filter(|home| *home != there && !self.is_dark[*home]);
        let share = homes().map(|home| {
            let way = self.network.passage(&[Node::Datacenter(home)], &[Node::Datacenter(there)], Ports::All);
            if way.is_open() { failing.max(way.losing) } else { 1.0 }
        });
        let share = share.sum::<f64>();
        match homes().count() {
            0 => failing,
            count => share / count as f64,
        }
    }

    /// Which members serve the writes of applications, by service.
    pub(in crate::sim) fn serving(&self, now: Duration) -> Vec<Vec<bool>> {
        let serves = |(service, members): (usize, &Vec<_>)| {
            (0..members.len()).map(|member| self.serves(service, member, now)).collect()
        };
        self.sites.iter().enumerate().map(serves).collect()
    }

    /// Whether a member serves the writes of applications, which are as many in each datacenter that has power.
    fn serves(&self, service: usize, member: usize, now: Duration) -> bool {
        let there = self.layout.members[member];
        if self.is_dark[there] {
            return false;
        }
        let targets = &self.sites[service][member].targets;
        let taken = |target: &Target| match target.state_for(Seer::Client) {
            _ if !target.takes_writes(Seer::Client, now) => 0.0,
            RedisState::Losing(share) => 1.0 - share.get(),
            RedisState::Up
            | RedisState::Dead
            | RedisState::Hung
            | RedisState::Silent
            | RedisState::Unresolvable
            | RedisState::Slow(_)
            | RedisState::Answering(_) => 1.0,
        };
        let taken = targets.iter().map(taken).sum::<f64>() / targets.len().max(1) as f64;
        let arriving = |home: usize| {
            let way = self.network.passage(&[Node::Datacenter(home)], &[Node::Datacenter(there)], Ports::All);
            if home == there {
                1.0
            } else if way.is_open() {
                1.0 - way.losing
            } else {
                0.0
            }
        };
        let homes = || (0..self.is_dark.len()).filter(|home| !self.is_dark[*home]);
        let arriving = homes().map(arriving).sum::<f64>() / homes().count().max(1) as f64;
        1.0 - taken * arriving <= FAILING_WRITES_MAX
    }

    /// The share of failing requests as applications report it; `None` when the query gives no answer.
    pub(in crate::sim) fn client_errors(&self, service: usize, now: Duration) -> Option<f64> {
        let found = self.found_by_clients(service, now);
        let applies = |(member, _): &&(Option<usize>, ClientErrors)| member.is_none() || *member == found;
        match self.clients.iter().rev().find(applies).map(|(_, errors)| *errors) {
            Some(ClientErrors::Unknown) => None,
            Some(ClientErrors::Share(share)) => Some(share.get()),
            Some(ClientErrors::Measured) | None => {
                Some(found.map_or(1.0, |member| self.failing(service, member, now)))
            }
        }
    }

    /// The member that a record names at its provider.
    pub(in crate::sim) fn named(&self, service: usize) -> Option<usize> {
        let record = public(&self.zones[service].state).record.filter(|set| set.values.len() == 1)?;
        self.layout.member_of_value(service, record.values.first()?)
    }

    /// How many members of a service take writes, where only one may.
    pub(in crate::sim) fn writable(&self, service: usize, now: Duration) -> usize {
        let takes = |member: &usize| {
            let site = &self.sites[service][*member];
            site.targets.iter().any(|t| t.role == Role::Primary && t.takes_writes(Seer::Client, now))
        };
        (0..self.sites[service].len()).filter(takes).count()
    }
}
