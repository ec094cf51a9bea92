//! How an event changes the world.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::actor::Life;
use super::network::{Line, Node};
use super::redis::Audience;
use super::state::{Command, State, World};
use super::trace::{Trace, What};
use crate::decide::fence_of;
use crate::sim::language::{
    AgentState, FenceEdit, Happening, LeaseState, LinkState, NetworkPath, NetworkState, Order, Place, Ports,
    Power, Rank, RecordEdit, RedisState, Seers, Side, Step, When, Who,
};
use crate::sim::sentence::sentence;
use crate::store::{Body, NewEntry, OperatorAction};
use crate::types::{RecordState, ResourceSet, SiteName};

impl World {
    /// Lets something happen.
    pub(in crate::sim) fn apply(&self, happening: &Happening) {
        let now = self.now();
        self.state().apply(happening, now);
    }

    /// An agent reaches a step: what hangs on it happens.
    pub(in crate::sim) fn reach(&self, agent: usize, step: Step, side: Side) {
        let now = self.now();
        if now < self.zero {
            return;
        }
        let mut state = self.state();
        if side == Side::Before {
            *state.actors[agent].steps.entry(step).or_default() += 1;
        }
        if state.hooks.is_empty() {
            return;
        }
        let due = state.due(agent, step, side);
        for (happening, delay) in due {
            if delay.is_zero() {
                state.apply(&happening, now);
            } else {
                state.command(Command::Later(now + delay, happening));
            }
        }
    }
}

impl State {
    /// The events that hang on a step that is reached.
    fn due(&mut self, agent: usize, step: Step, side: Side) -> Vec<(Happening, Duration)> {
        let name = &self.layout.agents[agent];
        let mut due = Vec::new();
        for hook in self.hooks.iter_mut().filter(|hook| !hook.is_done) {
            let When::On(trigger) = &hook.event.at else { continue };
            let is_agent = trigger.agent.as_ref().is_none_or(|wanted| wanted == name);
            if !is_agent || trigger.step != step || trigger.side != side {
                continue;
            }
            hook.reached += 1;
            if hook.reached == trigger.nth {
                hook.is_done = true;
                due.push((hook.event.what.clone(), trigger.delay));
            }
        }
        due
    }

    pub(super) fn command(&self, command: Command) {
        // The player outlives the world.
        let _ = self.commands.send(command);
    }

    /// Lets something happen.
    pub(in crate::sim) fn apply(&mut self, happening: &Happening, now: Duration) {
        self.settle_all(now);
        self.trace.push(Trace { at: now, what: What::Event(sentence(happening)) });
        match happening {
            Happening::Redis { site, is, targets, to, service } => {
                self.apply_redis(site, *is, targets, to, *service);
            }
            Happening::Loading { site, left, service } => {
                self.each_target(site, *service, |target| {
                    target.restart();
                    target.state = RedisState::Up;
                    target.loading_until = now + *left;
                });
            }
            Happening::Lag { site, is } => self.each_site(site, |one| one.lag = *is),
            Happening::Memory { site, percent } => self.each_site(site, |one| one.memory_percent = *percent),
            Happening::Link { site, is } => {
                self.each_site(site, |one| one.is_link_cut = *is == LinkState::Down);
            }
            Happening::Metrics { site, is } => self.each_site(site, |one| one.metrics = *is),
            Happening::Anomaly { site, score } => self.each_site(site, |one| one.anomaly = Some(*score)),
            Happening::Control { site, is } => {
                if let Some(there) = self.layout.datacenter(site) {
                    self.controls[there] = is.clone();
                }
            }
            Happening::Datacenter { name, is } => self.apply_power(name, *is),
            Happening::Network { path, is, only } => self.apply_network(path, *is, *only),
            Happening::Agent { who, is } => {
                for agent in self.who(who, now) {
                    self.apply_agent(agent, *is);
                }
            }
            Happening::Clock { who, change } => {
                for agent in self.who(who, now) {
                    self.actors[agent].clocks.change(*change, now);
                }
            }
            Happening::Webhook(webhook) => self.command(Command::Post(webhook.clone())),
            Happening::Clients { site, errors } => {
                let member = site.as_ref().and_then(|site| self.layout.member(site));
                self.clients.retain(|(known, _)| member.is_some() && *known != member);
                self.clients.push((member, *errors));
            }
            Happening::Dns(state) => self.provider.set(*state, now),
            Happening::DnsVisibleAfter(after) => self.provider.visible_after = *after,
            Happening::Resolvers { stale, lasts } => self.provider.stale = (*stale, now, now + *lasts),
            Happening::Record { value, ttl, service } => {
                self.apply_record(value.as_ref(), *ttl, *service, now)
            }
            Happening::Fence { edit, service } => self.apply_fence(edit, *service, now),
            Happening::Lease(state) => self.apply_lease(state, now),
            Happening::Operator { does, who, service } => self.apply_order(does, who, *service, now),
            Happening::BrokenConfig { who } => {
                for agent in self.who(who, now) {
                    self.command(Command::Reload(agent));
                }
            }
        }
        self.settle_all(now);
    }

