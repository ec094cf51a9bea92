//! Stories of the replication lag: how it is measured, how long it counts, and when it is forgotten.

use super::world::{ROUND_BYTES, World, expect, secs, vetoes};
use crate::decide::{AlertLevel, Decision, Dimension, Verdict};
use crate::types::{CanaryResult, GapReason, Role};

const PAGE: AlertLevel = AlertLevel::Page;

fn told(decision: &Decision) -> &str {
    let lag = decision.fitness[0].dimensions.iter().find(|d| d.dimension == Dimension::Lag);
    &lag.unwrap().because
}

const UNKNOWN: &str = "no measurement recent enough before the outage";

#[test]
fn it_is_interpolated_between_the_rounds() {
    let mut world = World::replication().warmed();
    for (behind, want) in [
        (0, "0.0 s"),
        (ROUND_BYTES / 4, "1.2 s"),
        (ROUND_BYTES / 2, "2.5 s"),
        (ROUND_BYTES, "5.0 s"),
        (5 * ROUND_BYTES / 2, "12.5 s"),
    ] {
        world.behind_bytes = behind;
        assert_eq!(told(&world.round()), format!("{want} behind when last measured"), "{behind} bytes");
    }
}

#[test]
fn behind_all_that_is_remembered_is_at_least_as_old_as_the_oldest() {
    let mut world = World::replication();
    world.behind_bytes = 500_000;
    assert_eq!(told(&world.round()), "0.0 s behind when last measured", "nothing older is known yet");
    assert_eq!(told(&world.rounds(24)), "120.0 s behind when last measured");
    assert!(vetoes(&world.round()).contains(&"lag_above"));
}

#[test]
fn the_last_one_before_the_outage_counts() {
    let mut world = World::replication().warmed().alerted();
    world.behind_bytes = 100;
    world.round();
    world.kill("dc-a", GapReason::Refused);
    let decision = world.rounds(5);
    expect(&decision, Verdict::Failover, PAGE, &["confirmed"]);
    assert_eq!(told(&decision), "0.5 s behind when last measured");
    let later = world.rounds(60);
    expect(&later, Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn one_too_old_when_the_outage_began_is_none() {
    for (rounds_without, want) in [(11, Verdict::Failover), (12, Verdict::Recommend)] {
        let mut world = World::replication().warmed().alerted();
        world.node("dc-b").facts().offset_bytes = None;
        world.rounds(rounds_without);
        world.kill("dc-a", GapReason::Refused);
        let decision = world.rounds(5);
        assert_eq!(decision.verdict, want, "{rounds_without} rounds without a measurement");
        assert_eq!(told(&decision) == UNKNOWN, want == Verdict::Recommend);
        if want == Verdict::Recommend {
            expect(&decision, Verdict::Recommend, PAGE, &["lag_unknown"]);
        }
    }
}

#[test]
fn time_in_which_the_agent_was_blind_makes_it_older() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Dns);
    world.rounds(15);
    world.kill("dc-a", GapReason::Refused);
    expect(&world.rounds(5), Verdict::Recommend, PAGE, &["lag_unknown"]);
}

#[test]
fn too_much_of_it_is_at_most_recommended() {
    let mut world = World::replication().warmed().alerted();
    world.behind_bytes = 60 * 200;
    assert_eq!(world.round().verdict, Verdict::Hold);
    world.kill("dc-a", GapReason::Refused);
    expect(&world.rounds(5), Verdict::Recommend, PAGE, &["lag_above"]);
}

#[test]
fn within_the_limits_it_lowers_the_confidence() {
    let mut world = World::replication().warmed().alerted();
    world.behind_bytes = 15 * 200;
    world.round();
    world.kill("dc-a", GapReason::Refused);
    let decision = world.rounds(5);
    expect(&decision, Verdict::Recommend, PAGE, &["below_threshold"]);
    assert!(vetoes(&decision).is_empty());
}

#[test]
fn a_new_history_of_the_primary_clears_it() {
    let mut world = World::replication().warmed();
    assert_ne!(told(&world.round()), UNKNOWN);
    world.node("dc-a").facts().replication_id = Some("history-2".to_owned());
    world.link(false);
    assert_eq!(told(&world.round()), UNKNOWN, "the replica still has the old one");
    world.node("dc-b").facts().replication_id = Some("history-2".to_owned());
    world.link(true);
    assert_eq!(told(&world.round()), "0.0 s behind when last measured");
}

#[test]
fn offsets_of_another_history_are_not_compared() {
    let mut world = World::replication().alerted();
    let facts = world.node("dc-b").facts();
    facts.replication_id = Some("of another primary".to_owned());
    world.rounds(30);
    assert_eq!(told(&world.round()), UNKNOWN);
    world.kill("dc-a", GapReason::Refused);
    assert_eq!(world.rounds(5).verdict, Verdict::Recommend);
}

#[test]
fn a_standby_that_is_no_replica_has_none() {
    let mut world = World::replication();
    world.node("dc-b").facts().role = Some(Role::Primary);
    world.rounds(30);
    assert_eq!(told(&world.round()), UNKNOWN);
}

#[test]
fn it_goes_on_while_a_failing_primary_still_tells_its_offset() {
    let mut world = World::replication().warmed().alerted();
    world.node("dc-a").canary =
        CanaryResult::Failed(crate::types::Gap::new(GapReason::Misconf, "MISCONF Redis is configured"));
    world.evidence.probe_interval = secs(10);
    assert_ne!(told(&world.rounds(20)), UNKNOWN);
}

#[test]
fn a_loading_primary_keeps_the_lag_from_before_it_loaded() {
    let mut world = World::replication().warmed().alerted();
    let mut facts = world.node("dc-a").facts().clone();
    (facts.loading, facts.replication_id, facts.offset_bytes) =
        (Some(true), Some("provisional".to_owned()), Some(0));
    world.kill("dc-a", GapReason::Loading);
    world.node("dc-a").facts = Ok(facts);
    let decision = world.rounds(12 + 5);
    expect(&decision, Verdict::Failover, PAGE, &["confirmed"]);
    assert_eq!(told(&decision), "0.0 s behind when last measured");
}
