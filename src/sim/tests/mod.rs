//! Whole agents in simulated worlds.

mod evidence;
mod ground;
mod guards;
mod slow;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Task;
use super::language::{Scenario, load, parse};
use super::play::empty_world;
use super::random::run;
use super::world::{Life, State, What};
use super::{Report, simulate};
use crate::types::{ResourceSet, Role};

/// What all tests play by, as the command line does unless told otherwise.
const SEED: u64 = 1;

/// Does the same with each of many, on several threads; returns what some of them gave, in their order.
fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> Option<R> + Sync) -> Vec<R> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, one)) =
                    all.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed))
                {
                    let done = work(one);
                    found.lock().unwrap().extend(done.map(|done| (index, done)));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, done)| done).collect()
}

fn scenario(text: &str) -> Scenario {
    parse(text, Path::new("test.yml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn play(text: &str) -> Report {
    simulate(&scenario(text), SEED).unwrap()
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
    let failed = side_by_side(&files, |file| {
        let report = simulate(&load(file).unwrap(), SEED).unwrap();
        (!report.passed).then(|| report.to_string())
    });
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
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
    let summary =
        |jobs| serde_json::to_string(&run(Task { count: 6, seed: 1, jobs }, &[], &|_| ()).unwrap()).unwrap();
    assert_eq!(summary(1), summary(3));
}
