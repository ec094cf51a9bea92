//! Events in words, for the timeline that people read.

use crate::config::read::duration_text;
use crate::sim::language::{
    AgentState, Answer, ClientErrors, ClockChange, ControlState, DnsState, FenceEdit, Happening, Lag,
    LeaseState, LinkState, MetricsState, NetworkPath, NetworkState, Order, Place, Ports, Power, RecordEdit,
    RedisState, Seers, Who,
};
use crate::types::{AlertState, Ratio};

/// What happens, in one sentence without a full stop.
pub(super) fn sentence(happening: &Happening) -> String {
    match happening {
        Happening::Redis { site, is, targets, to, service } => {
            let which = if targets.is_empty() { String::new() } else { format!(" (addresses {targets:?})") };
            let whose = service.map_or(String::new(), |n| format!(" of service {}", n + 1));
            let seers = match to {
                Seers::Everybody => String::new(),
                Seers::Clients => ", for applications only".to_owned(),
                Seers::Agents => ", for agents only".to_owned(),
                Seers::Named(names) => format!(", for {} only", join(names)),
            };
            format!("Redis{whose} in {site}{which} {}{seers}", redis(*is))
        }
        Happening::Loading { site, left, .. } => {
            format!("Redis in {site} restarts and loads for {}", duration_text(*left))
        }
        Happening::Lag { site, is: Lag::Behind(lag) } => format!("{site} is {} behind", duration_text(*lag)),
        Happening::Lag { site, is: Lag::Unknown } => format!("the lag of {site} cannot be measured"),
        Happening::Memory { site, percent } => format!("the memory of {site} is at {percent} % of its limit"),
        Happening::Link { site, is: LinkState::Up } => format!("the replication link of {site} is whole"),
        Happening::Link { site, is: LinkState::Down } => format!("the replication link of {site} is broken"),
        Happening::Control { site, is } => format!("the control plane of {site} {}", control(is)),
        Happening::Datacenter { name, is: Power::Dark } => format!("{name} loses its power"),
        Happening::Datacenter { name, is: Power::Back } => format!("{name} has power again"),
        Happening::Network { path, is, only } => network(path, *is, *only),
        Happening::Agent { who: one, is } => format!("{} {}", who(one), agent(*is)),
        Happening::Clock { who: one, change } => match change {
            ClockChange::Ahead(by) => format!("the clock of {} jumps {} ahead", who(one), duration_text(*by)),
            ClockChange::Back(by) => format!("the clock of {} jumps {} back", who(one), duration_text(*by)),
            ClockChange::Drift(pace) => format!("the clock of {} runs {pace} times as fast", who(one)),
        },
        Happening::Webhook(webhook) => {
            let state = match webhook.state {
                AlertState::Firing => "firing",
                AlertState::Resolved => "resolved",
            };
            let times = if webhook.times > 1 { format!(" {} times", webhook.times) } else { String::new() };
            let to: Vec<String> = webhook.to.iter().map(who).collect();
            format!("Alertmanager tells {}{times}: {} {state}", to.join(", "), webhook.alert)
        }
        Happening::Clients { errors, .. } => match errors {
            ClientErrors::Measured => "applications report what they meet".to_owned(),
            ClientErrors::Unknown => "nobody knows how many requests of applications fail".to_owned(),
            ClientErrors::Share(share) => format!("{} of the applications' requests fail", percent(*share)),
        },
        Happening::Metrics { site, is: MetricsState::Normal } => format!("the metrics of {site} are numbers"),
        Happening::Metrics { site, is: MetricsState::NotFinite } => {
            format!("the metrics of {site} hold NaN and infinities")
        }
        Happening::Anomaly { site, score } => format!("the anomaly score of {site} is {score}"),
        Happening::Dns(state) => format!("the DNS provider {}", dns(*state)),
        Happening::DnsVisibleAfter(after) => {
            format!("name servers follow a change after {}", duration_text(*after))
        }
        Happening::Record { value, ttl, .. } => {
            let what = match value {
                None => String::new(),
                Some(RecordEdit::Site(site)) => format!(" to name {site}"),
                Some(RecordEdit::Other(name)) => format!(" to name {name}"),
                Some(RecordEdit::Missing) => " away".to_owned(),
            };
            let ttl = ttl.map_or(String::new(), |ttl| format!(", with a TTL of {}", duration_text(ttl)));
            format!("somebody edits the record{what}{ttl}")
        }
        Happening::Fence { edit: FenceEdit::Text(text), .. } => {
            format!("somebody edits the fence to {:?}", text)
        }
        Happening::Fence { edit: FenceEdit::Missing, .. } => "somebody deletes the fence".to_owned(),
        Happening::Resolvers { stale, lasts } => {
            format!("{stale} of 4 resolvers keep what they know for {}", duration_text(*lasts))
        }
        Happening::Lease(state) => match state {
            LeaseState::Up => "the lease store works".to_owned(),
            LeaseState::Down => "the lease store answers nobody".to_owned(),
            LeaseState::HeldBy(agents) => {
                format!("the lease store tells each of {} that it leads", join(agents))
            }
            LeaseState::MovedTo(agent) => format!("the lease moves to {agent}"),
        },
        Happening::Operator { does, who: one, .. } => format!("an operator of {} {}", who(one), order(does)),
        Happening::BrokenConfig { who: one } => {
            format!("{} is told to reload a broken configuration", who(one))
        }
    }
}

