//! What scenarios mean, what is wrong with the bad ones, and what no text may do.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::config::{Mode, Problems, Topology};
use crate::sim::language::*;
use crate::types::{AgentName, Ratio, RecordName, SiteName};

fn parsed(text: &str) -> Result<Scenario, Problems> {
    parse(text, Path::new("s.yml"))
}

/// What is wrong with a text, without the file's name.
fn wrong(text: &str) -> String {
    let problems = parsed(text).expect_err(text).to_string();
    problems.lines().map(|line| line.replacen("s.yml:", "", 1)).collect::<Vec<_>>().join("\n")
}

fn with_event(event: &str) -> String {
    format!(
        "name: x\nworld: {{targets: 4, services: 2}}\ntimeline:\n- {{{event}}}\nexpect: {{outcome: hold}}\n"
    )
}

/// What happens in a scenario of one event.
fn happening(event: &str) -> Happening {
    let scenario = parsed(&with_event(event)).unwrap_or_else(|problems| panic!("{event}: {problems}"));
    assert_eq!(scenario.timeline.len(), 1);
    scenario.timeline[0].what.clone()
}

fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

fn agent(name: &str) -> AgentName {
    AgentName::new(name).unwrap()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir("tests/scenarios").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yml"));
    files.sort();
    files
}

#[test]
fn every_scenario_of_the_house_is_sound() {
    let files = files();
    assert!(files.len() >= 103, "{} files", files.len());
    let failures: Vec<String> =
        files.iter().filter_map(|path| load(path).err().map(|problems| problems.to_string())).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for path in &files {
        let scenario = load(path).unwrap();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        assert_eq!(scenario.id.as_deref(), stem, "{}", path.display());
        assert!(scenario.why.is_some(), "{}", path.display());
    }
}

#[test]
fn a_short_scenario_has_the_defaults() {
    let scenario = parsed("name: quiet\ntimeline: []\nexpect: {outcome: hold}\n").unwrap();
    assert_eq!(scenario.world, World::default());
    assert_eq!(scenario.policy, PolicyText::default());
    assert_eq!((scenario.policy.mode, scenario.policy.dry_run), (Mode::Automatic, false));
    assert_eq!(scenario.history, []);
    let world = scenario.world;
    assert_eq!(world.datacenters, ["dc-a", "dc-b", "dc-c"].map(site));
    assert_eq!(world.members, ["dc-a", "dc-b"].map(site));
    assert_eq!((world.active, world.leader), (site("dc-a"), agent("b1")));
    let agents: Vec<_> = world.agents.into_iter().map(|a| (a.name, a.datacenter)).collect();
    assert_eq!(agents, [("a1", "dc-a"), ("b1", "dc-b"), ("c1", "dc-c")].map(|(a, d)| (agent(a), site(d))));
    let nothing = Duration::ZERO;
    let expect = scenario.expect;
    assert_eq!((expect.alert, expect.max_dns_changes, expect.judged_from), (AlertLevel::None, 0, nothing));
}

