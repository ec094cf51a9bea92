//! From a checked scenario to its text: what the reader makes of that text is the same scenario again.

use std::fmt::Write as _;
use std::time::Duration;

use super::{
    AgentState, AlertLevel, Alerts, Answer, By, ClientErrors, ClockChange, ControlState, DnsState, Event,
    Expect, FenceEdit, Fingerprint, Happening, Lag, LeaseState, LinkState, MetricsState, NetworkPath,
    NetworkState, Order, Outcome, Place, Ports, Power, RecordEdit, RedisState, Scenario, Seers, Side, Step,
    Token, Webhook, When, Who, World,
};
use crate::config::read::duration_text;
use crate::config::{Mode, Topology};
use crate::types::{AlertState, Ratio};

/// The text of a scenario.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    let mut text = format!("name: {}\n", quoted(&scenario.name));
    for (key, value) in [("id", &scenario.id), ("why", &scenario.why)] {
        if let Some(value) = value {
            line(&mut text, &format!("{key}: {}", quoted(value)));
        }
    }
    world(&mut text, &scenario.world);
    policy(&mut text, scenario);
    if !scenario.history.is_empty() {
        let one = |past: &super::PastSwitch| {
            let by = match past.by {
                By::Automatic => "automatic",
                By::Operator => "operator",
            };
            format!(
                "{{switched: {{from: {}, to: {}, ago: {}, by: {by}, acknowledged: {}}}}}",
                past.from,
                past.to,
                time(past.ago),
                past.is_acknowledged
            )
        };
        let all: Vec<String> = scenario.history.iter().map(one).collect();
        line(&mut text, &format!("history: [{}]", all.join(", ")));
    }
    if scenario.timeline.is_empty() {
        line(&mut text, "timeline: []");
    } else {
        line(&mut text, "timeline:");
    }
    for event in &scenario.timeline {
        line(&mut text, &format!("  - {{{}, {}}}", when(event), happening(&event.what)));
    }
    line(&mut text, &format!("expect: {{{}}}", expect(&scenario.expect)));
    text
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn time(time: Duration) -> String {
    duration_text(time)
}

/// A double-quoted text, whose escapes JSON and YAML share.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn list<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn percent(share: Ratio) -> f64 {
    // The reader divides by 100; this is the nearest number that leads there.
    share.get() * 100.0
}

fn world(text: &mut String, world: &World) {
    let topology = match world.topology {
        Topology::ActiveActive => "active-active",
        Topology::ReplicaOf => "replica-of",
        Topology::Replication => "replication",
    };
    let alerts = match world.alerts {
        Alerts::Manual => "manual",
        Alerts::Automatic => "automatic",
    };
    let agents: Vec<String> = world.agents.iter().map(|a| format!("{}: {}", a.name, a.datacenter)).collect();
    line(text, "world:");
    for entry in [
        format!("datacenters: [{}]", list(&world.datacenters)),
        format!("members: [{}]", list(&world.members)),
        format!("active: {}", world.active),
        format!("topology: {topology}"),
        format!("targets: {}", world.targets),
        format!("services: {}", world.services),
        format!("agents: {{{}}}", agents.join(", ")),
        format!("leader: {}", world.leader),
        format!("enterprise: {}", world.enterprise),
        format!("clients: {}", world.clients),
        format!("domain_checks: {}", world.domain_checks),
        format!("self_checks: {}", world.self_checks),
        format!("alerts: {alerts}"),
        format!("ttl: {}", time(world.ttl)),
        format!("lag: {}", time(world.lag)),
        format!("memory: {}", world.memory_percent),
        format!("probe_interval: {}", time(world.probe_interval)),
        format!("probe_timeout: {}", time(world.probe_timeout)),
        format!("run: {}", time(world.run)),
    ] {
        line(text, &format!("  {entry}"));
    }
}

fn policy(text: &mut String, scenario: &Scenario) {
    let policy = &scenario.policy;
    let mode = match policy.mode {
        Mode::Observe => "observe",
        Mode::Recommend => "recommend",
        Mode::Automatic => "automatic",
    };
    let mut entries = vec![
        format!("mode: {mode}"),
        format!("dry_run: {}", policy.dry_run),
        format!("canary: {}", policy.canary),
    ];
    entries.extend(policy.promote.as_ref().map(|promote| format!("promote: {promote}")));
    // The text is a mapping in one line: its entries stand beside the others here.
    let inner = policy.policy.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let rest = inner.unwrap_or_default().trim();
    entries.extend((!rest.is_empty()).then(|| rest.to_owned()));
    line(text, &format!("policy: {{{}}}", entries.join(", ")));
}

fn word<'a, T: PartialEq>(words: &[(&'a str, T)], one: &T) -> &'a str {
    words.iter().find(|(_, known)| known == one).map_or("", |(word, _)| word)
}

fn when(event: &Event) -> String {
    match &event.at {
        When::At(at) => format!("at: {}", time(*at)),
        When::On(trigger) => {
            let mut parts: Vec<String> = Vec::new();
            parts.extend(trigger.agent.as_ref().map(|agent| format!("agent: {agent}")));
            parts.push(format!("step: {}", word(&Step::WORDS, &trigger.step)));
            let side = match trigger.side {
                Side::Before => "before",
                Side::After => "after",
            };
            parts.push(format!("when: {side}"));
            parts.push(format!("nth: {}", trigger.nth));
            parts.push(format!("delay: {}", time(trigger.delay)));
            format!("on: {{{}}}", parts.join(", "))
        }
    }
}

fn happening(what: &Happening) -> String {
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

fn expect(expect: &Expect) -> String {
    let (outcome, target) = match &expect.outcome {
        Outcome::Hold => ("hold", None),
        Outcome::Recommend(site) => ("recommend", Some(site)),
        Outcome::Failover(site) => ("failover", Some(site)),
        Outcome::Halt => ("halt", None),
        Outcome::Settled => ("settled", None),
    };
    let mut parts = vec![format!("outcome: {outcome}")];
    parts.extend(target.map(|target| format!("target: {target}")));
    let alert = match expect.alert {
        AlertLevel::None => "none",
        AlertLevel::Info => "info",
        AlertLevel::Warn => "warn",
        AlertLevel::Page => "page",
    };
    parts.push(format!("alert: {alert}"));
    parts.push(format!("max_dns_changes: {}", expect.max_dns_changes));
    parts.extend(expect.within.map(|within| format!("within: {}", time(within))));
    parts.extend(expect.not_before.map(|least| format!("not_before: {}", time(least))));
    if expect.outcome == Outcome::Hold && !expect.judged_from.is_zero() {
        parts.push(format!("judged_from: {}", time(expect.judged_from)));
    }
    parts.extend(expect.serves.as_ref().map(|site| format!("serves: {site}")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sim::language::{load, parse};

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let scenario = load(&path).unwrap();
            let text = write(&scenario);
            let again = parse(&text, &path).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
            assert_eq!(again, scenario, "{text}");
            count += 1;
        }
        assert!(count > 100, "{count}");
    }
}
