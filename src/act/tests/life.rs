//! One life of an agent in the world: from the ticket to the outcome, or from the restart to the outcome.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tempfile::TempDir;

use super::fuse::{Fuse, FusedJournal};
use super::world::{Event, Old, Ports, State, World};
use crate::act::{CurrentService, Hands, Metrics, Pace, Permit, Switch};
use crate::config::{Agent, Config, Rules, Service, parse};
use crate::decide::saga::Outcome;
use crate::decide::{Plan, Trigger};
use crate::lead::Term;
use crate::store::{Body, Entry, Journal as _, NewEntry, Query, SqliteJournal, Story};
use crate::types::*;

/// How often a restarted agent tries before a test gives up; each of its cycles is one try.
const LIVES_MAX: usize = 40;

/// How the sites share their data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Replication,
    /// The same, and a person moves away from a site that serves.
    Planned,
    /// The same, and a person moves away from a site that was down when they said so.
    Ordered,
    WithoutFencing,
    /// Replication, with hooks before and after.
    Hooked,
    /// Replication, promoted by a hook.
    ByHook,
    ActiveActive,
}

/// A world, a service in it, a plan for it, and the journal's folder.
pub(super) struct Stage {
    pub(super) world: Arc<World>,
    pub(super) service: Service,
    pub(super) plan: Plan,
    pub(super) folder: TempDir,
    pub(super) agent: Agent,
    pub(super) pace: Pace,
}

/// In memory where there is such a folder: thousands of lives wait for the disk otherwise.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn config(shape: Shape) -> Config {
    let (topology, promote) = match shape {
        Shape::Replication | Shape::Planned | Shape::Ordered => ("replication", "promote: {kind: replicaof}"),
        Shape::WithoutFencing => ("replication", "promote: {kind: replicaof, without_fencing: true}"),
        Shape::Hooked => (
            "replication",
            "promote: {kind: replicaof}\n    hooks: {before: [{exec: [\"/hook\"]}], after: [{exec: [\"/hook\"]}]}",
        ),
        Shape::ByHook => ("replication", "promote: {kind: exec, command: [\"/hook\"]}"),
        Shape::ActiveActive => ("active-active", ""),
    };
    let text = format!(
        "agent: {{name: a1, failure_domain: dc-b}}\ndatacenters: [{{name: dc-a}}, {{name: dc-b}}]\n\
         services:\n  - name: sessions\n    topology: {topology}\n    {promote}\n    mode: automatic\n    \
         policy: {{accept_fewer_vantages: true}}\n    canary: {{enabled: true}}\n    \
         record: {{provider: route53, zone_id: Z1, name: s.example.com, type: CNAME, ttl: 5s}}\n    sites:\n      \
         - {{datacenter: dc-a, dns_target: a.example.com, targets: [\"redis://a:6379\"]}}\n      \
         - {{datacenter: dc-b, dns_target: b.example.com, targets: [\"redis://b:6379\"]}}\n"
    );
    parse(&text, Path::new("redrover.yml"), &|_| None, Rules::Agent).unwrap().config
}

impl Stage {
    pub(super) fn new(shape: Shape, arrange: fn(&mut State)) -> Self {
        let Config { agent, services, .. } = config(shape);
        let service = services.into_iter().next().unwrap();
        let site = |name| SiteName::new(name).unwrap();
        let text = "v=1;owner=a1;epoch=7;active=dc-a;from=dc-a;at=1;decision=adopt";
        let expected = RecordState {
            record: Some(ResourceSet::single(5, "a.example.com")),
            fence: Some(ResourceSet::single(5, text)),
        };
        let role = if shape == Shape::ActiveActive { Role::Primary } else { Role::Replica };
        let world = Arc::new(World::new(expected.clone(), site("dc-b"), role));
        let is_planned = shape == Shape::Planned;
        if is_planned {
            world.state().old = Old::Healthy;
        }
        arrange(&mut world.state());
        let now = world.now().unix_ms();
        let plan = Plan {
            decision: "d-1".to_owned(),
            service: service.name.clone(),
            from: site("dc-a"),
            to: site("dc-b"),
            expected,
            fence: Fence::parse(text).unwrap(),
            to_values: ["b.example.com".to_owned()].into(),
            ttl_seconds: 5,
            made_unix_ms: now,
            // A long life, so that the pause is over first.
            expires_unix_ms: now + if is_planned { 300_000 } else { 60_000 },
            promotes: shape != Shape::ActiveActive,
            trigger: match shape {
                Shape::Planned | Shape::Ordered => Trigger::Operator,
                _ => Trigger::Automatic,
            },
            lossless: is_planned,
        };
        let folder = folder();
        Self { world, service, plan, folder, agent, pace: Pace::default() }
    }

