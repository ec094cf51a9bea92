//! What happens, as text.

use super::{list, quoted, time, word};
use crate::sim::language::{
    AgentState, Answer, ClientErrors, ClockChange, ControlState, DnsState, FenceEdit, Fingerprint, Happening,
    Lag, LeaseState, LinkState, MetricsState, NetworkPath, NetworkState, Order, Place, Ports, Power,
    RecordEdit, RedisState, Seers, Token, Webhook, Who,
};
use crate::types::{AlertState, Ratio};

pub(super) fn happening(what: &Happening) -> String {
    let service = |service: &Option<usize>| service.map_or(String::new(), |n| format!(", service: {n}"));
    match what {
        Happening::Redis { site, is, targets, to, service: of } => {
            let targets =
                if targets.is_empty() { String::new() } else { format!(", targets: [{}]", list(targets)) };
            let to = match to {
                Seers::Everybody => String::new(),
                Seers::Clients => ", to: clients".to_owned(),
                Seers::Agents => ", to: agents".to_owned(),
                Seers::Named(names) => format!(", to: [{}]", list(names)),
            };
            format!("redis: {{in: {site}, is: {}{targets}{to}{}}}", redis(*is), service(of))
        }
        Happening::Loading { site, left, service: of } => {
            format!("loading: {{in: {site}, left: {}{}}}", time(*left), service(of))
        }
        Happening::Lag { site, is: Lag::Behind(lag) } => format!("lag: {{in: {site}, is: {}}}", time(*lag)),
        Happening::Lag { site, is: Lag::Unknown } => format!("lag: {{in: {site}, is: unknown}}"),
        Happening::Memory { site, percent } => format!("memory: {{in: {site}, percent: {percent}}}"),
        Happening::Link { site, is } => {
            let is = if *is == LinkState::Up { "up" } else { "down" };
            format!("link: {{in: {site}, is: {is}}}")
        }
        Happening::Control { site, is } => format!("control: {{in: {site}, is: {}}}", control(is)),
        Happening::Datacenter { name, is } => {
            let is = if *is == Power::Dark { "dark" } else { "back" };
            format!("datacenter: {{name: {name}, is: {is}}}")
        }
        Happening::Network { path, is, only } => network(path, *is, *only),
        Happening::Agent { who: one, is } => format!("agent: {{name: {}, is: {}}}", who(one), agent(*is)),
        Happening::Clock { who: one, change } => {
            let change = match change {
                ClockChange::Ahead(by) => format!("by: {}", time(*by)),
                ClockChange::Back(by) => format!("by: -{}", time(*by)),
                ClockChange::Drift(pace) => format!("drift: {pace:?}"),
            };
            format!("clock: {{agent: {}, {change}}}", who(one))
        }
        Happening::Webhook(one) => webhook(one),
        Happening::Clients { site, errors } => {
            let site = site.as_ref().map_or(String::new(), |site| format!("in: {site}, "));
            let errors = match errors {
                ClientErrors::Measured => "measured".to_owned(),
                ClientErrors::Unknown => "unknown".to_owned(),
                ClientErrors::Share(share) => percent(*share).to_string(),
            };
            format!("clients: {{{site}errors: {errors}}}")
        }
        Happening::Metrics { site, is } => {
            let is = if *is == MetricsState::Normal { "normal" } else { "not_finite" };
            format!("metrics: {{in: {site}, is: {is}}}")
        }
        Happening::Anomaly { site, score } => format!("anomaly: {{in: {site}, score: {score}}}"),
        Happening::Dns(state) => format!("dns: {{is: {}}}", dns(*state)),
        Happening::DnsVisibleAfter(after) => format!("dns: {{visible_after: {}}}", time(*after)),
        Happening::Record { value, ttl, service: of } => {
            let value = value.as_ref().map(|value| match value {
                RecordEdit::Site(site) => format!("value: {site}"),
                RecordEdit::Other(name) => format!("value: {name}"),
                RecordEdit::Missing => "value: missing".to_owned(),
            });
            let parts: Vec<String> =
                value.into_iter().chain(ttl.map(|ttl| format!("ttl: {}", time(ttl)))).collect();
            format!("record: {{{}{}}}", parts.join(", "), service(of))
        }
        Happening::Fence { edit, service: of } => {
            let text = match edit {
                FenceEdit::Text(text) => quoted(text),
                FenceEdit::Missing => "missing".to_owned(),
            };
            format!("fence: {{text: {text}{}}}", service(of))
        }
        Happening::Resolvers { stale, lasts } => {
            format!("resolvers: {{stale: {stale}, for: {}}}", time(*lasts))
        }
        Happening::Lease(state) => {
            let is = match state {
                LeaseState::Up => "up".to_owned(),
                LeaseState::Down => "down".to_owned(),
                LeaseState::HeldBy(agents) => format!("{{held_by: [{}]}}", list(agents)),
                LeaseState::MovedTo(agent) => format!("{{moved_to: {agent}}}"),
            };
            format!("lease: {{is: {is}}}")
        }
        Happening::Operator { does, who: one, service: of } => {
            let does = match does {
                Order::Pause => "pause".to_owned(),
                Order::Resume => "resume".to_owned(),
                Order::Ack => "ack".to_owned(),
                Order::Failover(to) => format!("failover, to: {to}"),
                Order::Failback(to) => format!("failback, to: {to}"),
                Order::Maintenance(site, lasts) => {
                    let of = site.as_ref().map_or("service".to_owned(), ToString::to_string);
                    format!("maintenance, of: {of}, for: {}", time(*lasts))
                }
            };
            format!("operator: {{does: {does}, agent: {}{}}}", who(one), service(of))
        }
        Happening::BrokenConfig { who: one } => format!("config: {{agent: {}, becomes: broken}}", who(one)),
    }
}

