//! A Prometheus outside the active site's datacenter, for worlds whose alerts come by themselves.

use std::sync::Arc;
use std::time::Duration;

use super::alertmanager::Alertmanager;
use super::language::{Fingerprint, Token, Webhook, Who};
use super::world::World;
use crate::types::AlertState;

/// Time from one evaluation to the next.
const INTERVAL: Duration = Duration::from_secs(5);
/// An alert fires, or resolves, after it has been due for so long.
const HOLD: Duration = Duration::from_secs(30);
/// More failing requests than this are an outage.
const FAILING_MAX: f64 = 0.4;

/// The alert about one service.
#[derive(Debug, Clone, Default)]
struct Rule {
    /// The member that it speaks of.
    member: usize,
    is_firing: bool,
    /// Since when what is so differs from what was said.
    since: Option<Duration>,
}

/// The watchman.
pub(super) struct Watchman {
    world: Arc<World>,
    next: Duration,
    rules: Vec<Rule>,
}

impl Watchman {
    pub(super) fn new(world: Arc<World>) -> Self {
        let rules = vec![Rule::default(); world.layout.services.len()];
        Self { world, next: INTERVAL, rules }
    }

    /// When it looks next.
    pub(super) fn next(&self) -> Duration {
        self.next
    }

    /// Looks at every service, and tells Alertmanager what has been so for long enough.
    pub(super) fn look(&mut self, alertmanager: &mut Alertmanager) {
        let now = self.world.now();
        self.next = now + INTERVAL;
        for service in 0..self.rules.len() {
            let (named, failing) = {
                let state = self.world.state();
                let named = state.found_by_clients(service, now);
                (named, named.map_or(1.0, |member| state.failing(service, member, now)))
            };
            let rule = &mut self.rules[service];
            let is_due = failing > FAILING_MAX;
            if is_due == rule.is_firing {
                rule.since = None;
                continue;
            }
            let since = *rule.since.get_or_insert(now);
            if now.saturating_sub(since) < HOLD {
                continue;
            }
            rule.is_firing = is_due;
            rule.since = None;
            if is_due {
                rule.member = named.unwrap_or(rule.member);
            }
            let site = Some(self.world.layout.member_name(rule.member).clone());
            let state = if is_due { AlertState::Firing } else { AlertState::Resolved };
            alertmanager.post(&Webhook {
                to: vec![Who::All],
                alert: "RedisDown".to_owned(),
                state,
                site,
                starts: None,
                token: Token::Good,
                times: 1,
                over: Duration::ZERO,
                fingerprint: Fingerprint::Same,
                service: Some(service),
                body: None,
            });
        }
    }
}
