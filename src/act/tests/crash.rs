//! Death at every point of every scenario, before and after it took effect, and again while going on after the restart.
//!
//! The points are counted by running, never listed: a step that is added to a switch is died at as well.

use std::sync::Arc;
use std::time::Duration;

use super::fuse::{Fuse, When};
use super::life::{Shape, Stage};
use super::scenarios::{SCENARIOS, Scenario};
use super::world::{Event, Promotion};
use crate::decide::saga::Outcome;
use crate::types::Role;

/// At this point of a plain switch the promotion is ordered.
const PROMOTE: usize = 6;

fn stage(scenario: &Scenario) -> Stage {
    Stage::new(scenario.shape, scenario.arrange)
}

/// Lives up to a point; the points that were reached.
async fn first_life(stage: &Stage, point: usize, when: When) -> Vec<String> {
    let fuse = Arc::new(Fuse::at(point, when));
    stage.live(&fuse, usize::MAX).await;
    fuse.passed()
}

#[tokio::test(start_paused = true)]
async fn a_plain_switch_has_these_points() {
    let writes_and_effects = [
        "write ticketed",
        "change",
        "write claim",
        "fence",
        "write fence",
        "write recheck",
        "promote",
        "write promote",
        "write prove",
        "fence",
        "change",
        "write switch",
        "write verify",
        "write switched",
    ];
    let stage = stage(&SCENARIOS[0]);
    assert_eq!(first_life(&stage, usize::MAX, When::Before).await, writes_and_effects);
}

#[tokio::test(start_paused = true)]
async fn a_death_at_any_point_is_finished_or_safely_dropped() {
    let mut deaths = 0;
    for scenario in SCENARIOS {
        for when in When::ALL {
            for point in 0.. {
                let stage = stage(scenario);
                let points = first_life(&stage, point, when).await;
                let is_over = points.len() <= point;
                let why = format!("{}, death {when:?} point {point} of {points:?}", scenario.name);
                stage.check(&why);
                stage.settle().await;
                stage.check_end(&why).await;
                let events = stage.world.events().len();
                stage.settle().await;
                assert_eq!(stage.world.events().len(), events, "{why}: done again");
                if is_over {
                    break;
                }
                deaths += 1;
            }
        }
    }
    println!("{} scenarios, {deaths} deaths", SCENARIOS.len());
    assert!(deaths > SCENARIOS.len() * When::ALL.len(), "only {deaths} deaths");
}

#[tokio::test(start_paused = true)]
async fn a_second_death_while_going_on_is_survived_too() {
    let names = [
        "the old primary is gone",
        "both sites are active",
        "with hooks",
        "the promotion fails",
        "planned, the last writes arrive",
        "planned, the last writes never arrive",
    ];
    let mut deaths = 0;
    for scenario in SCENARIOS.iter().filter(|s| names.contains(&s.name)) {
        for (when, second) in [
            (When::Before, When::Before),
            (When::Before, When::After),
            (When::After, When::Before),
            (When::After, When::After),
        ] {
            for point in 0.. {
                if twice(scenario, (point, when), second, &mut deaths).await {
                    break;
                }
            }
        }
    }
    println!("{} scenarios, {deaths} pairs of deaths", names.len());
    assert!(deaths > 0);
}

/// Dies at one point, and then at each point of the life after; whether the first death was beyond the end.
async fn twice(scenario: &Scenario, first: (usize, When), second: When, deaths: &mut usize) -> bool {
    for point in 0.. {
        let stage = stage(scenario);
        let points = first_life(&stage, first.0, first.1).await;
        if points.len() <= first.0 {
            return true;
        }
        let fuse = Arc::new(Fuse::at(point, second));
        stage.go_on(&fuse).await;
        let then = fuse.passed();
        let why = format!("{}, death {first:?} of {points:?}, then {second:?} {then:?}", scenario.name);
        stage.check(&why);
        stage.settle().await;
        stage.check_end(&why).await;
        if then.len() <= point {
            return false;
        }
        *deaths += 1;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_once_the_journal_fails() {
    let mut failures = 0;
    for scenario in SCENARIOS {
        for write in 0.. {
            let stage = stage(scenario);
            let outcome = stage.live(&Arc::new(Fuse::default()), write).await;
            let events = stage.world.events();
            let Some(failed) = events.iter().position(|e| *e == Event::Failed) else { break };
            let why = format!("{}, the journal fails at write {write}", scenario.name);
            assert_eq!(outcome, None, "{why}");
            assert!(events[failed..].iter().all(|e| *e == Event::Failed), "{why}: {events:#?}");
            stage.check(&why);
            stage.settle().await;
            stage.check_end(&why).await;
            failures += 1;
        }
    }
    println!("{} scenarios, {failures} failing writes", SCENARIOS.len());
}

/// The agent dies with its order on the way: what the target says right after the restart is not the last word.
#[tokio::test(start_paused = true)]
async fn an_order_that_arrives_after_the_death_is_not_taken_for_lost() {
    let stage = Stage::new(Shape::Replication, |s| s.promotion = Promotion::Late(Duration::from_secs(1)));
    let points = first_life(&stage, PROMOTE, When::After).await;
    assert_eq!(points.last().map(String::as_str), Some("promote"), "{points:?}");
    assert!(stage.world.state().roles.iter().all(|role| *role == Role::Replica));
    stage.settle().await;
    assert_eq!(stage.outcome().await, Some(Outcome::Switched), "{:?}", stage.world.events());
}
