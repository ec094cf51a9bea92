//! The record and its fence: what is sound, what is foreign, and what is only new.

use std::time::Duration;

use super::world::{World, expect, fence, site};
use crate::config::Mode;
use crate::decide::policy::of_record;
use crate::decide::{AlertLevel, Leadership, RecordReading, Strength, Verdict};
use crate::types::{GapReason, RecordState, ResourceSet, Role};

const VALUE_A: &str = "dc-a.redis.test";
const VALUE_B: &str = "dc-b.redis.test";

/// A veto by strength and kind.
type Told = Option<(Strength, &'static str)>;

fn veto(world: &World) -> Told {
    let mut state = world.state.clone();
    let case = of_record(&world.service, &world.evidence, &mut state, world.now);
    case.veto.map(|v| (v.strength, v.reason.label()))
}

#[test]
fn the_record_and_the_fence_must_be_those_last_seen() {
    let good = fence("dc-a", "dc-b", 7);
    let with_intent = format!("{good};intent=dc-b");
    let strange = with_intent.replace("owner=a1", "owner=stranger");
    let halts = |label| Some((Strength::Halt, label));
    type Row<'a> = (&'a str, &'a str, Option<&'a str>, Option<u64>, Told);
    let table: [Row<'_>; 13] = [
        ("as left", VALUE_A, Some(&good), Some(7), None),
        ("no fence, nothing known", VALUE_A, None, None, halts("not_adopted")),
        ("no fence, one known", VALUE_A, None, Some(7), halts("foreign_fence")),
        ("damaged", VALUE_A, Some("v=1;owner=a1"), Some(7), halts("damaged_fence")),
        ("damaged, nothing known", VALUE_A, Some("hello"), None, halts("damaged_fence")),
        ("the value of another site", VALUE_B, Some(&good), Some(7), halts("foreign_record")),
        ("the value of nobody", "elsewhere.test", Some(&good), Some(7), halts("foreign_record")),
        ("an older epoch is known", VALUE_A, Some(&good), Some(6), halts("foreign_fence")),
        ("a newer epoch is known", VALUE_A, Some(&good), Some(8), halts("foreign_fence")),
        ("nothing known", VALUE_A, Some(&good), None, halts("unfamiliar_fence")),
        ("a claim of our own", VALUE_A, Some(&with_intent), Some(7), Some((Strength::Hard, "fellow_claims"))),
        ("a claim of a stranger", VALUE_A, Some(&strange), Some(7), halts("foreign_fence")),
        ("foreign value before unfamiliar fence", VALUE_B, Some(&good), None, halts("foreign_record")),
    ];
    for (what, value, fence, known, want) in table {
        let mut world = World::replication();
        world.record(value, fence);
        world.evidence.controls.known_epoch = known;
        assert_eq!(veto(&world), want, "{what}");
    }
}

/// `redrover adopt` changes the record first, and the journal right after; a slow machine may look between the two.
#[test]
fn an_adoption_is_waited_for_and_not_for_ever() {
    let adopted = fence("dc-a", "dc-a", 8).replace("decision=", "decision=adopt-");
    let by_another = adopted.replace("owner=a1", "owner=stranger");
    let adopting = Some((Strength::Hard, "adopting"));
    let halts = |label| Some((Strength::Halt, label));
    for (what, text, known, want, later) in [
        ("the first", &adopted, None, adopting, halts("unfamiliar_fence")),
        ("a later one", &adopted, Some(7), adopting, halts("foreign_fence")),
        ("written down", &adopted, Some(8), None, None),
        ("an old one", &adopted, Some(9), halts("foreign_fence"), halts("foreign_fence")),
        ("somebody else's", &by_another, Some(7), halts("foreign_fence"), halts("foreign_fence")),
    ] {
        let mut world = World::replication();
        world.record(VALUE_A, Some(text));
        world.evidence.controls.known_epoch = known;
        let mut state = world.state.clone();
        let mut told = |now| {
            let case = of_record(&world.service, &world.evidence, &mut state, now);
            case.veto.map(|v| (v.strength, v.reason.label()))
        };
        assert_eq!(told(world.now), want, "{what}");
        assert_eq!(told(world.now.plus(Duration::from_millis(9_999))), want, "{what}");
        assert_eq!(told(world.now.plus(Duration::from_secs(10))), later, "{what}, ten seconds later");
    }
}

#[test]
fn a_fence_of_an_unknown_site_is_foreign() {
    let mut world = World::replication();
    world.record(VALUE_A, Some(&fence("dc-x", "dc-a", 7)));
    assert_eq!(veto(&world), Some((Strength::Halt, "foreign_record")));
    assert_eq!(world.round().active, None);
}