    /// The ports of a new process; its journal is opened from disk.
    pub(super) fn hands(&self, fuse: &Arc<Fuse>, fails_from: usize) -> Hands {
        let ports = || Ports { world: Arc::clone(&self.world), fuse: Arc::clone(fuse) };
        let current = CurrentService::new(Arc::new(self.service.clone()));
        let journal = FusedJournal {
            current: current.clone(),
            service: self.service.clone(),
            inner: SqliteJournal::open(self.folder.path()).unwrap(),
            fuse: Arc::clone(fuse),
            world: Arc::clone(&self.world),
            fails_from,
            writes: Mutex::new(0),
        };
        Hands {
            journal: Arc::new(journal),
            dns: Arc::new(ports()),
            promote: Arc::new(ports()),
            eyes: Arc::new(ports()),
            look_deadline: Duration::from_millis(300),
            election: Arc::new(ports()),
            clock: Arc::clone(&self.world) as Arc<dyn Clock>,
            current,
            metrics: Metrics::register(&mut Registry::default()),
        }
    }

    /// The first life: intent, permit, switch. `None` when it died or could not write any more.
    pub(super) async fn live(&self, fuse: &Arc<Fuse>, fails_from: usize) -> Option<Outcome> {
        let hands = self.hands(fuse, fails_from);
        let life = async {
            let body = Body::Ticketed { plan: Box::new(self.plan.clone()) };
            let entry = self.entry(body);
            let ticket = hands.journal.ticket(entry, self.plan.clone()).await.ok()?;
            let (now, delay) = (hands.clock.now(), self.world.state().delay);
            let limit = self.world.state().term;
            self.world.state().term_ends = limit.map(|limit| now.plus(limit));
            let term = Term { number: 1, until: None };
            let permit = Permit::grant(ticket, term, &hands).await.ok()?;
            tokio::time::advance(delay).await;
            let turn = self.pace.turn().await;
            Switch::run(&hands, &self.service, &self.agent, permit, turn).await.ok().flatten()
        };
        fuse.run(life).await.flatten()
    }

    /// One life after a restart: it goes on with what is unfinished, once.
    pub(super) async fn go_on(&self, fuse: &Arc<Fuse>) -> Option<Outcome> {
        self.world.state().is_unreadable = false;
        let unfinished = self.story().await.unfinished?;
        let hands = self.hands(fuse, usize::MAX);
        let life = Switch::resume(&hands, &self.service, &self.agent, &unfinished);
        fuse.run(life).await.and_then(|ended| ended.expect("the journal takes entries"))
    }

    /// Restarts until nothing is unfinished.
    pub(super) async fn settle(&self) -> Story {
        for _ in 0..LIVES_MAX {
            let story = self.story().await;
            if story.unfinished.is_none() {
                return story;
            }
            self.go_on(&Arc::new(Fuse::default())).await;
        }
        panic!("still unfinished after {LIVES_MAX} restarts: {:?}", self.world.events());
    }

    pub(super) async fn entries(&self) -> Vec<Entry> {
        let journal = SqliteJournal::open(self.folder.path()).unwrap();
        journal.read(Query::default()).await.unwrap()
    }

    pub(super) async fn story(&self) -> Story {
        let mut story = Story::default();
        self.entries().await.iter().for_each(|entry| story.tell(entry));
        story
    }

    /// The last outcome in the journal.
    pub(super) async fn outcome(&self) -> Option<Outcome> {
        self.entries().await.into_iter().rev().find_map(|entry| match entry.body {
            Body::Ended { outcome, .. } => Some(outcome),
            _ => None,
        })
    }

    pub(super) fn entry(&self, body: Body) -> NewEntry {
        let at_unix_ms = self.world.now().unix_ms();
        NewEntry { at_unix_ms, service: self.service.name.clone(), incident: None, body }
    }

    /// How often the record itself was changed.
    pub(super) fn record_changes(&self) -> usize {
        let mut last = self.world.state().first.record.clone();
        let mut count = 0;
        for event in self.world.events() {
            if let Event::Changed(state) = event {
                count += usize::from(state.record != last);
                last = state.record;
            }
        }
        count
    }

