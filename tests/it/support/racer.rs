//! One agent's switch in this process, at a real DNS provider, with Redis that do as they are told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use prometheus_client::registry::Registry;
use redrover::act::dns::route53::Route53Dns;
use redrover::act::dns::{Dns, open};
use redrover::act::{self, CurrentService, Hands, Pace, Permit, Promote, PromoteError, Switch};
use redrover::config::{Config, Provider, Topology, load};
use redrover::decide::saga::{Fencing, Outcome};
use redrover::decide::{Plan, Trigger, fence_of};
use redrover::lead::{Solo, Term};
use redrover::monitor::{SiteClient, WriteCanary};
use redrover::store::{Body, MemoryJournal, NewEntry};
use redrover::types::{
    AgentName, CanaryResult, Clock, Facts, Gap, GapReason, Link, Role, SiteName, Snapshot, Surroundings,
    SystemClock, TargetName, TargetSnapshot,
};

use super::agent::Setup;

/// Both sites' Redis: the old primary refuses, the target is what it was made.
#[derive(Clone)]
pub struct Redis(Arc<Mutex<Roles>>);

struct Roles {
    target: String,
    is_primary: bool,
    promotions: usize,
}

impl Redis {
    /// Redis before the first race.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Roles { target: "dc-b".to_owned(), is_primary: false, promotions: 0 })))
    }

    /// A race towards a site begins; where nobody promotes, its Redis is a primary already.
    pub fn begin(&self, to: &str, promotes: bool) {
        *self.roles() = Roles { target: to.to_owned(), is_primary: !promotes, promotions: 0 };
    }

    /// How often the target of this race was promoted.
    pub fn promotions(&self) -> usize {
        self.roles().promotions
    }

    fn roles(&self) -> MutexGuard<'_, Roles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn target() -> TargetName {
    TargetName::new("redis://127.0.0.1:1").expect("a name")
}

#[async_trait]
impl Promote for Redis {
    async fn fence(&self, _: &SiteName, _: Duration) -> Result<Vec<Fencing>, PromoteError> {
        Ok(vec![Fencing::Gone])
    }

    async fn release(&self, _: &SiteName) {}

    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError> {
        let site = &plan.to;
        let mut roles = self.roles();
        if roles.target != site.as_str() {
            return Err(PromoteError::UnknownSite(site.clone()));
        }
        roles.promotions += 1;
        roles.is_primary = true;
        Ok(())
    }
}

#[async_trait]
impl SiteClient for Redis {
    async fn look(&self, site: &SiteName, _: Duration, canary: WriteCanary) -> Snapshot {
        let roles = self.roles();
        let seen = match roles.target == site.as_str() {
            false => {
                TargetSnapshot::blind(target(), Gap::new(GapReason::Refused, "it is gone"), Duration::ZERO)
            }
            true => {
                let link = Link { up: false, source: "127.0.0.1:2".to_owned(), syncing: false };
                let facts = Facts {
                    role: Some(if roles.is_primary { Role::Primary } else { Role::Replica }),
                    link: (!roles.is_primary).then_some(link),
                    loading: Some(false),
                    persistence_ok: Some(true),
                    ..Facts::default()
                };
                let canary = match (canary, roles.is_primary) {
                    (WriteCanary::Skip, _) => CanaryResult::NotAsked,
                    (WriteCanary::Write, true) => CanaryResult::Written(Duration::ZERO),
                    (WriteCanary::Write, false) => {
                        CanaryResult::Failed(Gap::new(GapReason::Readonly, "a replica"))
                    }
                };
                let (ping, elapsed) = (Ok(Duration::ZERO), Duration::ZERO);
                TargetSnapshot {
                    target: target(),
                    ping,
                    facts: Ok(facts),
                    canary,
                    samples: Vec::new(),
                    elapsed,
                }
            }
        };
        let taken = SystemClock::new().now();
        Snapshot {
            site: site.clone(),
            taken,
            targets: vec![seen],
            control: None,
            domain: Vec::new(),
            anomaly: None,
        }
    }

    async fn surroundings(&self, _: Duration) -> Surroundings {
        Surroundings::default()
    }
}

/// One agent.
pub struct Racer {
    hands: Hands,
    config: Config,
}

impl Racer {
    /// An agent of this name, with a journal of its own.
    pub async fn new(setup: &Setup, name: &str, redis: &Redis) -> Self {
        let mut config = load(&setup.config_file(), &|_| None).expect("it loads").config;
        config.agent.name = AgentName::new(name).expect("a name");
        let record = &config.services[0].record;
        let dns: Arc<dyn Dns> = match &record.provider {
            Provider::Route53(place) => {
                let credentials =
                    aws_sdk_route53::config::Credentials::new("AKID", "key", None, None, "test");
                Arc::new(Route53Dns::connect_with(record, place, credentials).await.expect("a provider"))
            }
            Provider::Rfc2136(_) | Provider::CloudDns(_) | Provider::Embedded => {
                open(record, None).await.expect("a provider")
            }
        };
        let hands = Hands {
            journal: Arc::new(MemoryJournal::new()),
            dns,
            promote: Arc::new(redis.clone()),
            eyes: Arc::new(redis.clone()),
            look_deadline: Duration::from_millis(500),
            election: Arc::new(Solo),
            clock: Arc::new(SystemClock::new()),
            current: CurrentService::new(Arc::new(config.services[0].clone())),
            metrics: act::Metrics::register(&mut Registry::default()),
        };
        Self { hands, config }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.config.agent.name.as_str()
    }

    /// Its provider.
    pub fn dns(&self) -> &dyn Dns {
        &*self.hands.dns
    }

    /// A switch, as this agent would decide it from the record as it stands.
    pub async fn plan(&self, from: &str, to: &str, promotes: bool) -> Plan {
        let service = &self.config.services[0];
        let site = |name: &str| service.sites.iter().find(|site| site.name.as_str() == name).expect("a site");
        let expected = self.hands.dns.read().await.expect("it can be read");
        let fence = fence_of(&expected).expect("it is whole").expect("it was adopted");
        let made_unix_ms = self.hands.clock.now().unix_ms();
        Plan {
            decision: format!("d-{}-{}", self.config.agent.name, fence.epoch),
            service: service.name.clone(),
            from: site(from).name.clone(),
            to: site(to).name.clone(),
            expected,
            fence,
            to_values: service.values_of(site(to)),
            ttl_seconds: service.record.ttl_seconds,
            made_unix_ms,
            expires_unix_ms: made_unix_ms + 60_000,
            promotes,
            trigger: Trigger::Automatic,
            lossless: false,
        }
    }

    /// Carries it out.
    pub async fn run(&self, plan: Plan) -> Outcome {
        // Each race is a story of its own: whoever lost the last one was halted by it.
        let hands = &Hands { journal: Arc::new(MemoryJournal::new()), ..self.hands.clone() };
        let agent = &self.config.agent;
        let mut service = self.config.services[0].clone();
        if !plan.promotes {
            (service.topology, service.promote) = (Topology::ActiveActive, None);
        }
        let body = Body::Ticketed { plan: Box::new(plan.clone()) };
        let entry =
            NewEntry { at_unix_ms: plan.made_unix_ms, service: service.name.clone(), incident: None, body };
        let ticket = hands.journal.ticket(entry, plan).await.expect("it is durable");
        let permit = Permit::grant(ticket, Term { number: 1, until: None }, hands).await.expect("permitted");
        let outcome = Switch::run(hands, &service, agent, permit, Pace::default().turn().await)
            .await
            .expect("it is durable");
        outcome.expect("it can be told")
    }
}
