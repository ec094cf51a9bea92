//! Rules that hold in every world, asked at the moment when a change of an agent takes effect: from what the world
//! knows and the agent's journal holds, never from what an agent says of itself.

use std::time::Duration;

use super::effects::Sent;
use super::redis::Seer;
use super::state::State;
use super::trace::moves;
use crate::config::read::duration_text;
use crate::decide::{Plan, Trigger, fence_of};
use crate::store::{Body, Kind};
use crate::types::{RecordState, Role};

/// A step that was begun while a decision lived may take so long.
const LAST_STEP: Duration = Duration::from_secs(30);

impl State {
    /// Asks all rules about a change of an agent that takes effect.
    pub(in crate::sim) fn judge_change(
        &mut self,
        agent: usize,
        service: usize,
        before: &RecordState,
        after: &RecordState,
        sent: Sent,
        now: Duration,
    ) {
        let mut broken: Vec<(&'static str, String)> = Vec::new();
        let who = format!("{} of {}", self.layout.agents[agent], self.layout.services[service]);
        let member = single(after).and_then(|value| self.layout.member_of_value(service, value));
        if member.is_none() {
            broken
                .push(("record_never_empty", format!("the change by {who} leaves no configured site alone")));
        }
        // A provider that applies half a change leaves the old fence; that is its doing.
        if epoch(after) <= epoch(before) && before.fence != after.fence {
            let (old, new) = (epoch(before), epoch(after));
            broken
                .push(("single_writer", format!("the change by {who} leads from epoch {old:?} to {new:?}")));
        }
        let plan = self.ticketed(agent, after);
        if plan.is_none() {
            broken.push(("audit_before_act", format!("the change by {who} was not in its journal before")));
        }
        if !sent.leads {
            broken.push(("no_act_without_lease", format!("{who} changed DNS without a lease")));
        }
        let claims = fence_of(after).ok().flatten().is_some_and(|fence| fence.intent.is_some());
        let promotes = plan.as_ref().is_some_and(|plan| plan.promotes);
        // A target that was promoted is what it is: to finish is safer than to stop.
        if claims || (moves(before, after) && !promotes) {
            let limit = self.setting.policy.decision_ttl + LAST_STEP;
            if let Some(age) = sent.age.filter(|age| *age > limit) {
                let age = duration_text(age);
                broken.push(("fresh_decision", format!("{who} carried out a decision that was {age} old")));
            }
        }
        if moves(before, after) {
            let trigger = plan.map_or(Trigger::Automatic, |plan| plan.trigger);
            let asked = &self.orders[agent][service].asked_for;
            let is_asked = trigger == Trigger::Operator && member.is_some_and(|m| asked.contains(&m));
            let rules = self.judge_move(agent, service, member, sent, is_asked, now);
            broken.extend(rules.into_iter().map(|(rule, why)| (rule, format!("{who}: {why}"))));
        }
        for (rule, detail) in broken {
            self.break_rule(now, rule, detail);
        }
    }

    /// Asks whether a promotion for a planned switch loses nothing: the site to leave takes no writes, and the target has
    /// all that were acknowledged there. A source that began anew and has taken none since adds nothing to them.
    pub(in crate::sim) fn judge_promotion(
        &mut self,
        agent: usize,
        service: usize,
        member: usize,
        now: Duration,
    ) {
        let held = self.zones[service].state.clone();
        let Some(plan) = self.ticketed(agent, &held).filter(|plan| plan.lossless) else { return };
        let Some(from) = self.layout.member(&plan.from) else { return };
        let (old, new) = (&self.sites[service][from].targets, &self.sites[service][member].targets);
        // What is a primary already was promoted before.
        let pairs = old.iter().zip(new).filter(|(_, new)| new.role != Role::Primary);
        let mut why = pairs.filter_map(|(old, new)| {
            if old.takes_writes(Seer::Client, now) {
                Some("its source still takes writes")
            } else if ![old.history, old.written].contains(&new.history) {
                Some("it has another history than its source")
            } else {
                (new.offset_bytes < old.offset_bytes).then_some("it lacks writes of its source")
            }
        });
        if let Some(why) = why.next() {
            let who = format!("{} of {}", self.layout.agents[agent], self.layout.services[service]);
            self.break_rule(now, "planned_loses_nothing", format!("{who} promotes {}: {why}", plan.to));
        }
    }

    fn judge_move(
        &self,
        agent: usize,
        service: usize,
        member: Option<usize>,
        sent: Sent,
        is_asked: bool,
        now: Duration,
    ) -> Vec<(&'static str, String)> {
        let mut broken = Vec::new();
        let policy = &self.setting.policy;
        let proof = member.and_then(|m| self.actors[agent].proofs.get(&(service, m)));
        if proof.is_none_or(|at| sent.at.saturating_sub(*at) > policy.decision_ttl) {
            broken.push(("never_to_unhealthy", "the target had not passed every check".to_owned()));
        }
        if let Some(ignored) = sent.ignores {
            broken.push(("veto_wins", ignored.to_owned()));
        }
        if !is_asked && !self.setting.is_automatic {
            broken.push(("veto_wins", "the configuration allows no automatic change".to_owned()));
        }
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let last = self.moves[service].iter().rev().find(|one| !one.is_acknowledged);
        if let Some(last) = last.filter(|_| !is_asked)
            && ms(now) - last.at < ms(policy.min_auto_interval)
        {
            broken.push((
                "no_ping_pong",
                "the last switch was too recent, and nobody has acknowledged it".to_owned(),
            ));
        }
        broken
    }

    /// The plan of a change, as the journal of the agent held it before.
    fn ticketed(&self, agent: usize, after: &RecordState) -> Option<Plan> {
        let fence = fence_of(after).ok().flatten()?;
        let plan = |body: &Body| match body {
            Body::Ticketed { plan } if plan.decision == fence.decision => Some((**plan).clone()),
            Body::Ticketed { .. }
            | Body::Adopted { .. }
            | Body::Notified { .. }
            | Body::Decided { .. }
            | Body::Stepped { .. }
            | Body::Ended { .. }
            | Body::Halted { .. }
            | Body::Held { .. }
            | Body::Observed { .. }
            | Body::Closed { .. }
            | Body::Compared { .. }
            | Body::Ordered { .. }
            | Body::Configured { .. }
            | Body::Denied { .. }
            | Body::Dropped { .. }
            | Body::Remembered { .. } => None,
        };
        let journal = &self.actors[agent].journal;
        journal
            .newest(Kind::Ticketed, |entry| plan(&entry.body).is_some())
            .and_then(|entry| plan(&entry.body))
    }
}

/// The only value of a record.
fn single(state: &RecordState) -> Option<&String> {
    state.record.as_ref().filter(|set| set.values.len() == 1)?.values.first()
}

fn epoch(state: &RecordState) -> Option<u64> {
    fence_of(state).ok().flatten().map(|fence| fence.epoch)
}
