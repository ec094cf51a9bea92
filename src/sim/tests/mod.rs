//! Whole agents in simulated worlds.

use std::path::Path;
use std::time::Duration;

use super::language::{Scenario, load, parse};
use super::play::empty_world;
use super::random::{Task, run};
use super::world::{Life, State, What};
use super::{Report, simulate};
use crate::types::{ResourceSet, Role};

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
fn two_primaries_that_nobody_holds_back_are_a_broken_rule() {
    let world = scenario("name: x\nworld: {topology: replication}\ntimeline: []\nexpect: {outcome: hold}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let (world, _commands) = empty_world(&world).unwrap();
        let mut state = world.state();
        state.actors[0].life = Life::Running;
        state.sites[0][1].targets[0].role = Role::Primary;
        let mut record = state.zones[0].state.clone();
        record.record = Some(ResourceSet::single(30, world.layout.value(0, 1)));
        state.hold(0, Some(0), record, Duration::ZERO);
        let broken = |state: &mut State, seconds| {
            state.settle(0, Duration::from_secs(seconds));
            state.trace.iter().filter(|line| matches!(line.what, What::Broken(_))).count()
        };
        assert_eq!(broken(&mut state, 2), 0);
        assert_eq!(broken(&mut state, 8), 0, "a round and a second are not over");
        assert_eq!(broken(&mut state, 9), 1);
        assert_eq!(broken(&mut state, 20), 1, "it is said once");
    });
}

#[test]
fn random_incidents_do_not_depend_on_the_threads() {
    let summary = |jobs| serde_json::to_string(&run(Task { count: 6, seed: 1, jobs }).unwrap()).unwrap();
    assert_eq!(summary(1), summary(3));
}
