//! The player: the decision core over history, with the configuration that is tried.

use std::time::Duration;

use crate::config::Service;
use crate::decide::{Decision, Evidence, Health, Resume, State, Trigger, Verdict, step};
use crate::types::{Moment, SiteName};

/// What the policy makes of one round.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// The decision.
    pub decision: Decision,
    /// The policy has switched before and history has not caught up: nothing is decided about that outage any more.
    pub is_after: bool,
}

/// Plays the history of one service.
///
/// All controls are those of the history but one: the switches that count for the interval and the damping are those
/// that this policy made. A switch that it would have made is noted once. What the world would have been after it nobody
/// can know, so nothing further is decided until the recorded active site is another one, or serves again.
#[derive(Debug)]
pub struct Player<'a> {
    service: &'a Service,
    state: State,
    /// When the switches happened that nobody has acknowledged, Unix milliseconds; `None` before the first round.
    switches: Option<Vec<i64>>,
    last: Option<Decision>,
    left: Option<Left>,
}

/// What a switch left.
#[derive(Debug)]
struct Left {
    site: Option<SiteName>,
    trigger: Trigger,
}

impl<'a> Player<'a> {
    /// A player that remembers nothing.
    #[must_use]
    pub fn new(service: &'a Service) -> Self {
        Self { service, state: State::default(), switches: None, last: None, left: None }
    }

    /// The agent was started anew: it knows what its journal tells, and has seen nothing yet.
    pub fn restart(&mut self, now: Moment) {
        let resume = self.last.as_ref().map(|last| {
            // Only the wall clock goes on across processes.
            Resume::after(last, now.wall.saturating_sub(last.made.wall))
        });
        self.state = State::resumed(resume.unwrap_or_default());
    }

    /// Decides on one round.
    pub fn play(&mut self, mut evidence: Evidence, now: Moment) -> Played {
        let is_asked = evidence.controls.request.is_some();
        evidence.controls.switch_ages = self.switch_ages(&evidence, now);
        let (state, decision) = step(std::mem::take(&mut self.state), &evidence, self.service, now);
        self.state = state;
        self.last = Some(decision.clone());
        if self.left.as_ref().is_some_and(|left| has_ended(left, &decision, is_asked)) {
            self.left = None;
        }
        let is_after = self.left.is_some();
        if !is_after && decision.verdict == Verdict::Failover {
            self.switches.get_or_insert_default().push(now.unix_ms());
            let trigger = decision.plan.as_ref().map(|plan| plan.trigger).unwrap_or_default();
            self.left = Some(Left { site: decision.active.clone(), trigger });
        }
        Played { decision, is_after }
    }

    /// The ages of the switches. Those from before the history are the recorded ones; an acknowledgement clears all that
    /// were made before it.
    fn switch_ages(&mut self, evidence: &Evidence, now: Moment) -> Vec<Duration> {
        let controls = &evidence.controls;
        let ms = |age: Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let earlier =
            || controls.switch_ages.iter().map(|age| now.unix_ms().saturating_sub(ms(*age))).collect();
        let switches = self.switches.get_or_insert_with(earlier);
        if let Some(age) = controls.acknowledged {
            let acknowledged = now.unix_ms().saturating_sub(ms(age));
            switches.retain(|at| *at > acknowledged);
        }
        let age = |at: &i64| u64::try_from(now.unix_ms().saturating_sub(*at)).unwrap_or(0);
        switches.iter().map(|at| Duration::from_millis(age(at))).collect()
    }
}

/// Whether what led to a switch is over in the history: the outage, or a person's order.
fn has_ended(left: &Left, decision: &Decision, is_asked: bool) -> bool {
    let health = decision.health.iter().find(|(site, _)| Some(site) == left.site.as_ref());
    let serves = match health.map(|(_, health)| *health) {
        Some(Health::Healthy | Health::Degraded) => true,
        Some(Health::Failing | Health::Failed | Health::Unknown) | None => false,
    };
    let is_settled = match left.trigger {
        Trigger::Automatic => serves,
        Trigger::Operator => !is_asked,
    };
    is_settled || decision.active != left.site
}
