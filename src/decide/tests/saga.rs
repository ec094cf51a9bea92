//! The states of record and fence on the way of a switch, and what a restart makes of each.

use super::world::{World, fence};
use crate::decide::saga::{
    Fencing, Outcome, Recovery, Standing, Step, claimed, recover, standing, switched, unclaimed,
};
use crate::decide::{Plan, fence_of};
use crate::types::{AgentName, Fence, GapReason, RecordState, ResourceSet};

fn plan() -> Plan {
    let mut world = World::replication().warmed().alerted();
    world.record("dc-a.redis.test", Some(&fence("dc-a", "dc-b", 7)));
    world.kill("dc-a", GapReason::Refused);
    world.rounds(5).plan.unwrap()
}

fn owner() -> AgentName {
    AgentName::new("a2").unwrap()
}

fn read(state: &RecordState) -> Fence {
    fence_of(state).unwrap().unwrap()
}

fn value(state: &RecordState) -> &str {
    state.record.as_ref().unwrap().values.first().unwrap()
}

#[test]
fn a_claim_changes_the_fence_alone() {
    let (plan, state) = (plan(), claimed(&plan(), &owner()));
    assert_eq!(state.record, plan.expected.record);
    let fence = read(&state);
    assert_eq!((fence.epoch, fence.active.as_str(), fence.from.as_str()), (8, "dc-a", "dc-b"));
    assert_eq!(fence.intent.unwrap(), plan.to);
    assert_eq!((fence.owner, fence.decision), (owner(), plan.decision));
    assert_eq!(fence.at, u64::try_from(plan.made_unix_ms / 1000).unwrap());
}

#[test]
fn a_switch_names_the_target_in_record_and_fence() {
    let (plan, state) = (plan(), switched(&plan(), &owner()));
    assert_eq!(state.record, Some(ResourceSet::single(5, "dc-b.redis.test")));
    let fence = read(&state);
    assert_eq!((fence.epoch, fence.active.as_str(), fence.from.as_str()), (9, "dc-b", "dc-a"));
    assert_eq!((fence.intent, fence.decision), (None, plan.decision));
}

#[test]
fn a_claim_given_back_leaves_all_but_the_epoch() {
    let (plan, state) = (plan(), unclaimed(&plan(), &owner()));
    assert_eq!(state.record, plan.expected.record);
    let fence = read(&state);
    assert_eq!((fence.epoch, fence.active.as_str(), fence.from.as_str()), (9, "dc-a", "dc-b"));
    assert_eq!(fence.intent, None);
}

#[test]
fn epochs_strictly_rise_and_no_state_leaves_the_name_empty() {
    let plan = plan();
    let (claim, end, back) =
        (claimed(&plan, &owner()), switched(&plan, &owner()), unclaimed(&plan, &owner()));
    let epochs = [&plan.expected, &claim, &end, &back].map(|s| read(s).epoch);
    assert_eq!(epochs, [7, 8, 9, 9]);
    assert_ne!(end, back, "two ends with one epoch still differ");
    for state in [&plan.expected, &claim, &end, &back] {
        assert!(["dc-a.redis.test", "dc-b.redis.test"].contains(&value(state)));
        assert_eq!(state.record.as_ref().unwrap().values.len(), 1);
        assert_eq!(state.fence.as_ref().unwrap().ttl_seconds, 60, "the fence keeps its time to live");
    }
}

#[test]
fn every_state_is_told_apart() {
    let (plan, owner) = (plan(), owner());
    let mut longer = claimed(&plan, &owner);
    longer.record.as_mut().unwrap().ttl_seconds = 300;
    let other = AgentName::new("a3").unwrap();
    for (what, state, want) in [
        ("as found", plan.expected.clone(), Standing::Untouched),
        ("claimed", claimed(&plan, &owner), Standing::Claimed),
        ("switched", switched(&plan, &owner), Standing::Switched),
        ("given back", unclaimed(&plan, &owner), Standing::Unclaimed),
        ("empty", RecordState { record: None, fence: None }, Standing::Foreign),
        ("without fence", RecordState { fence: None, ..plan.expected.clone() }, Standing::Foreign),
        ("claimed by another agent", claimed(&plan, &other), Standing::Foreign),
        ("claimed, with another time to live", longer, Standing::Foreign),
        (
            "half a switch",
            RecordState { record: switched(&plan, &owner).record, ..claimed(&plan, &owner) },
            Standing::Foreign,
        ),
    ] {
        assert_eq!(standing(&plan, &owner, &state), want, "{what}");
    }
}