#[test]
fn a_world_is_read_whole() {
    let text = "
name: whole
world:
  datacenters: [x, y, z]
  members: [z, x]
  active: x
  topology: replication
  targets: 3
  services: 4
  agents: {one: x, two: z}
  enterprise: false
  clients: false
  domain_checks: false
  self_checks: false
  alerts: automatic
  ttl: 1m
  lag: 2s
  memory: 70
  probe_interval: 10s
  run: 1h
policy: {mode: recommend, dry_run: true, promote: {kind: replicaof, without_fencing: true}, confirm_window: 30s,
  flap: {penalty: 500}, theta_auto: 0.95}
history:
- switched: {from: x, to: z, ago: 2h, by: operator, acknowledged: true}
- switched: {from: z, to: x, ago: 1h}
timeline: []
expect: {outcome: failover, target: z, alert: page, within: 3m, not_before: 20s, serves: z}
";
    let scenario = parsed(text).unwrap();
    let world = &scenario.world;
    assert_eq!((&world.members, &world.active), (&vec![site("z"), site("x")], &site("x")));
    assert_eq!((world.topology, world.targets, world.services), (Topology::Replication, 3, 4));
    // The first one that is not beside the active site.
    assert_eq!(world.leader, agent("two"));
    assert_eq!([world.enterprise, world.clients, world.domain_checks, world.self_checks], [false; 4]);
    assert_eq!((world.alerts, world.memory_percent), (Alerts::Automatic, 70));
    let seconds = [world.ttl, world.lag, world.probe_interval, world.run].map(|time| time.as_secs());
    assert_eq!(seconds, [60, 2, 10, 3600]);
    let policy = &scenario.policy;
    assert_eq!((policy.mode, policy.dry_run), (Mode::Recommend, true));
    assert_eq!(policy.promote.as_deref(), Some(r#"{"kind": "replicaof", "without_fencing": true}"#));
    assert_eq!(policy.policy, r#"{"confirm_window": "30s", "theta_auto": 0.95, "flap": {"penalty": 500}}"#);
    assert_eq!(scenario.history[0].by, By::Operator);
    assert_eq!((scenario.history[1].by, scenario.history[1].is_acknowledged), (By::Automatic, false));
    let expect = &scenario.expect;
    assert_eq!(expect.outcome, Outcome::Failover(site("z")));
    assert_eq!((expect.max_dns_changes, expect.serves.clone()), (4, Some(site("z"))));
    assert_eq!(
        expect.within.zip(expect.not_before).map(|(a, b)| (a.as_secs(), b.as_secs())),
        Some((180, 20))
    );
}

#[test]
fn the_timeline_is_in_the_order_of_play() {
    let text = "
name: order
timeline:
- {on: {step: claim, when: after, agent: b1, nth: 2, delay: 5s}, dns: {is: up}}
- {at: 1m, dns: {is: denied}}
- {at: 0s, repeat: {every: 50s, times: 3}, dns: {is: pending}}
- {at: 1m, dns: {is: no_zone}}
expect: {outcome: hold}
";
    let at = |seconds| When::At(Duration::from_secs(seconds));
    let delay = Duration::from_secs(5);
    let on = Trigger { agent: Some(agent("b1")), step: Step::Claim, side: Side::After, nth: 2, delay };
    let events = parsed(text).unwrap().timeline;
    let found: Vec<_> = events.into_iter().map(|event| (event.at, event.what)).collect();
    assert_eq!(
        found,
        [
            (at(0), Happening::Dns(DnsState::Pending)),
            (at(50), Happening::Dns(DnsState::Pending)),
            (at(60), Happening::Dns(DnsState::Denied)),
            (at(60), Happening::Dns(DnsState::NoZone)),
            (at(100), Happening::Dns(DnsState::Pending)),
            (When::On(on), Happening::Dns(DnsState::Up)),
        ]
    );
}

#[test]
fn every_subject_can_be_said() {
    let (a, b) = (site("dc-a"), site("dc-b"));
    let share = |percent: f64| Ratio::clamped(percent / 100.0);
    let seconds = Duration::from_secs;
    let redis = |is, targets, to, service| Happening::Redis { site: site("dc-a"), is, targets, to, service };
    let all = |is| redis(is, vec![], Seers::Everybody, None);
    let control = |is| Happening::Control { site: site("dc-a"), is };
    let network = |path, is, only| Happening::Network { path, is, only };
    let dc = |name: &str| Place::Datacenter(site(name));
    let run = |who, is| Happening::Agent { who, is };
    let order = |does, who, service| Happening::Operator { does, who, service };
    let b1 = || Who::Named(agent("b1"));
    let rows = [
        ("redis: {in: dc-a, is: up}", all(RedisState::Up)),
        ("redis: {in: dc-a, is: {slow: 3s}}", all(RedisState::Slow(seconds(3)))),
        ("redis: {in: dc-a, is: {losing: 30}}", all(RedisState::Losing(share(30.0)))),
        (
            "redis: {in: dc-a, is: {answering: oom}, targets: [0, 3], to: clients, service: 1}",
            redis(RedisState::Answering(Answer::Oom), vec![0, 3], Seers::Clients, Some(1)),
        ),
        ("redis: {in: dc-a, is: dead, to: agents}", redis(RedisState::Dead, vec![], Seers::Agents, None)),
        (
            "redis: {in: dc-a, is: hung, to: [b1]}",
            redis(RedisState::Hung, vec![], Seers::Named(vec![agent("b1")]), None),
        ),
        (
            "redis: {in: dc-a, is: silent, to: b1}",
            redis(RedisState::Silent, vec![], Seers::Named(vec![agent("b1")]), None),
        ),
        (
            "loading: {in: dc-b, left: 20s}",
            Happening::Loading { site: b.clone(), left: seconds(20), service: None },
        ),
        ("lag: {in: dc-b, is: 60s}", Happening::Lag { site: b.clone(), is: Lag::Behind(seconds(60)) }),
        ("lag: {in: dc-b, is: unknown}", Happening::Lag { site: b.clone(), is: Lag::Unknown }),
        ("memory: {in: dc-b, percent: 130}", Happening::Memory { site: b.clone(), percent: 130 }),
        ("link: {in: dc-b, is: down}", Happening::Link { site: b.clone(), is: LinkState::Down }),
        ("control: {in: dc-a, is: tls}", control(ControlState::Tls)),
        (
            "control: {in: dc-a, is: {status: 503, code: no_quorum}}",
            control(ControlState::Status { status: 503, code: Some("no_quorum".to_owned()) }),
        ),
        ("control: {in: dc-a, is: {status: 401}}", control(ControlState::Status { status: 401, code: None })),
        ("datacenter: {name: dc-c, is: dark}", Happening::Datacenter { name: site("dc-c"), is: Power::Dark }),
        (
            "network: {between: [dc-a, b1], is: oneway}",
            network(
                NetworkPath::Between(dc("dc-a"), Place::Agent(agent("b1"))),
                NetworkState::Oneway,
                Ports::All,
            ),
        ),
        (
            "network: {around: dc-a, is: {losing: 5}, only: redis}",
            network(NetworkPath::Around(dc("dc-a")), NetworkState::Losing(share(5.0)), Ports::Redis),
        ),
        (
            "network: {between: [dc-a, dc-b], is: {slow: 1s}}",
            network(NetworkPath::Between(dc("dc-a"), dc("dc-b")), NetworkState::Slow(seconds(1)), Ports::All),
        ),
        ("agent: {name: leader, is: killed}", run(Who::Leader, AgentState::Killed)),
        ("agent: {name: all, is: {late: 5s}}", run(Who::All, AgentState::Late(seconds(5)))),
        (
            "clock: {agent: b1, by: 1h}",
            Happening::Clock { who: b1(), change: ClockChange::Ahead(seconds(3600)) },
        ),
        (
            "clock: {agent: b1, by: -1h}",
            Happening::Clock { who: b1(), change: ClockChange::Back(seconds(3600)) },
        ),
        ("clock: {agent: b1, drift: 1.5}", Happening::Clock { who: b1(), change: ClockChange::Drift(1.5) }),
        ("clients: {errors: measured}", Happening::Clients { site: None, errors: ClientErrors::Measured }),
        (
            "clients: {in: dc-a, errors: 25}",
            Happening::Clients { site: Some(a.clone()), errors: ClientErrors::Share(share(25.0)) },
        ),
        (
            "metrics: {in: dc-a, is: not_finite}",
            Happening::Metrics { site: a.clone(), is: MetricsState::NotFinite },
        ),
        ("anomaly: {in: dc-a, score: 0.5}", Happening::Anomaly { site: a.clone(), score: share(50.0) }),
        ("dns: {is: {throttled: 5}}", Happening::Dns(DnsState::Throttled(5))),
        ("dns: {is: {busy: 3s}}", Happening::Dns(DnsState::Busy(seconds(3)))),
        ("dns: {is: half_applied}", Happening::Dns(DnsState::HalfApplied)),
        ("dns: {visible_after: 3m}", Happening::DnsVisibleAfter(seconds(180))),
        (
            "record: {value: dc-b, ttl: 1h, service: 0}",
            Happening::Record {
                value: Some(RecordEdit::Site(b.clone())),
                ttl: Some(seconds(3600)),
                service: Some(0),
            },
        ),
        (
            "record: {value: Other.example.net.}",
            Happening::Record {
                value: Some(RecordEdit::Other(RecordName::new("other.example.net").unwrap())),
                ttl: None,
                service: None,
            },
        ),
        (
            "record: {value: missing}",
            Happening::Record { value: Some(RecordEdit::Missing), ttl: None, service: None },
        ),
        ("fence: {text: missing}", Happening::Fence { edit: FenceEdit::Missing, service: None }),
        ("fence: {text: v=9}", Happening::Fence { edit: FenceEdit::Text("v=9".to_owned()), service: None }),
        ("resolvers: {stale: 1, for: 20m}", Happening::Resolvers { stale: 1, lasts: seconds(1200) }),
        ("lease: {is: down}", Happening::Lease(LeaseState::Down)),
        (
            "lease: {is: {held_by: [b1, c1]}}",
            Happening::Lease(LeaseState::HeldBy(vec![agent("b1"), agent("c1")])),
        ),
        ("lease: {is: {moved_to: c1}}", Happening::Lease(LeaseState::MovedTo(agent("c1")))),
        ("operator: {does: pause}", order(Order::Pause, Who::All, None)),
        ("operator: {does: ack, agent: b1, service: 1}", order(Order::Ack, b1(), Some(1))),
        ("operator: {does: failover, to: dc-b}", order(Order::Failover(b.clone()), Who::Leader, None)),
        ("operator: {does: failback, to: dc-b}", order(Order::Failback(b.clone()), Who::Leader, None)),
        (
            "operator: {does: maintenance, of: dc-b, for: 1h}",
            order(Order::Maintenance(Some(b.clone()), seconds(3600)), Who::All, None),
        ),
        (
            "operator: {does: maintenance, of: service, for: 1h}",
            order(Order::Maintenance(None, seconds(3600)), Who::All, None),
        ),
        ("config: {agent: b1, becomes: broken}", Happening::BrokenConfig { who: b1() }),
    ];
    for (text, wanted) in rows {
        assert_eq!(happening(&format!("at: 0s, {text}")), wanted, "{text}");
    }
    let Happening::Webhook(post) =
        happening("at: 0s, webhook: {to: [a1, leader], times: 50, over: 10s, token: none}")
    else {
        panic!("a webhook");
    };
    assert_eq!(post.to, [Who::Named(agent("a1")), Who::Leader]);
    assert_eq!((post.times, post.over, post.token), (50, seconds(10), Token::Missing));
    assert_eq!((post.alert.as_str(), post.fingerprint, post.starts), ("RedisDown", Fingerprint::Same, None));
}

#[test]
fn what_is_wrong_with_an_event_is_said() {
    for (event, sentence) in [
        ("at: 0s", "timeline[0]: says nothing that can happen"),
        ("redis: {in: dc-a, is: dead}", "timeline[0].at: is missing (mend: add at, such as at: 30s)"),
        (
            "at: 0s, on: {step: claim, when: after}, dns: {is: up}",
            "timeline[0].at: is given as well as on (mend: keep one of the two)",
        ),
        (
            "at: 0s, dns: {is: up}, lease: {is: up}",
            "timeline[0]: says dns and lease at once (mend: keep one, and give the others entries of their own)",
        ),
        ("at: 0s, reddis: {}", "timeline[0].reddis: is not a known key (mend: did you mean redis?)"),
        (
            "at: 1h, dns: {is: up}",
            "timeline[0].at: happens at 1h, after the end of the run (mend: write run: 1h or more under world)",
        ),
        (
            "at: 0s, redis: {in: dc-c, is: dead}",
            "timeline[0].redis.in: dc-c is not a member of this world (mend: write one of dc-a, dc-b)",
        ),
        (
            "at: 0s, redis: {in: dc-a, is: ded}",
            "timeline[0].redis.is: \"ded\" is not known (mend: write one of up, dead, hung, silent, unresolvable, {slow: …}, {losing: …}, {answering: …})",
        ),
        (
            "at: 0s, redis: {in: dc-a, is: {slow: 3s, losing: 4}}",
            "timeline[0].redis.is: says slow and losing at once (mend: keep one, and give the others entries of their own)",
        ),
        (
            "at: 0s, redis: {in: dc-a, is: {losing: 101}}",
            "timeline[0].redis.is.losing: 101 is not a percentage from 0 to 100 (mend: write a percentage from 0 to 100, such as 30)",
        ),
        (
            "at: 0s, redis: {in: dc-a, is: {answering: wrongpass}}",
            "timeline[0].redis.is.answering: \"wrongpass\" is not known (mend: write one of auth, permission, tls, loading, readonly, misconf, oom, busy, masterdown, noreplicas, maxclients, protocol)",
        ),
        (
            "at: 0s, redis: {in: dc-a, is: dead, targets: [4]}",
            "timeline[0].redis.targets[0]: 4 is beyond the last one (mend: write a number from 0 to 3, or raise targets under world)",
        ),
        (
            "at: 0s, redis: {in: dc-a, is: dead, to: [x1]}",
            "timeline[0].redis.to[0]: x1 is not an agent of this world (mend: write one of a1, b1, c1)",
        ),
        ("at: 0s, lag: {in: dc-b}", "timeline[0].lag.is: is missing (mend: add is, such as is: 60s)"),
        (
            "at: 0s, lag: {in: dc-b, is: 60}",
            "timeline[0].lag.is: 60 is a bare number, not a duration (mend: add the unit, such as 60s, or unknown)",
        ),
        (
            "at: 0s, network: {between: [dc-a, dc-a], is: cut}",
            "timeline[0].network.between: is not a pair of different places (mend: write two, such as [dc-a, b1])",
        ),
        (
            "at: 0s, network: {around: x, is: cut}",
            "timeline[0].network.around: x is neither a datacenter nor an agent of this world (mend: write one of dc-a, dc-b, dc-c, a1, b1, c1)",
        ),
        (
            "at: 0s, network: {around: b1, is: oneway}",
            "timeline[0].network.is: has no direction around a place (mend: write between: [from, to], once for each other place)",
        ),
        (
            "at: 0s, agent: {name: d1, is: killed}",
            "timeline[0].agent.name: d1 is not an agent of this world (mend: write one of a1, b1, c1, or leader, or all)",
        ),
        (
            "at: 0s, clock: {agent: a1, by: 1h, drift: 2}",
            "timeline[0].clock: says by and drift at once (mend: keep one, and give the others entries of their own)",
        ),
        ("at: 0s, record: {}", "timeline[0].record: changes nothing (mend: write value, ttl, or both)"),
        (
            "at: 0s, operator: {does: pause, to: dc-b}",
            "timeline[0].operator.to: belongs to failover and failback only (mend: remove it)",
        ),
        (
            "at: 0s, webhook: {body: '{}', alert: x}",
            "timeline[0].webhook.alert: has no place beside body (mend: keep one of the two)",
        ),
        (
            "on: {step: dnswrite, when: before}, dns: {is: up}",
            "timeline[0].on.step: \"dnswrite\" is not known (mend: write one of decide, ticket, recheck, claim, fence, promote, prove, dns_write, reply, verify, outcome)",
        ),
        (
            "at: 0s, repeat: {every: 0s, times: 3}, dns: {is: up}",
            "timeline[0].repeat.every: 0s is not from 1ms to 4w2d (mend: write a duration from 1ms to 4w2d)",
        ),
    ] {
        let found = wrong(&with_event(event));
        assert!(found.starts_with(&format!("4: {sentence}")), "{event}\n{found}");
        assert_eq!(found.lines().count(), 1, "{event}\n{found}");
    }
}

#[test]
fn all_mistakes_are_named_at_once_with_their_lines() {
    let text = "
name: |
  two
  lines
world:
  datacenters: [dc-a, dc-b, dc-a]
  targets: 0
  agents: {all: dc-a, b1: dc-x}
  run: 5
policy: {mode: auto, theta_auto: 2, confirm_windw: 3s, promote: {kind: magic}}
history:
- switched: {from: dc-a, to: dc-a, ago: 5m}
timeline:
- {at: 0s, redis: {in: dc-q, is: dead}}
- {at: soon, control: {in: dc-a, is: {status: 42}}}
expect: {outcome: win, alert: loud}
";
    assert_eq!(
        wrong(text),
        "\
2: name: has more than one line (mend: write one line, and the rest under why)
6: world.datacenters[2]: is there already (mend: keep one of the two)
7: world.targets: 0 is not a whole number from 1 to 64 (mend: write a whole number from 1 to 64)
9: world.run: 5 is a bare number, not a duration (mend: add the unit, such as 5s)
10: policy.confirm_windw: is not a known key (mend: did you mean confirm_window?)
10: policy.theta_auto: 2 is not a number from 0 to 1 (mend: write a number from 0 to 1, such as 0.9)
10: policy.promote.kind: \"magic\" is not known (mend: write one of replicaof, enterprise, exec, webhook)
10: policy.mode: \"auto\" is not known (mend: write one of observe, recommend, automatic)
12: history[0].switched: leads to where it began (mend: write two different sites)
15: timeline[1].at: \"soon\" is not a duration (mend: write it as 30s, 1h30m or 500ms)
15: timeline[1].control.is.status: 42 is not a whole number from 100 to 599 (mend: write a whole number from 100 to 599)
16: expect.outcome: \"win\" is not known (mend: write one of hold, recommend, failover, halt, settled)
16: expect.alert: \"loud\" is not known (mend: write one of none, info, warn, page)"
    );
}

#[test]
fn what_is_wrong_around_the_timeline_is_said() {
    let with = |line: &str| format!("name: x\n{line}\ntimeline: []\nexpect: {{outcome: hold}}\n");
    for (text, sentence) in [
        (String::new(), "is empty (mend: write name, timeline and expect)"),
        ("name: x\n".to_owned(), "1: timeline: is missing"),
        ("{]".to_owned(), "1: is not valid YAML"),
        (with("world: {members: [dc-a]}"), "2: world.members: has 1 names (mend: write 2 to 9 names)"),
        (
            with("world: {members: [dc-a, dc-d]}"),
            "2: world.members[1]: dc-d is not one of the datacenters here (mend: write one of dc-a, dc-b, dc-c)",
        ),
        (
            with("world: {active: dc-c}"),
            "2: world.active: dc-c is not one of the datacenters here (mend: write one of dc-a, dc-b)",
        ),
        (
            with("world: {agents: {}}"),
            "2: world.agents: has 0 agents (mend: name 1 to 15 agents, such as {a1: dc-a})",
        ),
        (
            with("world: {agents: {dc-a: dc-a}}"),
            "2: world.agents.dc-a: is the name of something else (mend: write another name)",
        ),
        (with("world: {leader: d1}"), "2: world.leader: d1 is not an agent (mend: write one of a1, b1, c1)"),
        (
            with("world: {ttl: 1500ms}"),
            "2: world.ttl: is not a whole number of seconds (mend: write it as 30s)",
        ),
        (
            with("history: [{switched: {from: dc-a, to: dc-b, ago: 5m}}]"),
            "2: history: leads to dc-b, but dc-a is active (mend: write active: dc-b under world)",
        ),
        (
            with(
                "history: [{switched: {from: dc-b, to: dc-a, ago: 5m}}, {switched: {from: dc-b, to: dc-a, ago: 9m}}]",
            ),
            "2: history[1]: begins at dc-b, but the switch before it led to dc-a (mend: let each switch begin where the last one led)",
        ),
        (
            with("world: {enterprise: false}").replace("[]", "[{at: 0s, control: {in: dc-a, is: dead}}]"),
            "3: timeline[0].control: needs control planes, and this world has none (mend: write enterprise: true under world)",
        ),
        (
            with("").replace("hold", "failover"),
            "4: expect.target: is missing (mend: add target, such as target: dc-b)",
        ),
        (
            with("").replace("hold", "halt, target: dc-b"),
            "4: expect.target: has no meaning for this outcome (mend: remove it)",
        ),
        (
            with("").replace("hold", "hold, judged_from: 10m"),
            "4: expect.judged_from: leaves nothing to judge (mend: write a time before the end of the run, 10m)",
        ),
        (
            with("").replace("hold", "halt, judged_from: 1m"),
            "4: expect.judged_from: belongs to outcome hold only: the others go by the end of the run (mend: remove it)",
        ),
    ] {
        let found = wrong(&text);
        assert!(found.lines().any(|line| line.trim_start().starts_with(sentence)), "{text}\n{found}");
    }
}

#[test]
fn the_documentation_tells_the_truth() {
    let text = fs::read_to_string("docs/scenarios.md").unwrap();
    let examples: Vec<&str> =
        text.split("```yaml").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        assert!(parsed(example).is_ok(), "{example}\n{}", wrong(example));
    }
    // The first cell of a row of the tables about the timeline is an event.
    let (mut events, mut subjects) = (0, std::collections::BTreeSet::new());
    for row in text.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cell = row.split('`').next().unwrap_or_default();
        let subject = cell.split(':').next().unwrap_or_default();
        if event::SUBJECTS.contains(&subject) && cell.contains('{') {
            events += 1;
            subjects.insert(subject);
            let cell = cell.replace("is: …", "is: up").replace('…', "x");
            let found = parsed(&with_event(&format!("at: 0s, {cell}")));
            assert!(found.is_ok(), "{cell}: {}", found.unwrap_err());
        }
    }
    assert!(events >= 24, "{events}");
    let all: std::collections::BTreeSet<&str> = event::SUBJECTS.iter().copied().collect();
    assert_eq!(subjects, all);
    for (word, _) in Step::WORDS {
        assert!(text.contains(&format!("`{word}`")), "{word}");
    }
    for (word, _) in Answer::WORDS {
        assert!(text.contains(&format!("`{word}`")), "{word}");
    }
}

/// A text in which one slice was replaced.
fn mutated(text: &str, at: usize, length: usize, with: &str) -> String {
    let start = text.floor_char_boundary(at % text.len().max(1));
    let end = text.floor_char_boundary((start + length).min(text.len()));
    format!("{}{with}{}", &text[..start], &text[end..])
}

proptest::proptest! {
    #[test]
    fn no_mutation_panics(
        file in 0..103_usize,
        changes in proptest::collection::vec((0..2000_usize, 0..12_usize, "[-a-z0-9:{}\\[\\]&*!?\"'.,#\n ]{0,6}"), 1..6),
    ) {
        let mut text = fs::read_to_string(&files()[file]).unwrap();
        for (at, length, with) in &changes {
            text = mutated(&text, *at, *length, with);
        }
        if let Err(problems) = parsed(&text) {
            proptest::prop_assert!(!problems.list().is_empty());
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = parsed(&text);
    }
}