#[test]
fn sets_of_another_size_are_foreign_and_another_ttl_is_not() {
    let change = |change: fn(&mut RecordState)| {
        let mut world = World::replication();
        let RecordReading::Seen(view) = &mut world.evidence.record else { panic!("the record was read") };
        change(&mut view.state);
        veto(&world)
    };
    let foreign = Some((Strength::Halt, "foreign_record"));
    assert_eq!(change(|s| s.record = None), foreign, "the record is gone");
    assert_eq!(change(|s| s.record.as_mut().unwrap().values.clear()), foreign, "the set is empty");
    assert_eq!(
        change(|s| {
            s.record.as_mut().unwrap().values.insert(VALUE_B.to_owned());
        }),
        foreign,
        "two values"
    );
    assert_eq!(
        change(|s| {
            s.fence.as_mut().unwrap().values.insert("other".to_owned());
        }),
        Some((Strength::Halt, "damaged_fence")),
        "two texts"
    );
    assert_eq!(change(|s| s.record.as_mut().unwrap().ttl_seconds = 3600), None, "the record's TTL");
    assert_eq!(change(|s| s.fence.as_mut().unwrap().ttl_seconds = 3600), None, "the fence's TTL");
}

#[test]
fn while_a_switch_is_under_way_it_checks_the_record_itself() {
    let claimed = format!("{};intent=dc-b", fence("dc-a", "dc-a", 8));
    for (value, text) in
        [(VALUE_A, claimed.as_str()), (VALUE_B, &fence("dc-b", "dc-a", 9)), (VALUE_A, "damaged")]
    {
        let mut world = World::replication().warmed();
        world.evidence.controls.is_switching = true;
        world.record(value, Some(text));
        assert_eq!(veto(&world), None, "{value} {text}");
        let decision = world.round();
        assert_eq!((decision.verdict, decision.reasons[0].label()), (Verdict::Hold, "switching"), "{text}");
    }
}

#[test]
fn an_unread_record_holds_and_keeps_the_window() {
    let mut world = World::replication().warmed().alerted();
    world.evidence.record = RecordReading::Unread("throttled".to_owned());
    let decision = world.round();
    expect(&decision, Verdict::Hold, AlertLevel::Warn, &["alert_contradicted", "record_unread"]);
    let (active, target) = (decision.active.unwrap(), decision.target.unwrap());
    assert_eq!((active.as_str(), target.as_str()), ("dc-a", "dc-b"), "what the fence said last");

    world.kill("dc-a", GapReason::Refused);
    world.rounds(4);
    world.record(VALUE_A, Some(&fence("dc-a", "dc-a", 7)));
    assert_eq!(world.round().verdict, Verdict::Failover, "it was down all the time");
}

#[test]
fn while_the_record_is_unread_a_minority_fills_no_window() {
    let mut world = World::replication().warmed().alerted();
    world.vantages(3, &[]);
    world.kill("dc-a", GapReason::Refused);
    world.evidence.record = RecordReading::Unread("throttled".to_owned());
    world.rounds(6);
    world.record(VALUE_A, Some(&fence("dc-a", "dc-a", 7)));
    world.vantages(3, &[("dc-x", Some(1.0)), ("dc-y", Some(1.0))]);
    expect(&world.round(), Verdict::Hold, AlertLevel::Warn, &["confirming"]);
}

#[test]
fn the_level_of_a_halt_depends_on_who_owns_the_service() {
    let mut world = World::replication();
    world.record(VALUE_A, None);
    expect(&world.round(), Verdict::Halt, AlertLevel::Page, &["foreign_fence"]);
    world.evidence.controls.known_epoch = None;
    expect(&world.round(), Verdict::Halt, AlertLevel::Warn, &["not_adopted"]);
}

#[test]
fn an_unfamiliar_fence_halts() {
    let mut world = World::replication().warmed();
    world.evidence.controls.known_epoch = None;
    expect(&world.round(), Verdict::Halt, AlertLevel::Page, &["unfamiliar_fence"]);
    world.kill("dc-a", GapReason::Refused);
    expect(&world.rounds(5), Verdict::Halt, AlertLevel::Page, &["unfamiliar_fence"]);
}

#[test]
fn a_foreign_record_halts_in_the_middle_of_an_outage() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Refused);
    world.rounds(4);
    world.record(VALUE_B, Some(&fence("dc-a", "dc-a", 7)));
    expect(&world.round(), Verdict::Halt, AlertLevel::Page, &["foreign_record"]);
}

/// The fence as another agent of this installation left it.
fn of_fellow(active: &str, from: &str, epoch: u64) -> String {
    fence(active, from, epoch).replace("owner=a1", "owner=agent-dc-x")
}

