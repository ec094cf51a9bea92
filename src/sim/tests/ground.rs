//! Scenarios on the services of a configuration file.

use std::path::Path;
use std::time::Duration;

use super::SEED;
use crate::config::{Config, Mode, Policy, Rules, Topology, parse};
use crate::sim::language::{Ground, GroundError, Scenario, load_on, write};
use crate::sim::random::run;
use crate::sim::{Task, simulate};
use crate::types::Ratio;

const FILE: &str = "
global: {probe_interval: 10s, probe_timeout: 700ms}
agent:
  name: office-1
  failure_domain: office
  data_dir: /var/lib/redrover
  vantages:
    - {name: fra-1, failure_domain: fra, url: \"https://fra-1.example.com:9911\"}
    - {name: ams-1, failure_domain: ams, url: \"https://ams-1.example.com:9911\"}
webhook: {bearer_token_env: SECRET}
datacenters:
  - {name: fra, domain_checks: [{tcp: \"gateway.fra.example.com:22\"}]}
  - {name: ams, domain_checks: [{tcp: \"gateway.ams.example.com:22\"}]}
services:
  - name: sessions
    topology: replication
    mode: automatic
    record: {provider: route53, zone_id: Z1, name: sessions.example.com, type: CNAME, ttl: 20s}
    redis: {username: redrover, password_env: SECRET}
    sites:
      - {datacenter: fra, dns_target: redis.fra.example.com, targets: [\"redis://redis.fra.example.com:6379\"]}
      - {datacenter: ams, dns_target: redis.ams.example.com, targets: [\"redis://redis.ams.example.com:6379\"]}
    promote: {kind: replicaof}
    canary: {enabled: true}
    policy: {confirm_window: 40s, rpo_hard: 12s, theta_auto: 0.92, weights: {alert: 3}}
  - name: carts
    topology: active-active
    record: {provider: route53, zone_id: Z1, name: carts.example.com, type: CNAME, ttl: 5s}
    sites:
      - {datacenter: ams, dns_target: carts.ams.example.com, targets: [\"redis://carts.ams.example.com:6379\"]}
      - {datacenter: fra, dns_target: carts.fra.example.com, targets: [\"redis://carts.fra.example.com:6379\"]}
";

fn config(text: &str) -> Config {
    let env = |_: &str| Some("hunter2".to_owned());
    parse(text, Path::new("redrover.yml"), &env, Rules::Simulator).unwrap_or_else(|p| panic!("{p}")).config
}

fn ground(text: &str, service: usize) -> Result<Ground, GroundError> {
    let config = config(text);
    Ground::of(&config, &config.services[service])
}

/// A scenario on the first service of the file.
fn on(scenario: &str) -> Result<Scenario, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.yml");
    std::fs::write(&path, scenario).unwrap();
    load_on(&ground(FILE, 0).unwrap(), &path).map_err(|problems| problems.to_string())
}

#[test]
fn a_ground_is_what_the_file_says() {
    let sessions = ground(FILE, 0).unwrap();
    let world = sessions.world();
    let places: Vec<&str> = world.datacenters.iter().map(|name| name.as_str()).collect();
    assert_eq!(places, ["fra", "ams", "office"]);
    let agents: Vec<(&str, &str)> =
        world.agents.iter().map(|agent| (agent.name.as_str(), agent.datacenter.as_str())).collect();
    assert_eq!(agents, [("office-1", "office"), ("fra-1", "fra"), ("ams-1", "ams")]);
    assert_eq!((world.active.as_str(), world.leader.as_str()), ("fra", "office-1"));
    assert_eq!((world.topology, world.targets), (Topology::Replication, 1));
    assert_eq!((world.enterprise, world.clients), (false, false));
    assert_eq!((world.domain_checks, world.self_checks), (true, false));
    let times = [world.ttl, world.probe_interval, world.probe_timeout];
    assert_eq!(times, [20_000, 10_000, 700].map(Duration::from_millis));
    let policy = sessions.policy();
    assert_eq!((policy.mode, policy.canary), (Mode::Automatic, true));
    let carts = ground(FILE, 1).unwrap();
    assert_eq!((carts.policy().mode, carts.policy().canary), (Mode::Recommend, false));
    assert_eq!((carts.world().active.as_str(), carts.world().topology), ("ams", Topology::ActiveActive));
}

#[test]
fn a_policy_is_carried_over_whole() {
    let config = config(FILE);
    // Each number differs from its default, so that none can be forgotten.
    let policy = Policy {
        confirm_window: Duration::from_millis(41_500),
        confirm_rounds: 5,
        isolation_confirm: Duration::from_secs(91),
        theta_auto: Ratio::clamped(0.921),
        theta_recommend: Ratio::clamped(0.61),
        rpo_soft: Duration::from_secs(2),
        rpo_hard: Duration::from_secs(31),
        lag_evidence_max_age: Duration::from_secs(61),
        loading_budget: Duration::from_secs(62),
        flap: crate::config::Flap {
            penalty: 1001.5,
            half_life: Duration::from_secs(901),
            suppress: 2001.0,
            reuse: 751.0,
        },
        min_auto_interval: Duration::from_secs(1801),
        failback_stability: Duration::from_secs(1802),
        watch_period: Duration::from_secs(301),
        decision_ttl: Duration::from_secs(63),
        config_error_severity_cap: Ratio::clamped(0.59),
        accept_fewer_vantages: true,
        weights: crate::config::Weights {
            bias: -6.4,
            vantage: 6.1,
            control: 2.6,
            peer: 2.1,
            client: 2.2,
            domain: 2.3,
            alert: 1.6,
            anomaly: 1.1,
        },
    };
    let service = crate::config::Service { policy: policy.clone(), ..config.services[0].clone() };
    let text = Ground::of(&config, &service).unwrap().policy().policy.clone();
    let again = self::config(
        &FILE.replace("{confirm_window: 40s, rpo_hard: 12s, theta_auto: 0.92, weights: {alert: 3}}", &text),
    );
    assert_eq!(again.services[0].policy, policy, "{text}");
}

#[test]
fn a_scenario_is_played_on_a_service_of_the_file() {
    let scenario = on("
name: fra dies
timeline:
- {at: 0s, redis: {in: fra, is: dead}}
- {at: 0s, webhook: {alert: RedisDown, site: fra, to: all}}
expect: {outcome: failover, target: ams, alert: page, not_before: 40s, within: 80s}
")
    .unwrap();
    assert_eq!(scenario.name, "sessions: fra dies");
    let report = simulate(&scenario, SEED).unwrap();
    assert!(report.passed, "{report}");
    assert!(report.to_string().contains("sessions"), "{report}");
    // With the policy of the file 12 s of lag are too much.
    let behind = scenario_text_with_lag("12s", "recommend");
    let report = simulate(&on(&behind).unwrap(), SEED).unwrap();
    assert!(report.passed, "{report}");
}

fn scenario_text_with_lag(lag: &str, outcome: &str) -> String {
    format!(
        "
name: fra dies
world: {{lag: {lag}}}
timeline:
- {{at: 0s, redis: {{in: fra, is: dead}}}}
- {{at: 0s, webhook: {{alert: RedisDown, site: fra, to: all}}}}
expect: {{outcome: {outcome}, target: ams, alert: page}}
"
    )
}

#[test]
fn what_the_file_says_the_scenario_must_not() {
    for (said, key) in [
        ("world: {topology: active-active}", "world.topology"),
        ("world: {agents: {a1: fra}}", "world.agents"),
        ("world: {run: 1m, probe_timeout: 1s}", "world.probe_timeout"),
        ("policy: {confirm_window: 10s}", "policy"),
    ] {
        let text = format!("name: x\n{said}\ntimeline: []\nexpect: {{outcome: hold}}\n");
        let problems = on(&text).unwrap_err();
        assert_eq!(problems.lines().count(), 1, "{problems}");
        let sentence = format!("s.yml:2: {key}: is what the configuration file says");
        assert!(problems.contains(&sentence), "{problems}");
    }
    let unknown = "name: x\ntimeline: [{at: 0s, redis: {in: dc-a, is: dead}}]\nexpect: {outcome: hold}\n";
    assert!(on(unknown).unwrap_err().contains("dc-a is not a member of this world"));
    // A file without vantages does not say who else looks.
    let start = FILE.find("  vantages:").unwrap();
    let end = FILE.find("webhook:").unwrap();
    let alone = format!("{}{}", &FILE[..start], &FILE[end..]).replace("mode: automatic", "mode: recommend");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.yml");
    let three =
        "name: x\nworld: {agents: {a1: fra, b1: ams, c1: office}}\ntimeline: []\nexpect: {outcome: hold}\n";
    std::fs::write(&path, three).unwrap();
    assert_eq!(load_on(&ground(&alone, 0).unwrap(), &path).unwrap().world.agents.len(), 3);
}

#[test]
fn what_the_simulator_cannot_play_is_said() {
    let rename = |from: &str, to: &str| ground(&FILE.replace(from, to), 0).unwrap_err();
    let interval = Duration::from_secs(1);
    assert_eq!(rename("probe_interval: 10s", "probe_interval: 1s"), GroundError::Interval { interval });
    assert_eq!(rename("office-1", "leader"), GroundError::Name { name: "leader".to_owned() });
    assert_eq!(rename("fra-1", "ams"), GroundError::Name { name: "ams".to_owned() });
}

#[test]
fn random_incidents_are_drawn_on_the_services() {
    let grounds = [ground(FILE, 0).unwrap(), ground(FILE, 1).unwrap()];
    let summary = run(Task { count: 4, seed: 3, jobs: 2 }, &grounds, &|_| ()).unwrap();
    assert_eq!((summary.incidents, summary.failed), (4, 0), "{:?}", summary.failures);
}

#[test]
fn a_world_of_a_file_can_be_written_and_read_without_it() {
    let scenario = on("name: quiet\ntimeline: []\nexpect: {outcome: hold}\n").unwrap();
    let text = write(&scenario);
    let mut again =
        crate::sim::language::parse(&text, Path::new("s.yml")).unwrap_or_else(|p| panic!("{p}\n{text}"));
    assert_eq!(again.world.called.take(), None);
    again.world.called = scenario.world.called.clone();
    assert_eq!(again.world, scenario.world);
    assert_eq!((again.policy.mode, again.policy.canary), (scenario.policy.mode, scenario.policy.canary));
}

#[test]
fn the_example_in_the_documentation_is_true() {
    let page = std::fs::read_to_string("docs/scenarios.md").unwrap();
    let example =
        page.split("```\n").find(|part| part.starts_with("name: the first datacenter burns")).unwrap();
    let report = simulate(&on(example).unwrap(), SEED).unwrap();
    assert!(report.passed, "{report}");
}