    fn who(&mut self, who: &Who, now: Duration) -> Vec<usize> {
        let leaders = self.leaders(now);
        self.layout.who(who, &leaders)
    }

    fn ranks(&self, service: Option<Rank>) -> Vec<usize> {
        service.map_or_else(|| (0..self.sites.len()).collect(), |one| vec![one])
    }

    fn each_site(&mut self, site: &SiteName, change: impl Fn(&mut super::redis::Site)) {
        let Some(member) = self.layout.member(site) else { return };
        self.sites.iter_mut().filter_map(|sites| sites.get_mut(member)).for_each(change);
    }

    fn each_target(
        &mut self,
        site: &SiteName,
        service: Option<Rank>,
        change: impl Fn(&mut super::redis::Target),
    ) {
        let Some(member) = self.layout.member(site) else { return };
        for service in self.ranks(service) {
            if let Some(site) = self.sites.get_mut(service).and_then(|sites| sites.get_mut(member)) {
                site.targets.iter_mut().for_each(&change);
            }
        }
    }

    fn apply_redis(
        &mut self,
        site: &SiteName,
        is: RedisState,
        targets: &[Rank],
        to: &Seers,
        service: Option<Rank>,
    ) {
        let audiences: Vec<Audience> = match to {
            Seers::Everybody => Vec::new(),
            Seers::Clients => vec![Audience::Clients],
            Seers::Agents => vec![Audience::Agents],
            Seers::Named(names) => {
                names.iter().filter_map(|name| self.layout.agent(name)).map(Audience::Agent).collect()
            }
        };
        let Some(member) = self.layout.member(site) else { return };
        for service in self.ranks(service) {
            let Some(site) = self.sites.get_mut(service).and_then(|sites| sites.get_mut(member)) else {
                continue;
            };
            let is_meant = |rank: &usize| targets.is_empty() || targets.contains(rank);
            for (_, target) in site.targets.iter_mut().enumerate().filter(|(rank, _)| is_meant(rank)) {
                if *to != Seers::Everybody {
                    target.seen.extend(audiences.iter().map(|audience| (*audience, is)));
                    continue;
                }
                if target.state == RedisState::Dead && is != RedisState::Dead {
                    target.restart();
                }
                target.seen.clear();
                target.state = is;
                if matches!(is, RedisState::Up | RedisState::Dead) {
                    target.loading_until = Duration::ZERO;
                }
            }
        }
    }

    fn apply_power(&mut self, name: &SiteName, is: Power) {
        let Some(there) = self.layout.datacenter(name) else { return };
        let was_dark = std::mem::replace(&mut self.is_dark[there], is == Power::Dark);
        if was_dark
            && is == Power::Back
            && let Some(member) = self.layout.member(name)
        {
            for sites in &mut self.sites {
                sites[member].targets.iter_mut().for_each(super::redis::Target::restart);
            }
        }
        let life = if is == Power::Dark { AgentState::Killed } else { AgentState::Started };
        for agent in
            (0..self.actors.len()).filter(|agent| self.layout.homes[*agent] == there).collect::<Vec<_>>()
        {
            self.apply_agent(agent, life);
        }
    }

    fn apply_network(&mut self, path: &NetworkPath, is: NetworkState, only: Ports) {
        let node = |place: &Place| match place {
            Place::Datacenter(name) => self.layout.datacenter(name).map(Node::Datacenter),
            Place::Agent(name) => self.layout.agent(name).map(Node::Agent),
        };
        let line = match path {
            NetworkPath::Between(a, b) => node(a).zip(node(b)).map(|(a, b)| Line::Between(a, b)),
            NetworkPath::Around(a) => node(a).map(Line::Around),
        };
        if let Some(line) = line {
            self.network.set(line, is, only);
        }
    }

    fn apply_agent(&mut self, agent: usize, is: AgentState) {
        let home = self.layout.homes[agent];
        let actor = &mut self.actors[agent];
        match is {
            AgentState::Killed => {
                // Whoever waits for it to go on waits for ever.
                actor.life = Life::Gone;
                actor.process += 1;
                actor.view = None;
                actor.stuck = None;
                self.command(Command::Kill(agent));
            }
            AgentState::Started => {
                if matches!(actor.life, Life::Gone) && !self.is_dark[home] {
                    self.command(Command::Start(agent));
                }
            }
            AgentState::Frozen => {
                if actor.is_running() {
                    actor.life = Life::Frozen(Arc::new(Notify::new()));
                }
            }
            AgentState::Running => {
                if let Life::Frozen(notify) = std::mem::replace(&mut actor.life, Life::Running) {
                    notify.notify_waiters();
                } else if actor.view.is_none() {
                    actor.life = Life::Gone;
                }
                actor.late = Duration::ZERO;
                if let Some(notify) = actor.stuck.take() {
                    notify.notify_waiters();
                }
            }
            AgentState::Stuck => {
                if actor.is_running() {
                    actor.stuck.get_or_insert_default();
                }
            }
            AgentState::Late(by) => actor.late = by,
            AgentState::DiskFull => actor.is_disk_full = true,
            AgentState::DiskOk => actor.is_disk_full = false,
            AgentState::JournalDamaged => actor.is_journal_damaged = true,
            AgentState::ResolverDead => actor.resolves = false,
            AgentState::ResolverOk => actor.resolves = true,
        }
    }

