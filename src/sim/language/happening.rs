//! What can happen in a simulated world: facts, each of which holds until a later event about the same thing.

use std::time::Duration;

use crate::types::{AgentName, AlertState, Ratio, RecordName, SiteName};

/// Which service or target of many, counted from 0.
pub type Rank = usize;

/// One happening.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The Redis of a site changes.
    Redis {
        /// The site's datacenter.
        site: SiteName,
        /// What it does.
        is: RedisState,
        /// Which of its addresses; empty means all.
        targets: Vec<Rank>,
        /// Who sees it so.
        to: Seers,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// The Redis of a site loads its dataset; then it is up.
    Loading {
        /// The site's datacenter.
        site: SiteName,
        /// How long it takes from here on.
        left: Duration,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// A standby falls behind, or catches up.
    Lag {
        /// The standby's datacenter.
        site: SiteName,
        /// How far it is behind.
        is: Lag,
    },
    /// The memory of a site fills or empties.
    Memory {
        /// The site's datacenter.
        site: SiteName,
        /// Percent of its limit; more than 100 is what it would need with the load of the active site.
        percent: u32,
    },
    /// The link over which a site receives the other sites' writes changes.
    Link {
        /// The receiving site's datacenter.
        site: SiteName,
        /// The link.
        is: LinkState,
    },
    /// The control plane of a site changes.
    Control {
        /// The site's datacenter.
        site: SiteName,
        /// What it does.
        is: ControlState,
    },
    /// A datacenter loses its power with all that is in it, agents included, or gets it back.
    Datacenter {
        /// The datacenter.
        name: SiteName,
        /// Its power.
        is: Power,
    },
    /// A line changes.
    Network {
        /// Which.
        path: NetworkPath,
        /// What it does.
        is: NetworkState,
        /// What of it.
        only: Ports,
    },
    /// An agent changes.
    Agent {
        /// Which.
        who: Who,
        /// What becomes of it.
        is: AgentState,
    },
    /// The clock of an agent goes wrong.
    Clock {
        /// Which agent.
        who: Who,
        /// How.
        change: ClockChange,
    },
    /// A notification is posted.
    Webhook(Webhook),
    /// The share of failing requests, as applications see it, is forced or set free.
    Clients {
        /// While the record names this site; `None` means whatever it names.
        site: Option<SiteName>,
        /// The share.
        errors: ClientErrors,
    },
    /// The numbers that the Redis of a site reports change.
    Metrics {
        /// The site's datacenter.
        site: SiteName,
        /// What they are.
        is: MetricsState,
    },
    /// The anomaly score of a site, from all agents.
    Anomaly {
        /// The site's datacenter.
        site: SiteName,
        /// The score.
        score: Ratio,
    },
    /// The DNS provider changes.
    Dns(DnsState),
    /// Name servers answer a change so long after it took effect.
    DnsVisibleAfter(Duration),
    /// Somebody else edits the record.
    Record {
        /// What it names from here on; `None` leaves it.
        value: Option<RecordEdit>,
        /// Its time to live from here on, whole seconds; `None` leaves it.
        ttl: Option<Duration>,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// Somebody else edits the fence.
    Fence {
        /// What it becomes.
        edit: FenceEdit,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// Some of the four watched resolvers keep the old answer.
    Resolvers {
        /// How many of them.
        stale: u32,
        /// How long.
        lasts: Duration,
    },
    /// The lease store changes.
    Lease(LeaseState),
    /// A person gives an order.
    Operator {
        /// The order.
        does: Order,
        /// To which agent.
        who: Who,
        /// For which service; `None` means all.
        service: Option<Rank>,
    },
    /// An agent is told to reload a configuration that is invalid.
    BrokenConfig {
        /// Which agent.
        who: Who,
    },
}

/// What a Redis does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RedisState {
    /// It serves.
    Up,
    /// Its host refuses the connection.
    Dead,
    /// It accepts the connection and never answers.
    Hung,
    /// Its host swallows every packet.
    Silent,
    /// Its name does not resolve.
    Unresolvable,
    /// Every command takes so long.
    Slow(Duration),
    /// So many packets are lost: that share of looks misses its deadline.
    Losing(Ratio),
    /// It answers with an error.
    Answering(Answer),
}

/// An error that a Redis answers with, or a failure that stands for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `WRONGPASS` or `NOAUTH` to everything.
    Auth,
    /// `NOPERM` to everything but PING.
    Permission,
    /// The TLS handshake fails: an expired certificate, say.
    Tls,
    /// `LOADING` to everything, without an end in sight.
    Loading,
    /// `READONLY` to writes; its role is replica.
    Readonly,
    /// `MISCONF` to writes.
    Misconf,
    /// `OOM` to writes.
    Oom,
    /// `BUSY` to everything.
    Busy,
    /// `MASTERDOWN` to everything but PING.
    Masterdown,
    /// `NOREPLICAS` to writes.
    Noreplicas,
    /// `max number of clients reached` to new connections.
    Maxclients,
    /// Something that is not Redis answers.
    Protocol,
}

impl Answer {
    /// All answers and their words.
    pub const WORDS: [(&str, Self); 12] = [
        ("auth", Self::Auth),
        ("permission", Self::Permission),
        ("tls", Self::Tls),
        ("loading", Self::Loading),
        ("readonly", Self::Readonly),
        ("misconf", Self::Misconf),
        ("oom", Self::Oom),
        ("busy", Self::Busy),
        ("masterdown", Self::Masterdown),
        ("noreplicas", Self::Noreplicas),
        ("maxclients", Self::Maxclients),
        ("protocol", Self::Protocol),
    ];
}

/// Who sees a Redis so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seers {
    /// Everybody; this replaces whatever only some saw.
    Everybody,
    /// The applications, and no agent.
    Clients,
    /// All agents, and no application.
    Agents,
    /// These agents, and nobody else.
    Named(Vec<AgentName>),
}

