//! A small world that is recorded as an agent records it: equal decisions are counted up on one entry.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Rules, Service, parse};
use crate::decide::{
    Controls, Crowd, Decision, Evidence, FiringAlert, Leadership, RecordReading, Reliability, Resume, State,
    step,
};
use crate::replay::{Account, History, JournalHistory, Outage, Span, Stretch, replay};
use crate::store::{Body, Journal as _, MemoryJournal, NewEntry};
use crate::types::{
    AgentName, AlertKey, CanaryResult, Facts, Fence, Gap, GapReason, Link, Moment, RecordState, RecordView,
    ResourceSet, Role, SiteName, Snapshot, Surroundings, TargetName, TargetSnapshot,
};

/// The first moment of every story, Unix seconds.
pub(super) const BEGIN: u64 = 1_800_000_000;
pub(super) const INTERVAL: Duration = Duration::from_secs(5);
/// What the primary writes in one round, bytes.
const ROUND_BYTES: u64 = 1000;

const CONFIG: &str = "
agent: {name: a1, failure_domain: office, vantages: []}
global: {probe_interval: 5s, probe_timeout: 1s}
datacenters: [{name: dc-a}, {name: dc-b}]
services:
  - name: sessions
    topology: replication
    mode: automatic
    record: {provider: route53, zone_id: Z1, name: sessions.example.test, type: CNAME, ttl: 5s}
    sites:
      - {datacenter: dc-a, dns_target: a.example.test, targets: ['redis://dc-a:6379']}
      - {datacenter: dc-b, dns_target: b.example.test, targets: ['redis://dc-b:6379']}
    promote: {kind: replicaof}
    canary: {enabled: true}
    policy: {accept_fewer_vantages: true}
";

pub(in crate::replay) fn config() -> Config {
    parse(CONFIG, Path::new("redrover.yml"), &|_| None, Rules::Agent).unwrap().config
}

/// The service of the tests: automatic, with a window of 20 s and 4 rounds.
pub(in crate::replay) fn service() -> Service {
    config().services.remove(0)
}

pub(super) fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

/// A world with an agent in it that writes down what it decides.
pub(super) struct Recorder {
    pub(super) journal: Arc<MemoryJournal>,
    pub(super) now: Moment,
    pub(super) service: Service,
    /// The primary of dc-a does not run.
    pub(super) is_down: bool,
    pub(super) has_evidence: bool,
    pub(super) controls: Controls,
    state: State,
    last: Option<(u64, Decision)>,
    active: &'static str,
    sent_bytes: u64,
}

impl Recorder {
    pub(super) fn new(service: Service) -> Self {
        Self {
            journal: Arc::default(),
            now: Moment { mono: Duration::from_secs(3), wall: Duration::from_secs(BEGIN) },
            service,
            is_down: false,
            has_evidence: true,
            controls: Controls {
                is_durable: true,
                leadership: Leadership::Leads,
                known_epoch: Some(1),
                ..Controls::default()
            },
            state: State::default(),
            last: None,
            active: "dc-a",
            sent_bytes: 1_000_000,
        }
    }