fn join<T: ToString>(names: &[T]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn percent(share: Ratio) -> String {
    format!("{:.0} %", share.get() * 100.0)
}

fn who(who: &Who) -> String {
    match who {
        Who::Named(name) => name.to_string(),
        Who::Leader => "the leader".to_owned(),
        Who::All => "all agents".to_owned(),
    }
}

fn redis(is: RedisState) -> String {
    match is {
        RedisState::Up => "serves".to_owned(),
        RedisState::Dead => "is dead: connections are refused".to_owned(),
        RedisState::Hung => "hangs: it accepts and never answers".to_owned(),
        RedisState::Silent => "is silent: packets vanish".to_owned(),
        RedisState::Unresolvable => "has a name that does not resolve".to_owned(),
        RedisState::Slow(by) => format!("takes {} for every command", duration_text(by)),
        RedisState::Losing(share) => format!("loses {} of the packets", percent(share)),
        RedisState::Answering(answer) => {
            let word = Answer::WORDS.iter().find(|(_, known)| *known == answer).map_or("", |(word, _)| word);
            format!("answers with an error: {word}")
        }
    }
}

fn control(is: &ControlState) -> String {
    match is {
        ControlState::Up => "answers".to_owned(),
        ControlState::Dead => "is dead: connections are refused".to_owned(),
        ControlState::Hung => "hangs: it accepts and never answers".to_owned(),
        ControlState::Malformed => "answers with half a document".to_owned(),
        ControlState::Tls => "has a certificate that nobody trusts".to_owned(),
        ControlState::Status { status, code: Some(code) } => format!("answers {status} {code}"),
        ControlState::Status { status, code: None } => format!("answers {status}"),
    }
}

fn network(path: &NetworkPath, is: NetworkState, only: Ports) -> String {
    let place = |place: &Place| match place {
        Place::Datacenter(name) => name.to_string(),
        Place::Agent(name) => name.to_string(),
    };
    let lines = match path {
        NetworkPath::Between(a, b) => format!("between {} and {}", place(a), place(b)),
        NetworkPath::Around(a) => format!("between {} and all the rest", place(a)),
    };
    let what = match only {
        Ports::All => "the network",
        Ports::Redis => "the network, at the ports of Redis,",
    };
    let is = match is {
        NetworkState::Back => "works".to_owned(),
        NetworkState::Cut => "is cut".to_owned(),
        NetworkState::Oneway => "is cut in one direction".to_owned(),
        NetworkState::Rejected => "refuses connections".to_owned(),
        NetworkState::Losing(share) => format!("loses {} of the packets", percent(share)),
        NetworkState::Slow(by) => format!("takes {} longer", duration_text(by)),
    };
    format!("{what} {lines} {is}")
}

fn agent(is: AgentState) -> String {
    match is {
        AgentState::Killed => "is killed".to_owned(),
        AgentState::Started => "starts".to_owned(),
        AgentState::Frozen => "is frozen".to_owned(),
        AgentState::Stuck => "is stuck: its rounds stand still, and it goes on answering".to_owned(),
        AgentState::Running => "goes on".to_owned(),
        AgentState::Late(by) => format!("is starved: everything takes {} longer", duration_text(by)),
        AgentState::DiskFull => "has a full disk".to_owned(),
        AgentState::DiskOk => "has space on its disk".to_owned(),
        AgentState::JournalDamaged => "has a damaged journal".to_owned(),
        AgentState::ResolverDead => "resolves no name".to_owned(),
        AgentState::ResolverOk => "resolves names".to_owned(),
    }
}

fn dns(state: DnsState) -> String {
    match state {
        DnsState::Up => "works".to_owned(),
        DnsState::Throttled(times) => format!("throttles the next {times} changes"),
        DnsState::Busy(lasts) => format!("is busy with another change for {}", duration_text(lasts)),
        DnsState::ReplyLostAfter => "will apply the next change and lose its answer".to_owned(),
        DnsState::ReplyLostBefore => "will lose the next change".to_owned(),
        DnsState::ArrivesLate(by) => {
            format!("will apply the next change {} late, and lose its answer", duration_text(by))
        }
        DnsState::Denied => "denies every change".to_owned(),
        DnsState::Unavailable => "answers 503 to everything".to_owned(),
        DnsState::NoZone => "does not know the zone".to_owned(),
        DnsState::Pending => "never says that a change is complete".to_owned(),
        DnsState::HalfApplied => "applies changes in one of two zones only".to_owned(),
    }
}

fn order(order: &Order) -> String {
    match order {
        Order::Pause => "pauses".to_owned(),
        Order::Resume => "resumes".to_owned(),
        Order::Ack => "acknowledges".to_owned(),
        Order::Failover(to) => format!("asks to move to {to}"),
        Order::Failback(to) => format!("asks to move back to {to}"),
        Order::Maintenance(Some(site), lasts) => {
            format!("puts {site} into maintenance for {}", duration_text(*lasts))
        }
        Order::Maintenance(None, lasts) => {
            format!("puts the service into maintenance for {}", duration_text(*lasts))
        }
    }
}