    /// What holds after every scenario and every death.
    pub(super) fn check(&self, why: &str) {
        let events = self.world.events();
        let shown = || format!("{why}:\n{events:#?}");
        let before = |at: usize, word: &str| events[..at].contains(&Event::Wrote(word.to_owned()));
        // What a person orders to leave may serve; none of its writes is lost then, see `Event::Lost`.
        let is_automatic = self.plan.trigger == Trigger::Automatic;
        let served = |at: usize| is_automatic && events[..at].contains(&Event::Served);
        let mut epoch = self.plan.fence.epoch;
        let mut promotions = 0;
        for point in ["before", "after"] {
            let calls = events.iter().filter(|event| **event == Event::Hooked(point)).count();
            assert!(calls <= 1, "hooks {point} it were called {calls} times: {}", shown());
        }
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::Changed(state) => {
                    assert!(state.record.as_ref().is_some_and(|s| !s.values.is_empty()), "{}", shown());
                    let fence = Fence::from_set(state.fence.as_ref().expect("never empty")).expect("whole");
                    assert!(fence.epoch > epoch, "the epoch must rise: {}", shown());
                    epoch = fence.epoch;
                    assert!(before(at, "ticketed"), "done before it was written: {}", shown());
                    if state.record != self.plan.expected.record {
                        assert!(!served(at), "left although it served: {}", shown());
                        assert!(before(at, "prove"), "switched to a target that proved nothing: {}", shown());
                        assert!(!self.plan.promotes || promotions == 1, "not promoted: {}", shown());
                        let needs_hook = !self.service.hooks.before.is_empty();
                        assert!(!needs_hook || before(at, "prepare"), "no hook was called: {}", shown());
                    }
                }
                Event::Promoted { fence } => {
                    promotions += 1;
                    assert!(!served(at), "promoted although the old primary served: {}", shown());
                    let fence = Fence::parse(fence).expect("whole");
                    assert_eq!(fence.intent, Some(self.plan.to.clone()), "not claimed: {}", shown());
                    assert_eq!(fence.decision, self.plan.decision, "not claimed by us: {}", shown());
                    assert!(before(at, "claim") && before(at, "recheck"), "{}", shown());
                    assert!(before(at, "fence"), "promoted before the old primary was fenced: {}", shown());
                }
                Event::Lost => panic!("acknowledged writes are lost: {}", shown()),
                Event::Wrote(_)
                | Event::Failed
                | Event::Foreign
                | Event::Fenced
                | Event::Hooked(_)
                | Event::Served => {}
            }
        }
        assert!(promotions <= 1, "promoted {promotions} times: {}", shown());
        assert!(self.record_changes() <= 1, "the record was changed twice: {}", shown());
    }

    /// What holds once nothing is unfinished.
    pub(super) async fn check_end(&self, why: &str) {
        self.check(why);
        let story = self.story().await;
        assert_eq!(story.unfinished, None, "{why}");
        let outcome = self.outcome().await;
        let record = self.world.state().record.clone();
        let roles = self.world.state().roles.clone();
        let shown = || format!("{why}: {outcome:?}, {record:?}, {:#?}", self.world.events());
        let is_at = |value: &str| record.record == Some(ResourceSet::single(5, value));
        match &outcome {
            Some(Outcome::Switched) => {
                assert!(is_at("b.example.com") && !story.switches.is_empty(), "{}", shown());
                assert!(roles.iter().all(|role| *role == Role::Primary), "{}", shown());
            }
            Some(Outcome::Abandoned { .. }) => {
                assert!(is_at("a.example.com"), "{}", shown());
                let is_untouched = roles.iter().all(|role| *role == Role::Replica);
                assert!(is_untouched || !self.plan.promotes, "abandoned, yet promoted: {}", shown());
                assert!(!self.world.is_paused(), "abandoned, yet paused: {}", shown());
                let fence = Fence::from_set(record.fence.as_ref().unwrap()).unwrap();
                assert!(fence.intent.is_none(), "the claim still stands: {}", shown());
                assert_eq!(story.epoch.unwrap_or(fence.epoch), fence.epoch, "{}", shown());
            }
            Some(Outcome::Cleared) => panic!("no plan here only clears: {}", shown()),
            Some(Outcome::PromotedNotSwitched { .. }) => {
                assert!(story.halted.is_some() && self.plan.promotes, "{}", shown());
            }
            Some(Outcome::Foreign { .. }) => assert!(story.halted.is_some(), "{}", shown()),
            None => assert!(self.record_changes() == 0, "{}", shown()),
        }
    }
}
