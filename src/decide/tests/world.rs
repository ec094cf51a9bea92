//! A small world: sites with one Redis each, a record, an alert, and a clock that moves from round to round.

use std::time::Duration;

use crate::config::{
    Address, Mode, Policy, Promote, Provider, Record, Service, Site, Target, Topology, Weights,
};
use crate::decide::{
    AlertLevel, Controls, Crowd, Decision, Evidence, FiringAlert, Leadership, RecordReading, Reliability,
    State, Verdict, step,
};
use crate::types::{
    AgentName, AlertKey, CanaryResult, Check, ControlPlane, Facts, Fence, Gap, GapReason, Link, Moment,
    Ratio, RecordName, RecordState, RecordType, RecordView, ResourceSet, Role, ServiceName, SiteName,
    Snapshot, Surroundings, TargetName, TargetSnapshot, VantageAnswer, VantageReport, Vote,
};

/// What the primary usually writes within one round, bytes: 200 for each second of the usual interval.
pub(super) const ROUND_BYTES: u64 = 1000;
pub(super) const GIB: u64 = 1 << 30;

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(super) fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

pub(super) fn gap(reason: GapReason) -> Gap {
    Gap::new(reason, "said so")
}

pub(super) fn ratio(number: f64) -> Ratio {
    Ratio::new(number).unwrap()
}

pub(super) fn alert(fingerprint: &str, age: Duration) -> FiringAlert {
    let key = AlertKey { fingerprint: fingerprint.to_owned(), starts_at: "2026-01-01T00:00:00Z".to_owned() };
    FiringAlert { key, name: format!("RedisDown-{fingerprint}"), site: None, age }
}

pub(super) fn agent(name: &str) -> AgentName {
    AgentName::new(name).unwrap()
}

/// A vantage that answers, and how badly dc-a fails for it. What is down for it is silent.
pub(super) fn vantage(domain: &str, severity: Option<f64>) -> VantageAnswer {
    let vote = Vote {
        site: site("dc-a"),
        severity: severity.map(ratio),
        is_silent: severity.is_none_or(|s| s > 0.0),
        is_domain_silent: None,
    };
    VantageAnswer {
        agent: agent(&format!("agent-{domain}")),
        failure_domain: site(domain),
        said: Ok(VantageReport { wall: secs(1_800_000_000), votes: vec![vote] }),
    }
}

/// The kinds of a decision's reasons.
pub(super) fn reasons(decision: &Decision) -> Vec<&'static str> {
    decision.reasons.iter().map(crate::decide::Reason::label).collect()
}

/// The kinds of what stands against acting.
pub(super) fn vetoes(decision: &Decision) -> Vec<&'static str> {
    decision.vetoes.iter().map(|v| v.reason.label()).collect()
}

/// Asserts verdict, level and the kinds of all reasons.
#[track_caller]
pub(super) fn expect(decision: &Decision, verdict: Verdict, level: AlertLevel, kinds: &[&str]) {
    let told = (decision.verdict, decision.level, reasons(decision));
    assert_eq!(
        told,
        (verdict, level, kinds.to_vec()),
        "vetoes {:?}, {:?}",
        vetoes(decision),
        decision.confidence
    );
    assert_eq!(decision.plan.is_some(), verdict == Verdict::Failover, "a plan comes with a failover only");
}

/// One Redis, and so one site.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) site: SiteName,
    pub(super) ping: Result<Duration, Gap>,
    pub(super) facts: Result<Facts, Gap>,
    pub(super) canary: CanaryResult,
    pub(super) control: Option<Result<ControlPlane, Gap>>,
    pub(super) domain: Vec<Check>,
    pub(super) anomaly: Option<Ratio>,
}

impl Node {
    fn new(name: &str, role: Role) -> Self {
        let is_primary = role == Role::Primary;
        let link = Link { up: true, source: "10.0.0.1:6379".to_owned(), syncing: false };
        let facts = Facts {
            role: Some(role),
            link: (!is_primary).then_some(link),
            loading: Some(false),
            offset_bytes: Some(0),
            replication_id: Some("history-1".to_owned()),
            memory_used_bytes: Some(GIB),
            memory_max_bytes: Some(4 * GIB),
            memory_system_bytes: Some(16 * GIB),
            persistence_ok: Some(true),
            ..Facts::default()
        };
        let canary = if is_primary { CanaryResult::Written(millis(2)) } else { CanaryResult::NotAsked };
        Self {
            site: site(name),
            ping: Ok(millis(1)),
            facts: Ok(facts),
            canary,
            control: None,
            domain: Vec::new(),
            anomaly: None,
        }
    }

    /// Every look meets the same gap.
    pub(super) fn fail(&mut self, reason: GapReason) {
        self.ping = Err(gap(reason));
        self.facts = Err(gap(reason));
        self.canary = CanaryResult::NotAsked;
    }

