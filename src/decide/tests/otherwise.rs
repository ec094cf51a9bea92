//! What another outcome would have needed is what brings it about.

use super::world::{World, alert, millis, secs};
use crate::decide::{Change, Group, Verdict, otherwise};
use crate::types::{CanaryResult, GapReason};

#[test]
fn the_evidence_it_names_is_enough() {
    let mut world = World::replication().warmed();
    world.vantages(3, &[("dc-x", Some(1.0)), ("dc-y", Some(1.0))]);
    world.kill("dc-a", GapReason::Refused);
    world.link(true);
    let held = world.rounds(5);
    assert_eq!(held.verdict, Verdict::Hold);
    let needs = otherwise(&held);
    assert_eq!(needs.iter().map(|n| n.verdict).collect::<Vec<_>>(), [Verdict::Recommend, Verdict::Failover]);
    let alert_needed = needs[0].one_of.iter().find_map(|change| {
        if let Change::Evidence { group: Group::Alert, at_least } = change { Some(*at_least) } else { None }
    });
    assert!(alert_needed.is_some_and(|s| s > 0.0 && s <= 1.0), "{needs:?}");
    world.evidence.alerts = vec![alert("f1", millis(0))];
    assert_eq!(world.round().verdict, Verdict::Recommend);
}

#[test]
fn missing_votes_are_counted() {
    let mut world = World::replication().warmed().alerted();
    world.vantages(5, &[("dc-x", Some(0.0))]);
    world.kill("dc-a", GapReason::Refused);
    let held = world.rounds(5);
    assert_eq!(otherwise(&held)[0].all[0], Change::Vantages { more: 2 });
}

#[test]
fn a_window_that_fills_says_how_long() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Refused);
    let held = world.rounds(2);
    let needs = otherwise(&held);
    assert!(needs[1].all.contains(&Change::Wait { seconds: 15, rounds: 2 }), "{needs:?}");
    assert_eq!(needs[1].one_of, [], "the evidence is enough");
    assert_eq!(otherwise(&world.rounds(3)), [], "it is a failover");
}

#[test]
fn what_no_evidence_mends_is_said() {
    let mut world = World::replication().warmed().alerted();
    world.evidence.controls.switch_ages = vec![secs(1), secs(1)];
    world.kill("dc-a", GapReason::Refused);
    world.node("dc-a").canary = CanaryResult::NotAsked;
    let decision = world.rounds(5);
    let failover = otherwise(&decision).pop().unwrap();
    assert!(
        failover.all.iter().any(|c| matches!(c, Change::FitterTarget { present, .. } if *present < 0.6)),
        "{failover:?}"
    );
    assert!(failover.all.iter().any(|c| matches!(c, Change::End { .. })), "{failover:?}");
}