/// How far a standby is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// So far.
    Behind(Duration),
    /// Nobody can measure it.
    Unknown,
}

/// A replication link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// In sync, as far as the other end can be reached.
    Up,
    /// Broken.
    Down,
}

/// What a control plane does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlState {
    /// It answers, and says what is so.
    Up,
    /// Its host refuses the connection.
    Dead,
    /// It accepts the connection and never answers.
    Hung,
    /// It answers with half a document.
    Malformed,
    /// The TLS handshake fails.
    Tls,
    /// It answers with an HTTP status.
    Status {
        /// The status.
        status: u16,
        /// The error code in the body, if there is one: `no_quorum`, say.
        code: Option<String>,
    },
}

/// The power of a datacenter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Gone.
    Dark,
    /// Back; agents start anew, on their journals.
    Back,
}

/// A datacenter or an agent, as the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A datacenter, with all in it.
    Datacenter(SiteName),
    /// One agent.
    Agent(AgentName),
}

/// Which lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkPath {
    /// Those between two places.
    Between(Place, Place),
    /// Those between a place and all the rest: the other places, the lease store, DNS.
    Around(Place),
}

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NetworkState {
    /// It works.
    Back,
    /// Packets vanish.
    Cut,
    /// Packets from the first place to the second vanish: what the first one asks never arrives, what the second one
    /// asks arrives and its answer is lost.
    Oneway,
    /// Connections are refused.
    Rejected,
    /// So many packets are lost: that share of requests misses its deadline.
    Losing(Ratio),
    /// Every round trip takes so much longer.
    Slow(Duration),
}

/// What of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// All of it.
    All,
    /// The ports of Redis, for agents; replication goes on.
    Redis,
}

/// Which agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// This one.
    Named(AgentName),
    /// The one that leads at that moment; nobody when nobody leads.
    Leader,
    /// All.
    All,
}