    pub(super) fn facts(&mut self) -> &mut Facts {
        self.facts.as_mut().unwrap()
    }

    pub(super) fn seen(&self) -> TargetSnapshot {
        TargetSnapshot {
            target: TargetName::new(format!("redis://{}:6379", self.site)).unwrap(),
            ping: self.ping.clone(),
            facts: self.facts.clone(),
            canary: self.canary.clone(),
            samples: Vec::new(),
            elapsed: millis(3),
        }
    }
}

/// Everything a decision can depend on.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) service: Service,
    pub(super) nodes: Vec<Node>,
    pub(super) evidence: Evidence,
    pub(super) state: State,
    pub(super) now: Moment,
    /// How far the replicas are behind, bytes of the stream.
    pub(super) behind_bytes: u64,
    /// What the primary writes within one round, bytes.
    pub(super) round_bytes: u64,
    /// How long the looks take, where not as usual.
    pub(super) late: Option<Duration>,
    /// By how much the wall clocks of the other vantages differ from this agent's.
    pub(super) clock_offset: Duration,
    /// One vantage's clock differs by so much more.
    pub(super) strange_clock: Option<(SiteName, Duration)>,
    sent_bytes: u64,
}

impl World {
    /// Two sites, dc-a active and dc-b its replica; the agent watches from a third place, and fewer than three vantages are
    /// accepted.
    pub(super) fn replication() -> Self {
        let nodes = vec![Node::new("dc-a", Role::Primary), Node::new("dc-b", Role::Replica)];
        Self::new(Topology::Replication, nodes)
    }

    /// Three sites that all take writes, dc-a active.
    pub(super) fn active_active() -> Self {
        let nodes = ["dc-a", "dc-b", "dc-c"].map(|name| Node::new(name, Role::Primary));
        Self::new(Topology::ActiveActive, nodes.to_vec())
    }

    /// Two sites, dc-a active; the destination of a Replica Of calls itself a primary.
    pub(super) fn pair(topology: Topology) -> Self {
        match topology {
            Topology::Replication => Self::replication(),
            Topology::ActiveActive | Topology::ReplicaOf => {
                Self::new(topology, ["dc-a", "dc-b"].map(|name| Node::new(name, Role::Primary)).to_vec())
            }
        }
    }

    fn new(topology: Topology, nodes: Vec<Node>) -> Self {
        let service = service(topology, &nodes);
        let now = Moment { mono: secs(1000), wall: secs(1_800_000_000) };
        let controls = Controls {
            is_durable: true,
            leadership: Leadership::Leads,
            known_epoch: Some(7),
            ..Controls::default()
        };
        let evidence = Evidence {
            snapshots: Vec::new(),
            agent: agent("a1"),
            failure_domain: site("dc-z"),
            probe_timeout: secs(1),
            probe_interval: secs(5),
            vantages: Vec::new(),
            surroundings: Surroundings::default(),
            crowd: Crowd::default(),
            reliability: Reliability::default(),
            alerts: Vec::new(),
            record: RecordReading::Unread("not yet".to_owned()),
            controls,
        };
        let mut world = Self {
            service,
            nodes,
            evidence,
            state: State::default(),
            now,
            behind_bytes: 0,
            round_bytes: ROUND_BYTES,
            late: None,
            clock_offset: Duration::ZERO,
            strange_clock: None,
            sent_bytes: 1_000_000,
        };
        world.record("dc-a.redis.test", Some(&fence("dc-a", "dc-a", 7)));
        world
    }

    /// The same world after so many healthy rounds that the standby's stability costs little.
    pub(super) fn warmed(mut self) -> Self {
        self.rounds(30);
        self
    }

    /// The same world with an alert about it.
    pub(super) fn alerted(mut self) -> Self {
        self.evidence.alerts = vec![alert("f1", Duration::ZERO)];
        self
    }