    /// So many rounds.
    pub(super) async fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.now = self.now.plus(INTERVAL);
            self.sent_bytes += ROUND_BYTES;
            let evidence = self.evidence();
            let (state, decision) = step(self.state.clone(), &evidence, &self.service, self.now);
            self.state = state;
            self.write(evidence, decision).await;
        }
    }

    /// The agent is gone for a while, and another process takes its place.
    pub(super) fn restart(&mut self, away: Duration) {
        self.now = Moment { mono: Duration::from_secs(3), wall: self.now.plus(away).wall };
        let resume = self.last.take().map(|(_, last)| Resume::after(&last, away));
        self.state = State::resumed(resume.unwrap_or_default());
    }

    /// The name moves to dc-b, whose Redis is a primary from now on.
    pub(super) fn switch(&mut self) {
        self.active = "dc-b";
        self.controls.known_epoch = Some(3);
        self.controls.switch_ages.push(Duration::ZERO);
    }

    async fn write(&mut self, evidence: Evidence, decision: Decision) {
        if let Some((seq, last)) = &mut self.last
            && decision.plan.is_none()
            && decision.closing.is_none()
            && last.says_the_same(&decision)
        {
            self.journal.repeat(*seq, decision.made.unix_ms()).await.unwrap();
            *last = decision;
            return;
        }
        let evidence = self.has_evidence.then(|| Box::new(evidence.abridged()));
        let entry = NewEntry {
            at_unix_ms: decision.made.unix_ms(),
            service: decision.service.clone(),
            incident: decision.incident.clone(),
            body: Body::Decided { decision: Box::new(decision.clone()), evidence },
        };
        let seqs = self.journal.append(vec![entry]).await.unwrap();
        self.last = Some((seqs[0], decision));
    }

    fn evidence(&self) -> Evidence {
        let key = AlertKey { fingerprint: "f1".to_owned(), starts_at: "2026-01-01T00:00:00Z".to_owned() };
        let alert = FiringAlert { key, name: "RedisDown".to_owned(), site: None, age: Duration::ZERO };
        Evidence {
            agent: AgentName::new("a1").unwrap(),
            failure_domain: site("office"),
            snapshots: ["dc-a", "dc-b"].map(|name| self.snapshot(name)).into(),
            probe_timeout: Duration::from_secs(1),
            probe_interval: INTERVAL,
            vantages: Vec::new(),
            surroundings: Surroundings::default(),
            crowd: Crowd::default(),
            reliability: Reliability::default(),
            alerts: if self.is_down { vec![alert] } else { Vec::new() },
            record: self.record(),
            controls: self.controls.clone(),
        }
    }

    fn snapshot(&self, name: &str) -> Snapshot {
        let target = TargetName::new(format!("redis://{name}:6379")).unwrap();
        let is_primary = name == self.active;
        let link = Link { up: !self.is_down, source: "dc-a:6379".to_owned(), syncing: false };
        let facts = Facts {
            role: Some(if is_primary { Role::Primary } else { Role::Replica }),
            link: (!is_primary).then_some(link),
            loading: Some(false),
            // The replica is always a little behind.
            offset_bytes: Some(self.sent_bytes - if is_primary { 0 } else { 100 }),
            replication_id: Some("history-1".to_owned()),
            memory_used_bytes: Some(1 << 30),
            memory_max_bytes: Some(4 << 30),
            persistence_ok: Some(true),
            ..Facts::default()
        };
        let took = Duration::from_millis(1);
        let gap = Gap::new(GapReason::Refused, "nobody listens");
        let seen = TargetSnapshot {
            target: target.clone(),
            ping: Ok(took),
            facts: Ok(facts),
            canary: if is_primary { CanaryResult::Written(took) } else { CanaryResult::NotAsked },
            samples: Vec::new(),
            elapsed: took,
        };
        let seen =
            if self.is_down && name == "dc-a" { TargetSnapshot::blind(target, gap, took) } else { seen };
        Snapshot {
            site: site(name),
            taken: self.now,
            targets: vec![seen],
            control: None,
            domain: Vec::new(),
            anomaly: None,
        }
    }

    fn record(&self) -> RecordReading {
        let fence = Fence {
            owner: AgentName::new("a1").unwrap(),
            epoch: self.controls.known_epoch.unwrap_or(0),
            active: site(self.active),
            from: site("dc-a"),
            at: BEGIN,
            decision: "earlier".to_owned(),
            intent: None,
        };
        let value = if self.active == "dc-a" { "a.example.test" } else { "b.example.test" };
        let state = RecordState {
            record: Some(ResourceSet::single(5, value)),
            fence: Some(ResourceSet::single(5, fence.to_string())),
        };
        RecordReading::Seen(RecordView { state, read: self.now })
    }
}

pub(super) fn whole() -> Span {
    let begin = i64::try_from(BEGIN).unwrap() * 1000;
    Span::new(begin, begin + 86_400_000, INTERVAL)
}

/// All stretches of a journal.
pub(super) async fn stretches(recorder: &Recorder) -> (Vec<Stretch>, u64) {
    let mut history = JournalHistory::new(recorder.journal.clone(), recorder.service.name.clone(), whole());
    let mut all = Vec::new();
    while let Some(stretch) = history.next().await.unwrap() {
        all.push(stretch);
    }
    (all, history.without_evidence())
}

/// What a policy makes of a journal.
pub(super) async fn replayed(recorder: &Recorder, service: &Service, outages: Option<&[Outage]>) -> Account {
    let history = JournalHistory::new(recorder.journal.clone(), service.name.clone(), whole());
    let mut history = History::Journal(Box::new(history));
    replay(service, &mut history, whole(), outages, INTERVAL, &mut |_| ()).await.unwrap()
}