#[test]
fn a_restart_goes_on_by_what_was_done_and_what_stands() {
    let (plan, owner) = (plan(), owner());
    let fenced = Step::Fenced { how: vec![Fencing::Gone] };
    let caught_up = Step::CaughtUp { missing_bytes: Some(0) };
    let early = [
        vec![],
        vec![Step::Claimed],
        vec![Step::Claimed, fenced.clone()],
        vec![Step::Claimed, fenced.clone(), caught_up],
    ];
    let late = [
        vec![Step::Claimed, fenced.clone(), Step::Promoting],
        vec![Step::Claimed, fenced.clone(), Step::Promoting, Step::Promoted],
        vec![Step::Claimed, fenced, Step::Promoting, Step::Promoted, Step::Proven],
    ];
    let untouched = plan.expected.clone();
    let back = unclaimed(&plan, &owner);
    let claim = claimed(&plan, &owner);
    let done = switched(&plan, &owner);
    let foreign = RecordState { record: None, fence: None };
    for said in [None, Some(false), Some(true)] {
        for steps in &early {
            for (state, want) in [
                (&untouched, Recovery::Drop),
                (&back, Recovery::Drop),
                (&claim, Recovery::Unclaim),
                (&done, Recovery::Verify),
                (&foreign, Recovery::Foreign),
            ] {
                assert_eq!(recover(&plan, &owner, steps, state, said), want, "{steps:?} {said:?}");
            }
        }
        let on = match said {
            Some(true) => Recovery::Finish,
            Some(false) => Recovery::Unclaim,
            None => Recovery::Stuck,
        };
        for steps in &late {
            for (state, want) in [
                (&untouched, Recovery::Stuck),
                (&back, if said == Some(false) { Recovery::Drop } else { Recovery::Stuck }),
                (&claim, on),
                (&done, Recovery::Verify),
                (&foreign, Recovery::Foreign),
            ] {
                assert_eq!(recover(&plan, &owner, steps, state, said), want, "{steps:?} {said:?}");
            }
        }
    }
}

#[test]
fn only_an_end_that_needs_a_person_halts() {
    let why = || "because".to_owned();
    for (outcome, word, halts) in [
        (Outcome::Switched, "switched", false),
        (Outcome::Abandoned { why: why() }, "abandoned", false),
        (Outcome::PromotedNotSwitched { why: why() }, "promoted_not_switched", true),
        (Outcome::Foreign { why: why() }, "foreign", true),
    ] {
        assert_eq!((outcome.as_str(), outcome.halts()), (word, halts));
    }
}

#[test]
fn a_switch_back_raises_the_epoch_again() {
    let first = switched(&plan(), &owner());
    let mut back = plan();
    (back.expected, back.fence) = (first.clone(), read(&first));
    assert!(read(&claimed(&back, &owner())).epoch > read(&first).epoch);
    assert!(read(&switched(&back, &owner())).epoch > read(&claimed(&back, &owner())).epoch);
}

#[test]
fn a_plan_that_an_earlier_version_wrote_is_read() {
    let mut written = serde_json::to_value(plan()).unwrap();
    let fields = written.as_object_mut().unwrap();
    assert_eq!(fields.remove("to_values").unwrap(), serde_json::json!(["dc-b.redis.test"]));
    fields.insert("to_value".to_owned(), "dc-b.redis.test".into());
    assert_eq!(serde_json::from_value::<Plan>(written).unwrap(), plan());
}
