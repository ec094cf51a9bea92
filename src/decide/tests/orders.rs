//! The order that follows a switch: the old primary is held while it claims to be one, and nothing else ever is.

use super::world::{World, fence, site};
use crate::config::{Promote, Topology};
use crate::decide::{RecordReading, Verdict};
use crate::types::{GapReason, RecordState, ResourceSet, Role};

/// dc-a has failed, dc-b was promoted, and the name points to it.
fn switched() -> World {
    let mut world = World::replication().warmed();
    world.kill("dc-a", GapReason::Refused);
    world.mend("dc-b", Role::Primary);
    world.record("dc-b.redis.test", Some(&fence("dc-b", "dc-a", 9)));
    world.evidence.controls.known_epoch = Some(9);
    world
}

fn paused(world: &mut World) -> Vec<String> {
    world.round().orders.iter().map(|o| o.pause.to_string()).collect()
}

#[test]
fn the_old_primary_is_held_from_its_return_to_its_demotion() {
    let mut world = switched();
    assert!(paused(&mut world).is_empty(), "it is gone");
    world.mend("dc-a", Role::Primary);
    let decision = world.round();
    assert_eq!(decision.orders.len(), 1);
    assert_eq!(decision.orders[0].pause.as_str(), "dc-a");
    assert_eq!((decision.writable_primaries, decision.verdict), (2, Verdict::Hold));
    assert_eq!(paused(&mut world), ["dc-a"], "it is renewed in every round");
    world.evidence.controls.held = vec![site("dc-a")];
    let decision = world.round();
    assert_eq!((decision.orders.len(), decision.writable_primaries), (1, 1), "it takes no writes");
    assert!(decision.demoted.is_empty());
    world.mend("dc-a", Role::Replica);
    let decision = world.round();
    assert!(decision.orders.is_empty());
    assert_eq!((decision.writable_primaries, decision.demoted), (1, vec![site("dc-a")]));
    world.evidence.controls.held.clear();
    assert!(world.round().demoted.is_empty(), "once");
}

#[test]
fn every_site_that_was_ever_left_is_held() {
    let mut world = switched();
    world.mend("dc-a", Role::Primary);
    world.record("dc-b.redis.test", Some(&fence("dc-b", "dc-c", 9)));
    assert!(paused(&mut world).is_empty(), "nobody knows that it was left");
    world.evidence.controls.left = vec![site("dc-a"), site("dc-b")];
    assert_eq!(paused(&mut world), ["dc-a"]);
}

#[test]
fn the_site_that_the_record_points_to_is_never_held() {
    let mut world = switched();
    world.mend("dc-a", Role::Primary);
    world.record("dc-a.redis.test", Some(&fence("dc-b", "dc-a", 9)));
    let decision = world.round();
    assert_eq!(decision.verdict, Verdict::Halt, "a person moved the record back");
    assert!(decision.orders.is_empty(), "holding dc-a would stop the writes of all clients");
}

#[test]
fn without_a_sound_fence_nobody_is_held() {
    let mut world = switched();
    world.mend("dc-a", Role::Primary);
    assert_eq!(paused(&mut world), ["dc-a"]);
    for known in [None, Some(8), Some(10)] {
        let mut other = world.clone();
        other.evidence.controls.known_epoch = known;
        assert!(paused(&mut other).is_empty(), "known epoch {known:?}");
    }
    world.evidence.record = RecordReading::Unread("throttled".to_owned());
    assert!(paused(&mut world).is_empty());
}

/// Somebody has written over the fence; the record still names dc-b, which was promoted.
#[test]
fn what_was_left_is_held_beside_the_record_while_the_fence_is_nobodys_word() {
    let text = |active: &str, epoch: u64, owner: &str| {
        fence(active, "dc-a", epoch).replace("owner=a1", &format!("owner={owner}"))
    };
    let halted = Some("somebody was here".to_owned());
    let claim = format!("{};intent=dc-a", text("dc-b", 9, "x"));
    for (what, record, fence, halted, want) in [
        ("names another site", "dc-b", text("dc-a", 99, "x"), &halted, &["dc-a"][..]),
        ("names the same", "dc-b", text("dc-b", 99, "x"), &halted, &["dc-a"]),
        ("is old", "dc-b", text("dc-a", 7, "a1"), &halted, &["dc-a"]),
        ("is damaged", "dc-b", "v=1;owner".to_owned(), &None, &["dc-a"]),
        ("was seen once: record and fence may be of two moments", "dc-b", text("dc-a", 99, "x"), &None, &[]),
        ("is a fellow's next step", "dc-b", text("dc-a", 10, "agent-dc-b"), &halted, &[]),
        ("is a claim", "dc-b", claim, &halted, &[]),
        ("is old, and the record was moved back", "dc-a", text("dc-a", 7, "a1"), &halted, &[]),
    ] {
        let mut world = switched();
        world.vantages(3, &[("dc-b", None)]);
        world.mend("dc-a", Role::Primary);
        world.evidence.controls.left = vec![site("dc-a")];
        world.evidence.controls.halted = halted.clone();
        world.record(&format!("{record}.redis.test"), Some(&fence));
        assert_eq!(paused(&mut world), want, "the fence {what}");
    }
}