#[test]
fn what_another_agent_did_is_written_down_and_built_upon() {
    let mut world = World::active_active().warmed();
    world.vantages(3, &[("dc-x", Some(0.0))]);
    world.record(VALUE_B, Some(&of_fellow("dc-b", "dc-a", 9)));
    let decision = world.round();
    expect(&decision, Verdict::Hold, AlertLevel::Info, &["fellow_acted"]);
    assert_eq!(decision.accepted.unwrap().epoch, 9);
    world.evidence.controls.known_epoch = Some(9);
    let decision = world.round();
    assert_eq!(
        (decision.verdict, decision.accepted, decision.active),
        (Verdict::Hold, None, Some(site("dc-b")))
    );

    for (what, epoch, owner) in
        [("a stranger", 9, "owner=somebody"), ("an older epoch", 6, "owner=agent-dc-x")]
    {
        let mut world = World::replication().warmed();
        world.vantages(3, &[("dc-x", Some(0.0))]);
        world.record(VALUE_A, Some(&fence("dc-a", "dc-a", epoch).replace("owner=a1", owner)));
        let decision = world.round();
        assert_eq!((decision.verdict, decision.accepted), (Verdict::Halt, None), "{what}");
    }
}

#[test]
fn a_claim_of_another_agent_is_out_waited_and_then_taken_over() {
    let mut world = World::active_active().warmed().alerted();
    world.vantages(3, &[("dc-x", Some(1.0)), ("dc-y", Some(1.0))]);
    world.kill("dc-a", GapReason::Refused);
    let claim = format!("{};intent=dc-b", of_fellow("dc-a", "dc-a", 8));
    world.record(VALUE_A, Some(&claim));
    world.evidence.controls.known_epoch = Some(8);
    for _ in 0..18 {
        expect(&world.round(), Verdict::Hold, world.clone().look().level, &["fellow_claims"]);
    }
    let decision = world.round();
    assert!(decision.vetoes.iter().all(|v| v.reason.label() != "fellow_claims"), "{:?}", decision.vetoes);
}

#[test]
fn a_dead_claim_is_taken_back_by_the_leader_alone() {
    for (leadership, mode, is_cleared) in [
        (Leadership::Leads, Mode::Automatic, true),
        (Leadership::Leads, Mode::Recommend, true),
        (Leadership::Leads, Mode::Observe, false),
        (Leadership::Follows, Mode::Automatic, false),
    ] {
        let mut world = World::active_active().warmed();
        world.service.mode = mode;
        world.vantages(3, &[("dc-x", Some(0.0)), ("dc-y", Some(0.0))]);
        world.evidence.controls.leadership = leadership;
        let claim = format!("{};intent=dc-b", of_fellow("dc-a", "dc-a", 7));
        world.record(VALUE_A, Some(&claim));
        assert_eq!(world.rounds(18).clearing, None);
        let decision = world.round();
        assert_eq!((decision.verdict, decision.clearing.is_some()), (Verdict::Hold, is_cleared));
        assert!(decision.clearing.is_none_or(|plan| plan.is_clearing()));
    }
}

#[test]
fn a_dead_claim_stands_where_people_act_and_its_target_may_be_promoted() {
    for (role, is_cleared) in [(Role::Replica, true), (Role::Primary, false)] {
        let mut world = World::replication().warmed();
        world.vantages(3, &[("dc-x", Some(0.0)), ("dc-y", Some(0.0))]);
        world.evidence.controls.leadership = Leadership::Leads;
        world.service.mode = Mode::Recommend;
        let claim = format!("{};intent=dc-b", of_fellow("dc-a", "dc-a", 7));
        world.record(VALUE_A, Some(&claim));
        world.mend("dc-b", role);
        assert_eq!(world.rounds(19).clearing.is_some(), is_cleared, "dc-b says {role:?}");
    }
}

#[test]
fn zones_that_do_not_agree_halt_unless_a_fellow_is_between_its_two_changes() {
    let state = |value: &str, text: &str| RecordState {
        record: Some(ResourceSet::single(5, value)),
        fence: Some(ResourceSet::single(60, text)),
    };
    let old = state(VALUE_A, &fence("dc-a", "dc-b", 7));
    let claimed = |owner: &str| {
        let text = fence("dc-a", "dc-b", 8).replace("owner=a1", &format!("owner={owner}"));
        state(VALUE_A, &format!("{text};intent=dc-b"))
    };
    let halts = Some((Strength::Halt, "zones_apart"));
    for (what, first, second, want) in [
        ("a fellow's claim", claimed("agent-dc-b"), old.clone(), Some((Strength::Hard, "fellow_claims"))),
        ("a stranger's claim", claimed("stranger"), old.clone(), halts),
        ("the second zone is ahead", old.clone(), claimed("agent-dc-b"), halts),
        ("another record in the second zone", old.clone(), state(VALUE_B, &fence("dc-a", "dc-b", 7)), halts),
        ("no fence in the second zone", old.clone(), RecordState { fence: None, ..old.clone() }, halts),
    ] {
        let mut world = World::replication();
        world.vantages(3, &[("dc-b", None)]);
        world.evidence.controls.known_epoch = Some(7);
        let RecordReading::Seen(view) = &mut world.evidence.record else { panic!("the record was read") };
        view.state = RecordState::joined(&first, &second, "Z2");
        assert_eq!(veto(&world), want, "{what}");
        world.evidence.controls.is_switching = true;
        assert_eq!(veto(&world), None, "{what}: the switch checks the record itself");
    }
}
