//! What is said of the new site some time after a switch.

use super::world::{World, fence, millis, ratio, secs};
use crate::decide::{Comparison, Measure};
use crate::types::{CanaryResult, GapReason};

/// Active-active; dc-a serves, with so many clients at every site.
fn served() -> World {
    let mut world = World::active_active();
    world.service.policy.watch_period = secs(60);
    for node in &mut world.nodes {
        node.facts().clients = Some(100);
        node.anomaly = Some(ratio(0.1));
    }
    world.warmed()
}

/// The name moves to dc-b; everything that is said in two minutes.
fn moved(mut world: World) -> Vec<Comparison> {
    world.record("dc-b.redis.test", Some(&fence("dc-b", "dc-a", 7)));
    (0..24).filter_map(|_| world.round().comparison).collect()
}

fn conspicuous(comparison: &Comparison) -> Vec<Measure> {
    comparison.rows.iter().filter(|row| row.is_conspicuous()).map(|row| row.measure).collect()
}

#[test]
fn a_new_site_is_compared_once_with_what_the_old_one_usually_was() {
    let said = moved(served());
    let [comparison] = &said[..] else { panic!("{said:?}") };
    assert_eq!((comparison.from.as_str(), comparison.to.as_str()), ("dc-a", "dc-b"));
    assert_eq!((comparison.seconds, comparison.rounds, comparison.failed_rounds), (60, 13, 0));
    assert!(!comparison.is_conspicuous(), "{comparison}");
    let lines = comparison.lines();
    assert_eq!(lines[0], "ping: 1.0 ms, before 1.0 ms");
    assert_eq!(lines[2], "clients: 100, before 100");
    assert_eq!(lines[3], "memory: 1024.0 MiB, before 1024.0 MiB");
}

#[test]
fn what_has_changed_since_is_marked() {
    type Change = fn(&mut World);
    let rows: [(Change, &[Measure]); 7] = [
        (|w| w.node("dc-b").ping = Ok(millis(3)), &[]),
        (|w| w.node("dc-b").ping = Ok(millis(4)), &[Measure::Ping]),
        (|w| w.node("dc-b").canary = CanaryResult::Written(millis(7)), &[Measure::Write]),
        (|w| w.node("dc-b").facts().clients = Some(50), &[]),
        (|w| w.node("dc-b").facts().clients = Some(49), &[Measure::Clients]),
        (|w| w.node("dc-b").anomaly = Some(ratio(0.9)), &[Measure::Anomaly]),
        (|w| w.node("dc-b").facts().memory_used_bytes = Some(3 << 30), &[]),
    ];
    for (change, wanted) in rows {
        let mut world = served();
        change(&mut world);
        let said = moved(world);
        assert_eq!(said.len(), 1);
        assert_eq!(conspicuous(&said[0]), wanted, "{}", said[0]);
    }
}

#[test]
fn looks_that_fail_are_counted_and_not_averaged() {
    let mut world = served();
    world.record("dc-b.redis.test", Some(&fence("dc-b", "dc-a", 7)));
    world.round();
    world.node("dc-b").fail(GapReason::Timeout);
    world.rounds(2);
    world.mend("dc-b", crate::types::Role::Primary);
    let said: Vec<Comparison> = (0..24).filter_map(|_| world.round().comparison).collect();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].rounds, said[0].failed_rounds), (13, 2));
    assert!(said[0].is_conspicuous());
    assert_eq!(said[0].lines()[0], "ping: 1.0 ms, before 1.0 ms");
}

#[test]
fn nothing_is_said_without_a_switch_a_period_or_a_former_site_that_served() {
    let mut world = served();
    assert!((0..24).all(|_| world.round().comparison.is_none()));
    let mut world = served();
    world.service.policy.watch_period = secs(0);
    assert_eq!(moved(world), []);
    let mut world = World::active_active();
    world.service.policy.watch_period = secs(60);
    world.node("dc-a").fail(GapReason::Refused);
    assert_eq!(moved(world), [], "dc-a was never seen to serve");
}
