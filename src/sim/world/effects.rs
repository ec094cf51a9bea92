//! What an agent does to the world: the record and its fence, the Redis.

use std::time::Duration;

use super::actor::{Life, Phase};
use super::network::Node;
use super::record::public;
use super::redis::Seer;
use super::state::{Command, Move, State};
use super::trace::{Trace, What, moves};
use crate::act::PromoteError;
use crate::act::dns::{DnsError, Receipt, RecordChange};
use crate::config::Topology;
use crate::control::View;
use crate::decide::saga::Fencing;
use crate::sim::language::{Ports, RedisState};
use crate::types::{Gap, GapReason, RecordState, ResourceSet, Role};

/// How an agent stood when it sent a change.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Sent {
    /// It could rely on a term.
    pub(in crate::sim) leads: bool,
    /// A person's stop that it had read, or had not asked for.
    pub(in crate::sim) ignores: Option<&'static str>,
    /// How old the intent was that it carried out.
    pub(in crate::sim) age: Option<Duration>,
    /// The moment.
    pub(in crate::sim) at: Duration,
}

/// A change that takes effect later than its sender waits for it.
#[derive(Debug)]
pub(in crate::sim) struct LateChange {
    agent: usize,
    service: usize,
    change: RecordChange,
    sent: Sent,
}

impl State {
    /// How an agent stands at the moment when it sends a change.
    pub(in crate::sim) fn sends(&mut self, agent: usize, service: usize, now: Duration) -> Sent {
        let leads = self.actors.len() == 1 || self.leaders(now).contains(&agent);
        let orders = &self.orders[agent][service];
        let has_read = |paused: u64| orders.asked.is_some_and(|asked| paused < asked);
        let ignores = match orders.paused {
            Some(paused) if has_read(paused) => Some("it had read that a person paused the service"),
            Some(_) if orders.asked < orders.claimed => Some("it had not asked for orders since its claim"),
            Some(_) | None => None,
        };
        let ignores = ignores.or_else(|| {
            let halted = orders.halted.filter(|halted| has_read(*halted));
            halted.map(|_| "it had read that the service waits for a person")
        });
        Sent { leads, ignores, age: orders.ticketed.map(|at| now.saturating_sub(at)), at: now }
    }

    /// An agent writes down that a service waits for a person.
    pub(in crate::sim) fn halts(&mut self, agent: usize, service: usize) {
        let place = self.next_place();
        self.orders[agent][service].halted.get_or_insert(place);
    }

    /// A process of an agent begins; returns its number.
    pub(in crate::sim) fn begin_process(&mut self, agent: usize, view: View, now: Duration) -> u64 {
        let actor = &mut self.actors[agent];
        actor.process += 1;
        actor.began = now;
        actor.life = Life::Running;
        actor.view = Some(view);
        actor.phases.fill(Phase::Idle);
        let process = actor.process;
        self.trace.push(Trace { at: now, what: What::Life { agent, text: "runs" } });
        process
    }

    /// A change that names no value it expects arrives at the provider.
    pub(in crate::sim) fn upsert(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        now: Duration,
    ) -> Result<Receipt, DnsError> {
        self.reach_provider(agent)?;
        let held = self.zones[service].state.clone();
        let wanted = self.naming(service, member);
        let (answer, after) =
            self.provider.change(&held, &RecordChange { expected: held.clone(), wanted }, now);
        if let Some(after) = after {
            self.hold(service, Some(agent), after, now);
        }
        answer
    }

    /// The provider itself answers with a member from here on: no request of anybody can fail.
    pub(in crate::sim) fn answer_with(&mut self, service: usize, member: usize, now: Duration) {
        let after = self.naming(service, member);
        self.hold(service, None, after, now);
    }

    /// The zone as it is, with a record that names a member.
    fn naming(&self, service: usize, member: usize) -> RecordState {
        let held = &self.zones[service].state;
        let ttl_seconds = held.record.as_ref().map_or(0, |set| set.ttl_seconds);
        let record = ResourceSet::single(ttl_seconds, self.layout.value(service, member));
        RecordState { record: Some(record), fence: held.fence.clone() }
    }

    /// A change of an agent arrives at the provider.
    pub(in crate::sim) fn change(
        &mut self,
        agent: usize,
        service: usize,
        change: &RecordChange,
        sent: Sent,
        now: Duration,
    ) -> Result<Receipt, DnsError> {
        self.reach_provider(agent)?;
        if let Some(by) = self.provider.take_late() {
            let late = LateChange { agent, service, change: change.clone(), sent };
            self.command(Command::Arrives(now + by, Box::new(late)));
            return Err(DnsError::Unknown { detail: "the provider does not answer in time".to_owned() });
        }
        self.take_effect(agent, service, change, sent, now)
    }

    /// A change takes effect that its sender has given up.
    pub(in crate::sim) fn arrive(&mut self, late: &LateChange, now: Duration) {
        // Nobody hears the answer.
        let _ = self.take_effect(late.agent, late.service, &late.change, late.sent, now);
    }

    fn take_effect(
        &mut self,
        agent: usize,
        service: usize,
        change: &RecordChange,
        sent: Sent,
        now: Duration,
    ) -> Result<Receipt, DnsError> {
        let before = self.zones[service].state.clone();
        let (answer, after) = self.provider.change(&before, change, now);
        if let Some(after) = after {
            let (old, new) = (public(&before), public(&after));
            self.judge_change(agent, service, &old, &new, sent, now);
            if moves(&old, &new) {
                let at = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
                self.moves[service].push(Move { at, is_acknowledged: false });
            } else {
                self.orders[agent][service].claimed = Some(self.next_place());
            }
            self.hold(service, Some(agent), after, now);
        }
        answer
    }