    pub(super) fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|n| n.site.as_str() == name).unwrap()
    }

    /// A Redis fails for all who look; its replicas lose their link.
    pub(super) fn kill(&mut self, name: &str, reason: GapReason) {
        self.node(name).fail(reason);
        self.link(false);
    }

    /// So many failure domains have a vantage; those named say how badly dc-a fails, the others say nothing.
    pub(super) fn vantages(&mut self, configured: usize, votes: &[(&str, Option<f64>)]) {
        let mut vantages: Vec<VantageAnswer> = votes.iter().map(|(domain, s)| vantage(domain, *s)).collect();
        for number in 0.. {
            self.evidence.vantages = vantages.clone();
            if self.evidence.vantages_configured() >= configured {
                break;
            }
            let said = Err(gap(GapReason::Timeout));
            let silent = VantageAnswer { said, ..vantage(&format!("dc-mute-{number}"), None) };
            vantages.push(silent);
        }
    }

    /// Sets the link of all replicas.
    pub(super) fn link(&mut self, up: bool) {
        for node in &mut self.nodes {
            if let Some(link) = node.facts.as_mut().ok().and_then(|f| f.link.as_mut()) {
                link.up = up;
            }
        }
    }

    /// A Redis is as it was at the beginning.
    pub(super) fn mend(&mut self, name: &str, role: Role) {
        *self.node(name) = Node::new(name, role);
    }

    /// What the provider holds: the record's value and the text of the fence.
    pub(super) fn record(&mut self, value: &str, fence: Option<&str>) {
        let state = RecordState {
            record: Some(ResourceSet::single(5, value)),
            fence: fence.map(|text| ResourceSet::single(60, text)),
        };
        self.evidence.record = RecordReading::Seen(RecordView { state, read: self.now });
    }

    /// One interval passes, and everything is looked at.
    pub(super) fn round(&mut self) -> Decision {
        self.now = self.now.plus(self.evidence.probe_interval);
        self.look()
    }

    /// So many rounds; the last decision.
    pub(super) fn rounds(&mut self, count: usize) -> Decision {
        let mut decisions: Vec<Decision> = (0..count).map(|_| self.round()).collect();
        decisions.pop().unwrap()
    }

    /// Everything is looked at, without time passing.
    pub(super) fn look(&mut self) -> Decision {
        self.write();
        self.evidence.snapshots = self
            .nodes
            .iter()
            .map(|n| Snapshot {
                site: n.site.clone(),
                taken: self.now,
                targets: vec![n.seen()],
                control: n.control.clone(),
                domain: n.domain.clone(),
                anomaly: n.anomaly,
            })
            .collect();
        self.decide()
    }

    /// Decides on the evidence as it stands.
    pub(super) fn decide(&mut self) -> Decision {
        for vantage in &mut self.evidence.vantages {
            let strange = self.strange_clock.as_ref().filter(|(domain, _)| *domain == vantage.failure_domain);
            let more = strange.map_or(Duration::ZERO, |(_, by)| *by);
            if let Ok(report) = &mut vantage.said {
                report.wall = self.now.wall + self.clock_offset + more;
            }
        }
        if let Some(took) = self.late {
            self.evidence.snapshots.iter_mut().flat_map(|s| &mut s.targets).for_each(|t| t.elapsed = took);
        }
        let (state, decision) = step(self.state.clone(), &self.evidence, &self.service, self.now);
        self.state = state;
        decision
    }

    fn write(&mut self) {
        let takes_writes = |n: &Node| n.facts.as_ref().is_ok_and(|f| f.role == Some(Role::Primary));
        if self.nodes.iter().any(takes_writes) {
            self.sent_bytes += self.round_bytes;
        }
        let (sent, behind) = (self.sent_bytes, self.behind_bytes);
        for facts in self.nodes.iter_mut().filter_map(|n| n.facts.as_mut().ok()) {
            if facts.offset_bytes.is_some() {
                match &facts.link {
                    Some(link) if !link.up => {}
                    Some(_) => facts.offset_bytes = Some(sent - behind),
                    None => facts.offset_bytes = Some(sent),
                }
            }
        }
    }
}

/// The text of a fence without intent.
pub(super) fn fence(active: &str, from: &str, epoch: u64) -> String {
    Fence {
        owner: agent("a1"),
        epoch,
        active: site(active),
        from: site(from),
        at: 1_700_000_000,
        decision: "earlier".to_owned(),
        intent: None,
    }
    .to_string()
}

fn service(topology: Topology, nodes: &[Node]) -> Service {
    let target = |name: &SiteName| Target {
        name: TargetName::new(format!("redis://{name}:6379")).unwrap(),
        address: Address::Tcp { host: name.to_string(), port: 6379 },
        tls: None,
        username: None,
        password: None,
        password_file: None,
    };
    let sites = nodes.iter().map(|n| Site {
        name: n.site.clone(),
        dns_target: format!("{}.redis.test", n.site),
        targets: vec![target(&n.site)],
        database: None,
    });
    Service {
        name: ServiceName::new("sessions").unwrap(),
        topology,
        mode: Mode::Automatic,
        record: Record {
            name: RecordName::new("sessions.redis.test").unwrap(),
            kind: RecordType::Cname,
            ttl_seconds: 5,
            provider: Provider::Embedded,
            read_interval: secs(30),
            name_servers: Vec::new(),
            resolvers: Vec::new(),
        },
        sites: sites.collect(),
        promote: (topology == Topology::Replication).then_some(Promote::Replicaof { without_fencing: false }),
        canary: None,
        client_errors: None,
        hooks: Default::default(),
        maintenance: Vec::new(),
        dry_run: false,
        policy: Policy { accept_fewer_vantages: true, weights: Weights::default(), ..Policy::default() },
    }
}