    fn apply_record(
        &mut self,
        value: Option<&RecordEdit>,
        ttl: Option<Duration>,
        service: Option<Rank>,
        now: Duration,
    ) {
        for service in self.ranks(service) {
            let held = self.zones[service].state.clone();
            let old_ttl = held.record.as_ref().map_or(0, |set| set.ttl_seconds);
            let ttl = ttl.and_then(|ttl| u32::try_from(ttl.as_secs()).ok()).unwrap_or(old_ttl);
            let record = match value {
                None => held.record.map(|set| ResourceSet { ttl_seconds: ttl, values: set.values }),
                Some(RecordEdit::Missing) => None,
                Some(RecordEdit::Other(name)) => Some(ResourceSet::single(ttl, name.as_str())),
                Some(RecordEdit::Site(site)) => {
                    let member = self.layout.member(site).unwrap_or(self.layout.active);
                    Some(ResourceSet::single(ttl, self.layout.value(service, member)))
                }
            };
            self.hold(service, None, RecordState { record, fence: held.fence }, now);
        }
    }

    fn apply_fence(&mut self, edit: &FenceEdit, service: Option<Rank>, now: Duration) {
        for service in self.ranks(service) {
            let held = self.zones[service].state.clone();
            let ttl = held.fence.as_ref().or(held.record.as_ref()).map_or(5, |set| set.ttl_seconds);
            let fence = match edit {
                FenceEdit::Missing => None,
                FenceEdit::Text(text) => Some(ResourceSet::single(ttl, text.clone())),
            };
            self.hold(service, None, RecordState { record: held.record, fence }, now);
        }
    }

    fn apply_lease(&mut self, state: &LeaseState, now: Duration) {
        let layout = Arc::clone(&self.layout);
        self.lease.set(state, |name| layout.agent(name), now);
    }

    fn apply_order(&mut self, order: &Order, who: &Who, service: Option<Rank>, now: Duration) {
        for agent in self.who(who, now) {
            for service in self.ranks(service) {
                let action = self.note_order(order, agent, service, now);
                self.write_order(agent, service, action, now);
            }
        }
    }

    /// Remembers an order for the rules; returns what the agent finds in its journal.
    fn note_order(&mut self, order: &Order, agent: usize, service: usize, now: Duration) -> OperatorAction {
        let place = self.next_place();
        let orders = &mut self.orders[agent][service];
        match order {
            Order::Pause => {
                orders.paused = Some(place);
                OperatorAction::Pause
            }
            Order::Resume => {
                orders.paused = None;
                OperatorAction::Resume
            }
            Order::Ack => {
                orders.halted = None;
                self.moves[service].iter_mut().for_each(|one| one.is_acknowledged = true);
                let fence = fence_of(&self.zones[service].state).ok().flatten();
                OperatorAction::Acknowledge { epoch: fence.map(|fence| fence.epoch) }
            }
            Order::Failover(to) => {
                orders.asked_for.extend(self.layout.member(to));
                OperatorAction::Failover { to: to.clone() }
            }
            Order::Failback(to) => {
                orders.asked_for.extend(self.layout.member(to));
                OperatorAction::Failback { to: to.clone(), early: false }
            }
            Order::Maintenance(site, lasts) => {
                let until = self.actors[agent].clocks.wall(now) + *lasts;
                let until_unix_ms = i64::try_from(until.as_millis()).unwrap_or(i64::MAX);
                OperatorAction::Maintain { site: site.clone(), until_unix_ms }
            }
        }
    }

    /// An order is written into the journal beside the agent, as the command line does it.
    fn write_order(&mut self, agent: usize, service: usize, action: OperatorAction, now: Duration) {
        let at = self.actors[agent].clocks.wall(now);
        let entry = NewEntry {
            at_unix_ms: i64::try_from(at.as_millis()).unwrap_or(i64::MAX),
            service: self.layout.services[service].clone(),
            incident: None,
            body: Body::Ordered { action, by: "operator".to_owned() },
        };
        self.actors[agent].journal.write(vec![entry]);
    }
}