#[test]
fn a_way_back_does_not_hold_its_own_target() {
    let mut world = switched();
    world.evidence.controls.is_switching = true;
    world.record("dc-b.redis.test", Some(&format!("{};intent=dc-a", fence("dc-b", "dc-a", 10))));
    world.mend("dc-a", Role::Primary);
    assert!(paused(&mut world).is_empty(), "dc-a was just promoted and must prove a write");
}

#[test]
fn a_switch_holds_the_old_primary_from_the_moment_the_name_has_moved() {
    let claimed = format!("{};intent=dc-b", fence("dc-a", "dc-b", 8));
    let moved = fence("dc-b", "dc-a", 9);
    for (value, text, to, want) in [
        ("dc-a.redis.test", claimed.as_str(), Some("dc-b"), &[][..]),
        ("dc-b.redis.test", moved.as_str(), Some("dc-b"), &["dc-a"][..]),
        ("dc-b.redis.test", moved.as_str(), Some("dc-a"), &[][..]),
        ("dc-b.redis.test", moved.as_str(), None, &[][..]),
    ] {
        let mut world = switched();
        world.mend("dc-a", Role::Primary);
        world.evidence.controls.is_switching = true;
        world.evidence.controls.switching_to = to.map(site);
        world.record(value, Some(text));
        assert_eq!(paused(&mut world), want, "{text} to {to:?}");
    }
}

#[test]
fn only_plain_replication_gives_orders() {
    let mut world = World::active_active().warmed();
    world.record("dc-b.redis.test", Some(&fence("dc-b", "dc-a", 9)));
    world.evidence.controls.known_epoch = Some(9);
    let decision = world.round();
    assert!(decision.orders.is_empty());
    assert_eq!((decision.verdict, decision.writable_primaries), (Verdict::Hold, 1));
}

#[test]
fn a_source_that_comes_back_is_stopped_where_its_cluster_can_be_told() {
    let mut world = switched();
    world.mend("dc-a", Role::Primary);
    world.service.topology = Topology::ReplicaOf;
    world.service.promote = Some(Promote::Enterprise { without_fencing: false });
    assert_eq!(paused(&mut world), ["dc-a"]);
    assert_eq!(world.round().writable_primaries, 2);
    world.mend("dc-a", Role::Replica);
    assert!(paused(&mut world).is_empty(), "a person has turned it around");
    world.mend("dc-a", Role::Primary);
    world.service.promote = None;
    assert!(paused(&mut world).is_empty(), "nobody can stop it");
    // Where no cluster says what they are, nobody counts them.
    world.node("dc-a").facts().role = None;
    world.node("dc-b").facts().role = None;
    assert_eq!(world.round().writable_primaries, 1);
}

#[test]
fn a_service_that_never_switched_gives_no_orders() {
    assert!(paused(&mut World::replication().warmed()).is_empty());
}

/// The public zone leads to dc-b, which was promoted, and the private one still to dc-a.
#[test]
fn the_old_primary_is_held_between_two_zones_that_stay_apart() {
    let state = |value: &str, text: &str| RecordState {
        record: Some(ResourceSet::single(5, value)),
        fence: Some(ResourceSet::single(60, text)),
    };
    let moved = fence("dc-b", "dc-a", 9);
    let claimed = format!("{};intent=dc-b", fence("dc-a", "dc-a", 8));
    let (a, b) = ("dc-a.redis.test", "dc-b.redis.test");
    let by_fellow = |text: &str| text.replace("owner=a1", "owner=agent-dc-b");
    let by_stranger = |text: &str| text.replace("owner=a1", "owner=stranger");
    let of_another = claimed.replace("decision=", "decision=other-");
    for (what, first, second, want) in [
        ("half moved", state(b, &moved), state(a, &claimed), &["dc-a"][..]),
        ("by a fellow", state(b, &by_fellow(&moved)), state(a, &by_fellow(&claimed)), &["dc-a"]),
        ("by a stranger", state(b, &by_stranger(&moved)), state(a, &by_stranger(&claimed)), &[]),
        ("the claim alone is half", state(a, &claimed), state(a, &fence("dc-a", "dc-a", 7)), &[]),
        ("of another decision", state(b, &moved), state(a, &of_another), &[]),
        ("somebody moved the public record", state(a, &moved), state(a, &claimed), &[]),
    ] {
        let mut world = switched();
        world.vantages(3, &[("dc-b", None)]);
        world.mend("dc-a", Role::Primary);
        let RecordReading::Seen(view) = &mut world.evidence.record else { panic!("the record was read") };
        view.state = RecordState::joined(&first, &second, "Z2");
        assert_ne!(world.clone().round().verdict, Verdict::Failover, "{what}");
        assert_eq!(paused(&mut world.clone()), want, "{what}");
        // Where the one that was moved to is no primary, the other serves those that it can.
        world.mend("dc-b", Role::Replica);
        assert!(paused(&mut world).is_empty(), "{what}");
    }
}