fn who(who: &Who) -> String {
    match who {
        Who::Named(name) => name.to_string(),
        Who::Leader => "leader".to_owned(),
        Who::All => "all".to_owned(),
    }
}

fn redis(is: RedisState) -> String {
    match is {
        RedisState::Up => "up".to_owned(),
        RedisState::Dead => "dead".to_owned(),
        RedisState::Hung => "hung".to_owned(),
        RedisState::Silent => "silent".to_owned(),
        RedisState::Unresolvable => "unresolvable".to_owned(),
        RedisState::Slow(by) => format!("{{slow: {}}}", time(by)),
        RedisState::Losing(share) => format!("{{losing: {}}}", percent(share)),
        RedisState::Answering(answer) => format!("{{answering: {}}}", word(&Answer::WORDS, &answer)),
    }
}

fn control(is: &ControlState) -> String {
    match is {
        ControlState::Up => "up".to_owned(),
        ControlState::Dead => "dead".to_owned(),
        ControlState::Hung => "hung".to_owned(),
        ControlState::Malformed => "malformed".to_owned(),
        ControlState::Tls => "tls".to_owned(),
        ControlState::Status { status, code: None } => format!("{{status: {status}}}"),
        ControlState::Status { status, code: Some(code) } => format!("{{status: {status}, code: {code}}}"),
    }
}

fn network(path: &NetworkPath, is: NetworkState, only: Ports) -> String {
    let place = |place: &Place| match place {
        Place::Datacenter(name) => name.to_string(),
        Place::Agent(name) => name.to_string(),
    };
    let path = match path {
        NetworkPath::Between(a, b) => format!("between: [{}, {}]", place(a), place(b)),
        NetworkPath::Around(a) => format!("around: {}", place(a)),
    };
    let is = match is {
        NetworkState::Back => "back".to_owned(),
        NetworkState::Cut => "cut".to_owned(),
        NetworkState::Oneway => "oneway".to_owned(),
        NetworkState::Rejected => "rejected".to_owned(),
        NetworkState::Losing(share) => format!("{{losing: {}}}", percent(share)),
        NetworkState::Slow(by) => format!("{{slow: {}}}", time(by)),
    };
    let only = if only == Ports::Redis { ", only: redis" } else { "" };
    format!("network: {{{path}, is: {is}{only}}}")
}

fn agent(is: AgentState) -> String {
    match is {
        AgentState::Killed => "killed".to_owned(),
        AgentState::Started => "started".to_owned(),
        AgentState::Frozen => "frozen".to_owned(),
        AgentState::Stuck => "stuck".to_owned(),
        AgentState::Running => "running".to_owned(),
        AgentState::Late(by) => format!("{{late: {}}}", time(by)),
        AgentState::DiskFull => "disk_full".to_owned(),
        AgentState::DiskOk => "disk_ok".to_owned(),
        AgentState::JournalDamaged => "journal_damaged".to_owned(),
        AgentState::ResolverDead => "resolver_dead".to_owned(),
        AgentState::ResolverOk => "resolver_ok".to_owned(),
    }
}

fn dns(state: DnsState) -> String {
    match state {
        DnsState::Up => "up".to_owned(),
        DnsState::Throttled(times) => format!("{{throttled: {times}}}"),
        DnsState::Busy(lasts) => format!("{{busy: {}}}", time(lasts)),
        DnsState::ReplyLostAfter => "reply_lost_after".to_owned(),
        DnsState::ReplyLostBefore => "reply_lost_before".to_owned(),
        DnsState::ArrivesLate(by) => format!("{{arrives_late: {}}}", time(by)),
        DnsState::Denied => "denied".to_owned(),
        DnsState::Unavailable => "unavailable".to_owned(),
        DnsState::NoZone => "no_zone".to_owned(),
        DnsState::Pending => "pending".to_owned(),
        DnsState::HalfApplied => "half_applied".to_owned(),
    }
}

fn webhook(webhook: &Webhook) -> String {
    let to: Vec<String> = webhook.to.iter().map(who).collect();
    let mut parts = vec![format!("to: [{}]", to.join(", "))];
    parts.push(format!("alert: {}", quoted(&webhook.alert)));
    let state = match webhook.state {
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
    };
    parts.push(format!("state: {state}"));
    parts.extend(webhook.site.as_ref().map(|site| format!("site: {site}")));
    parts.extend(webhook.starts.map(|starts| format!("starts: {}", time(starts))));
    parts.push(match webhook.token {
        Token::Good => "token: good".to_owned(),
        Token::Bad => "token: bad".to_owned(),
        Token::Missing => "token: none".to_owned(),
    });
    parts.push(format!("times: {}", webhook.times));
    parts.push(format!("over: {}", time(webhook.over)));
    parts.push(match webhook.fingerprint {
        Fingerprint::Same => "fingerprint: same".to_owned(),
        Fingerprint::Random => "fingerprint: random".to_owned(),
    });
    parts.extend(webhook.service.map(|service| format!("service: {service}")));
    parts.extend(webhook.body.as_ref().map(|body| format!("body: {}", quoted(body))));
    format!("webhook: {{{}}}", parts.join(", "))
}

fn percent(share: Ratio) -> f64 {
    // The reader divides by 100; this is the nearest number that leads there.
    share.get() * 100.0
}