/// What becomes of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentState {
    /// It is killed at once; its journal stays.
    Killed,
    /// It starts, on the journal it left.
    Started,
    /// It stands still: it reaches nothing, its own journal included.
    Frozen,
    /// Its rounds stand still, and the rest of it goes on: it answers others with what it saw last, and keeps its lease.
    Stuck,
    /// It goes on.
    Running,
    /// Everything it asks comes back so much later.
    Late(Duration),
    /// Its journal takes no entries.
    DiskFull,
    /// Its journal takes entries again.
    DiskOk,
    /// Its journal will be found damaged at its next start, and is then an empty one.
    JournalDamaged,
    /// It resolves no name.
    ResolverDead,
    /// It resolves names again.
    ResolverOk,
}

/// What a clock does. Only the wall clock is wrong; how much time passes, an agent always knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClockChange {
    /// It jumps ahead, from where it is.
    Ahead(Duration),
    /// It jumps back, from where it is.
    Back(Duration),
    /// It runs so many times as fast.
    Drift(f64),
}

/// A notification, as Alertmanager posts it. It holds one alert for each service that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// To which agents.
    pub to: Vec<Who>,
    /// The `alertname`.
    pub alert: String,
    /// Firing or resolved.
    pub state: AlertState,
    /// The `datacenter` label; `None` leaves it out.
    pub site: Option<SiteName>,
    /// When the alert began, after time 0; `None` means with the first post of this alert since it was last resolved.
    pub starts: Option<Duration>,
    /// The token.
    pub token: Token,
    /// How often it is posted to each agent.
    pub times: u32,
    /// Over how long, evenly.
    pub over: Duration,
    /// What the fingerprints of repeated posts are.
    pub fingerprint: Fingerprint,
    /// Of which service; `None` means all.
    pub service: Option<Rank>,
    /// Posted instead of a notification, as it stands.
    pub body: Option<String>,
}

/// The token of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The right one.
    Good,
    /// A wrong one.
    Bad,
    /// None at all.
    Missing,
}

/// The fingerprints of repeated posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fingerprint {
    /// All the same: that of this alert, service and site.
    Same,
    /// Each another one.
    Random,
}

/// The share of failing requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClientErrors {
    /// What follows from the world.
    Measured,
    /// The query gives no answer.
    Unknown,
    /// This share.
    Share(Ratio),
}

/// The numbers that a Redis reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsState {
    /// Numbers.
    Normal,
    /// NaN and infinities.
    NotFinite,
}

/// What the DNS provider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsState {
    /// It works.
    Up,
    /// It refuses the next changes because there are too many requests.
    Throttled(u32),
    /// It refuses changes for so long, because another one is in progress.
    Busy(Duration),
    /// The next change takes effect, and its answer is lost.
    ReplyLostAfter,
    /// The next change is lost on its way.
    ReplyLostBefore,
    /// It denies every change.
    Denied,
    /// It answers nothing: no reads, no changes. Name servers answer.
    Unavailable,
    /// It does not know the zone.
    NoZone,
    /// It never says that a change is complete.
    Pending,
    /// Of two zones it applies the next change to the first, and refuses it in the second.
    HalfApplied,
}

/// What somebody makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordEdit {
    /// It names this site.
    Site(SiteName),
    /// It names a host that redrover does not know.
    Other(RecordName),
    /// It is deleted.
    Missing,
}

/// What somebody makes of a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FenceEdit {
    /// It holds this text.
    Text(String),
    /// It is deleted.
    Missing,
}

/// What the lease store does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// It works.
    Up,
    /// It answers nobody.
    Down,
    /// It tells each of these agents that the lease is theirs.
    HeldBy(Vec<AgentName>),
    /// It gives the lease to this agent, whoever held it.
    MovedTo(AgentName),
}

/// A person's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Nothing may be changed until further notice.
    Pause,
    /// Automatic changes are allowed again.
    Resume,
    /// What happened is acknowledged.
    Ack,
    /// The service moves to this site.
    Failover(SiteName),
    /// A site, or with `None` the service as a whole, is in maintenance for so long.
    Maintenance(Option<SiteName>, Duration),
}
