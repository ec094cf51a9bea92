//! Whole agents in simulated worlds.

use std::path::Path;

use super::language::{Scenario, load, parse};
use super::random::run;
use super::{Report, Task, simulate};

fn scenario(text: &str) -> Scenario {
    parse(text, Path::new("test.yml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn play(text: &str) -> Report {
    simulate(&scenario(text), 1).unwrap()
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).unwrap()
}

const SWITCH: &str = "
name: a switch
timeline: [{at: 0s, redis: {in: dc-a, is: dead}}, {at: 0s, control: {in: dc-a, is: {status: 503}}}]
expect: {outcome: failover, target: dc-b, alert: page, within: 1m}
";

#[test]
fn every_scenario_comes_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 100, "{}", files.len());
    let mut failed = String::new();
    for file in files {
        let report = simulate(&load(&file).unwrap(), 1).unwrap();
        if !report.passed {
            failed.push_str(&report.to_string());
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn a_seed_gives_the_same_run_and_another_one_another() {
    let (one, same, other) = (play(SWITCH), play(SWITCH), simulate(&scenario(SWITCH), 2).unwrap());
    assert_eq!(json(&one), json(&same));
    assert_ne!(json(&one), json(&other));
    assert!(one.passed && other.passed, "{one}\n{other}");
}

#[test]
fn a_run_that_differs_says_in_what() {
    let report = play(&SWITCH.replace("failover, target: dc-b", "hold"));
    assert!(!report.passed);
    let text = report.to_string();
    assert!(text.contains("FAIL a switch") && text.contains("moved to dc-b, expected no change"), "{text}");
}

#[test]
fn a_dead_agent_does_nothing_and_goes_on_where_it_was() {
    let text = SWITCH.replace(
        "]\nexpect",
        ", {on: {agent: b1, step: reply, when: before}, agent: {name: b1, is: killed}},
        {at: 3m, agent: {name: b1, is: started}}]\nexpect",
    );
    let report = play(&text);
    assert!(report.passed, "{report}");
    let is_of_b1 = |line: &&super::Line| line.agent.as_deref() == Some("b1");
    let of_b1: Vec<_> = report.timeline.iter().filter(is_of_b1).collect();
    let dead = of_b1.iter().position(|line| line.text == "is dead").unwrap();
    assert_eq!(of_b1[dead + 1].text, "runs", "{report}");
    assert!(of_b1[dead + 1].seconds >= 180.0, "{report}");
    assert!(of_b1[dead..].iter().any(|line| line.text == "ends its switch: done"), "{report}");
}

#[test]
fn two_primaries_that_applications_reach_are_a_broken_rule() {
    // Nobody runs who could keep the old one from taking writes, and one of four resolvers still sends it some.
    let report = play(
        "
name: an old primary comes back when nobody watches
world: {topology: replication}
policy: {promote: {kind: replicaof}}
timeline:
  - {at: 0s, redis: {in: dc-a, is: dead}}
  - {at: 0s, control: {in: dc-a, is: {status: 503}}}
  - {at: 10s, resolvers: {stale: 1, for: 20m}}
  - {at: 59s, agent: {name: all, is: killed}}
  - {at: 60s, redis: {in: dc-a, is: up}}
expect: {outcome: failover, target: dc-b, alert: page}
",
    );
    let rules: Vec<_> = report.violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, ["two_primaries"], "{report}");
}

#[test]
fn random_incidents_do_not_depend_on_the_threads() {
    let summary = |jobs| serde_json::to_string(&run(Task { count: 6, seed: 1, jobs }).unwrap()).unwrap();
    assert_eq!(summary(1), summary(3));
}
