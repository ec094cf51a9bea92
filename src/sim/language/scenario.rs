//! A checked scenario. The reader is where its rules are checked; what is built otherwise must keep them as well.

use std::time::Duration;

use super::happening::Happening;
use crate::config::{Mode, Topology};
use crate::types::{AgentName, ServiceName, SiteName};

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What happens, in one line.
    pub name: String,
    /// A name for people; no code goes by it.
    pub id: Option<String>,
    /// Why the expected outcome is right, for people.
    pub why: Option<String>,
    /// The world before time 0.
    pub world: World,
    /// What the services' configuration says beside the defaults.
    pub policy: PolicyText,
    /// The switches that journals and fence know of at time 0, oldest first; the last one led to [`World::active`].
    pub history: Vec<PastSwitch>,
    /// What happens: first the events of a fixed time in the order of time (those of one time in the order of the
    /// file), then those that hang on a step, in the order of the file.
    pub timeline: Vec<Event>,
    /// What must come of it.
    pub expect: Expect,
}

/// The world before time 0.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The datacenters.
    pub datacenters: Vec<SiteName>,
    /// The datacenters in which each service has a site, in the order in which a standby is chosen; at least two.
    pub members: Vec<SiteName>,
    /// The member that each record names at time 0.
    pub active: SiteName,
    /// How the sites of a service share their data.
    pub topology: Topology,
    /// Redis addresses of each site, at least 1.
    pub targets: usize,
    /// Services of this shape, at least 1.
    pub services: usize,
    /// What the only service is called, where that is known: db1, db2 and so on otherwise.
    pub called: Option<ServiceName>,
    /// The agents; each is a vantage of the others.
    pub agents: Vec<AgentPlace>,
    /// The agent that holds the lease at time 0.
    pub leader: AgentName,
    /// Each member has a cluster control plane.
    pub enterprise: bool,
    /// The agents can ask for the share of failing requests.
    pub clients: bool,
    /// Each datacenter has something beside Redis to look at.
    pub domain_checks: bool,
    /// Each agent has addresses and names that it must reach before it may vote.
    pub self_checks: bool,
    /// Where alerts come from.
    pub alerts: Alerts,
    /// The records' time to live, whole seconds.
    pub ttl: Duration,
    /// Replication lag while all is well.
    pub lag: Duration,
    /// Percent of the memory limit in use at each site.
    pub memory_percent: u32,
    /// Time from one round of an agent to the next.
    pub probe_interval: Duration,
    /// The deadline of an agent's looks, shorter than the interval.
    pub probe_timeout: Duration,
    /// Virtual time that is played after time 0.
    pub run: Duration,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentPlace {
    /// Its name.
    pub name: AgentName,
    /// The datacenter it runs in: its failure domain.
    pub datacenter: SiteName,
}

/// Where alerts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alerts {
    /// From the timeline alone.
    Manual,
    /// A Prometheus outside the active site's datacenter fires 30 s after that site stops serving, and resolves 30 s
    /// after it serves again.
    Automatic,
}

/// What the services' configuration says beside the defaults. The texts are YAML in one line, to be put into a
/// generated configuration as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// The mode of each service.
    pub mode: Mode,
    /// Decisions are made and recorded, and nothing is changed.
    pub dry_run: bool,
    /// The write canary is switched on.
    pub canary: bool,
    /// The value of a service's `promote`, such as `{"kind": "replicaof"}`; absent: never promoted.
    pub promote: Option<String>,
    /// The value of a service's `policy`: a mapping, `{}` when nothing is set.
    pub policy: String,
}

/// A switch before time 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastSwitch {
    /// The site that was left.
    pub from: SiteName,
    /// The site that became active.
    pub to: SiteName,
    /// How long before time 0.
    pub ago: Duration,
    /// Who moved it.
    pub by: By,
    /// A person has acknowledged it.
    pub is_acknowledged: bool,
}

/// Who moved a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The leading agent, by itself.
    Automatic,
    /// The leading agent, by a person's order.
    Operator,
}

/// One event of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happens.
    pub at: When,
    /// What happens.
    pub what: Happening,
}

/// When an event happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// So long after time 0.
    At(Duration),
    /// Once, when an agent reaches a step.
    On(Trigger),
}

/// A step of an agent that an event hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The agent; `None` is any.
    pub agent: Option<AgentName>,
    /// The step.
    pub step: Step,
    /// Which side of it.
    pub side: Side,
    /// At which of the step's occurrences after time 0, counted from 1, by that agent (or by all of them together).
    pub nth: u32,
    /// So long after it; with 0 the event happens before the agent goes on.
    pub delay: Duration,
}

/// Which side of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before anything of it took effect.
    Before,
    /// After it took effect and before the agent knows.
    After,
}

/// A step of an agent, in the order of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The journal takes a decision.
    Decide,
    /// The journal takes the intent to switch.
    Ticket,
    /// The target is looked at once more, before the claim.
    Recheck,
    /// The fence is claimed.
    Claim,
    /// The old primary is paused.
    Fence,
    /// The target is promoted.
    Promote,
    /// The target proves that it takes a write.
    Prove,
    /// The record is changed.
    DnsWrite,
    /// The answer to the change of the record comes in.
    Reply,
    /// The name servers are asked.
    Verify,
    /// The journal takes the end.
    Outcome,
}

impl Step {
    /// All steps and their words, in the order of a switch.
    pub const WORDS: [(&str, Self); 11] = [
        ("decide", Self::Decide),
        ("ticket", Self::Ticket),
        ("recheck", Self::Recheck),
        ("claim", Self::Claim),
        ("fence", Self::Fence),
        ("promote", Self::Promote),
        ("prove", Self::Prove),
        ("dns_write", Self::DnsWrite),
        ("reply", Self::Reply),
        ("verify", Self::Verify),
        ("outcome", Self::Outcome),
    ];
}

/// What must come of a scenario, for every service alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The outcome.
    pub outcome: Outcome,
    /// The least level that the highest decision since time 0 must have.
    pub alert: AlertLevel,
    /// At most so many changes of record values by redrover take effect.
    pub max_dns_changes: u32,
    /// The first change takes effect at most so long after the first event.
    pub within: Option<Duration>,
    /// The first change takes effect at least so long after the first event.
    pub not_before: Option<Duration>,
    /// [`Outcome::Hold`] is judged by the verdicts from this time on; the changes are counted from time 0 all the same.
    pub judged_from: Duration,
    /// The site that each record names at the end, if that is asked.
    pub serves: Option<SiteName>,
}

/// The outcome of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// redrover changes no record, and no leading agent (nobody leads: no agent) says more than hold.
    Hold,
    /// The last verdict of the leading agent (nobody leads: of any) is to recommend this site, or to fail over to it
    /// where the world refused each attempt.
    Recommend(SiteName),
    /// At the end each record names this site, redrover has changed it, and no agent that runs has halted.
    Failover(SiteName),
    /// The last verdict is halt.
    Halt,
    /// At the end each record names one site, which serves; no claim stands, nobody halts without cause, and of sites
    /// of which only one may take writes, no more than one does.
    Settled,
}

/// How loudly a decision calls for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertLevel {
    /// Not at all.
    None,
    /// It is written down.
    Info,
    /// Somebody should look tomorrow.
    Warn,
    /// Somebody must come.
    Page,
}