    /// A record and its fence become something else.
    pub(in crate::sim) fn hold(
        &mut self,
        service: usize,
        by: Option<usize>,
        after: RecordState,
        now: Duration,
    ) {
        let before = public(&self.zones[service].state);
        let visible = now + self.provider.visible_after;
        self.zones[service].set(after.clone(), visible);
        let after = public(&after);
        self.is_edited[service] |= by.is_none() && moves(&before, &after);
        self.trace.push(Trace { at: now, what: What::Changed { service, by, before, after } });
    }

    /// Whether an agent reaches the provider at all.
    ///
    /// # Errors
    /// Nobody can tell whether what it sent has arrived.
    pub(in crate::sim) fn reach_provider(&mut self, agent: usize) -> Result<(), DnsError> {
        let passage = self.network.passage(&self.layout.nodes(agent), &[Node::Outside], Ports::All);
        let is_lost = self.chance.happens(passage.losing);
        let unknown = |detail: &str| Err(DnsError::Unknown { detail: detail.to_owned() });
        if !self.actors[agent].resolves {
            return unknown("the provider's name does not resolve");
        }
        if passage.is_open() && !is_lost { Ok(()) } else { unknown("the provider does not answer in time") }
    }

    /// An agent orders a member to take no writes for some time.
    pub(in crate::sim) fn fence(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        pause: Duration,
        now: Duration,
    ) -> Result<Vec<Fencing>, PromoteError> {
        self.settle(service, now);
        let mut how = Vec::new();
        let mut failed = None;
        for rank in 0..self.sites[service][member].targets.len() {
            match self.order(agent, service, member, rank, now) {
                Ok(()) => {
                    let (until, done) = match self.setting.topology {
                        // A cluster stops it for good.
                        Topology::ReplicaOf => (Duration::MAX, Fencing::Stopped),
                        Topology::ActiveActive | Topology::Replication => (now + pause, Fencing::Paused),
                    };
                    self.sites[service][member].targets[rank].paused_until = until;
                    how.push(done);
                }
                Err(gap) if gap.reason == GapReason::Refused => how.push(Fencing::Gone),
                Err(gap) => {
                    let target = self.sites[service][member].targets[rank].name.clone();
                    failed = Some(PromoteError::Unfenceable { target, gap });
                }
            }
        }
        let name = self.layout.member_name(member);
        let text = match &failed {
            None => format!("keeps {name} from taking writes ({how:?})"),
            Some(error) => format!("cannot keep {name} from taking writes: {error}"),
        };
        self.acted(agent, service, text, now);
        failed.map_or(Ok(how), Err)
    }

    /// An agent lets a member take writes again.
    pub(in crate::sim) fn release(&mut self, agent: usize, service: usize, member: usize, now: Duration) {
        self.settle(service, now);
        for rank in 0..self.sites[service][member].targets.len() {
            if self.order(agent, service, member, rank, now).is_ok() {
                self.sites[service][member].targets[rank].paused_until = now;
            }
        }
        let name = self.layout.member_name(member);
        let text = format!("lets {name} take writes again");
        self.acted(agent, service, text, now);
    }

    /// An agent makes a member a primary.
    pub(in crate::sim) fn promote(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        now: Duration,
    ) -> Result<(), PromoteError> {
        self.settle(service, now);
        self.judge_promotion(agent, service, member, now);
        let mut failed = None;
        for rank in 0..self.sites[service][member].targets.len() {
            match self.order(agent, service, member, rank, now) {
                Ok(()) => {
                    let target = &mut self.sites[service][member].targets[rank];
                    if target.role != Role::Primary {
                        target.role = Role::Primary;
                        target.history += 1_000;
                    }
                }
                Err(gap) => {
                    let target = self.sites[service][member].targets[rank].name.clone();
                    let is_lost =
                        matches!(gap.reason, GapReason::Timeout | GapReason::Reset | GapReason::Closed);
                    failed = Some(match is_lost {
                        true => PromoteError::Doubtful { target, gap },
                        false => PromoteError::Promotion { target, gap },
                    });
                }
            }
        }
        let name = self.layout.member_name(member);
        let text = match &failed {
            None => format!("promotes {name}"),
            Some(error) => format!("cannot promote {name}: {error}"),
        };
        self.acted(agent, service, text, now);
        self.settle(service, now);
        failed.map_or(Ok(()), Err)
    }

    /// An order of an agent arrives at a Redis, or does not.
    fn order(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        rank: usize,
        now: Duration,
    ) -> Result<(), Gap> {
        let deadline = Duration::from_secs(2);
        let none = crate::monitor::WriteCanary::Skip;
        // An order takes the way of a look: what answers PING takes orders.
        let (seen, _) = self.look(agent, service, member, deadline, none, now);
        let state = self.sites[service][member].targets[rank].state_for(Seer::Agent(agent));
        let is_too_slow = matches!(state, RedisState::Slow(by) if by >= deadline);
        match seen.into_iter().nth(rank).map(|one| one.ping) {
            Some(Ok(_)) if !is_too_slow => Ok(()),
            Some(Err(gap)) => Err(gap),
            Some(Ok(_)) | None => Err(Gap::new(GapReason::Timeout, "no answer in time")),
        }
    }

    fn acted(&mut self, agent: usize, service: usize, text: String, now: Duration) {
        self.trace.push(Trace { at: now, what: What::Acted { agent, service, text } });
    }

    /// How far a switch of an agent is.
    pub(in crate::sim) fn phase(&mut self, agent: usize, service: usize) -> &mut Phase {
        &mut self.actors[agent].phases[service]
    }
}
