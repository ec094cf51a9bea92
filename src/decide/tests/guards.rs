//! Stories of what keeps a confirmed outage from being acted upon: clocks, people, the journal, and earlier switches.

use super::world::{World, expect, millis, secs, vetoes};
use crate::config::Mode;
use crate::decide::{Abandoned, AlertLevel, Controls, Leadership, Resume, State, Verdict};
use crate::types::{GapReason, Moment};

const PAGE: AlertLevel = AlertLevel::Page;

/// dc-a is dead for four rounds: the next would be a failover.
fn nearly() -> World {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Refused);
    world.rounds(4);
    world
}

#[test]
fn the_control_case_moves() {
    expect(&nearly().round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn disturbed_clocks_empty_the_window_and_observe_first() {
    type Change = fn(Moment) -> Moment;
    let table: [(&str, Change, bool); 8] = [
        ("the wall clock leaps ahead", |m| Moment { wall: m.wall + secs(3), ..m }, true),
        ("the wall clock leaps a little", |m| Moment { wall: m.wall + millis(1999), ..m }, false),
        ("the wall clock steps back", |m| Moment { wall: m.wall - secs(6), ..m }, true),
        ("the wall clock stands nearly still", |m| Moment { wall: m.wall - secs(3), ..m }, true),
        ("both go backwards", |m| Moment { wall: m.wall - secs(6), mono: m.mono - secs(6) }, true),
        ("the agent stood still", |m| m.plus(secs(22)), true),
        ("the agent was late", |m| m.plus(secs(20)), false),
        ("four intervals, a deadline and the grace", |m| m.plus(secs(21)), false),
    ];
    for (what, change, is_disturbed) in table {
        let mut world = nearly();
        world.service.policy.lag_evidence_max_age = secs(600);
        world.now = change(world.now);
        let decision = world.round();
        assert_eq!(vetoes(&decision).contains(&"disturbed"), is_disturbed, "{what}");
        let want = if is_disturbed { Verdict::Hold } else { Verdict::Failover };
        assert_eq!(decision.verdict, want, "{what}");
        if is_disturbed {
            for _ in 0..5 {
                let level = world.clone().round().level;
                expect(&world.round(), Verdict::Hold, level, &["disturbed"]);
            }
            for _ in 0..4 {
                expect(&world.round(), Verdict::Hold, AlertLevel::Warn, &["confirming"]);
            }
            expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
        }
    }
}

#[test]
fn what_was_seen_before_a_disturbance_fills_no_window() {
    let mut world = World::replication().warmed().alerted();
    world.service.policy.confirm_window = secs(60);
    world.service.policy.lag_evidence_max_age = secs(600);
    world.kill("dc-a", GapReason::Refused);
    world.rounds(10);
    world.now = world.now.plus(secs(60));
    world.rounds(6);
    for _ in 0..12 {
        expect(&world.round(), Verdict::Hold, AlertLevel::Warn, &["confirming"]);
    }
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn a_restart_warms_up_first_and_keeps_the_incident() {
    let mut world = nearly();
    world.state = State::resumed(Resume { incident: Some("sessions-1".to_owned()), lags: Vec::new() });
    for _ in 0..24 {
        let decision = world.round();
        assert_eq!((decision.verdict, decision.reasons[0].label()), (Verdict::Hold, "warming_up"));
        assert_eq!(decision.incident.as_deref(), Some("sessions-1"));
    }
    expect(&world.round(), Verdict::Recommend, PAGE, &["lag_unknown"]);
}

#[test]
fn people_the_journal_and_the_term_come_first() {
    type Change = fn(&mut Controls);
    let table: [(&str, Change, Verdict); 4] = [
        ("paused", |c| c.is_paused = true, Verdict::Recommend),
        ("not_leading", |c| c.leadership = Leadership::Follows, Verdict::Recommend),
        ("halted", |c| c.halted = Some("a test".to_owned()), Verdict::Halt),
        ("not_durable", |c| c.is_durable = false, Verdict::Halt),
    ];
    for (label, change, want) in table {
        let mut world = nearly();
        let allowed = world.evidence.controls.clone();
        change(&mut world.evidence.controls);
        expect(&world.round(), want, PAGE, &[label]);
        world.evidence.controls = allowed;
        expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
    }
}

#[test]
fn a_calm_world_is_calm_also_when_paused_and_halts_also_when_calm() {
    let mut world = World::replication().warmed();
    world.evidence.controls.is_paused = true;
    expect(&world.round(), Verdict::Hold, AlertLevel::None, &["active_serves"]);
    world.evidence.controls.halted = Some("a test".to_owned());
    expect(&world.round(), Verdict::Halt, PAGE, &["halted"]);
}

#[test]
fn the_modes_allow_what_they_say() {
    for (mode, verdict, kinds) in [
        (Mode::Observe, Verdict::Hold, "mode"),
        (Mode::Recommend, Verdict::Recommend, "mode"),
        (Mode::Automatic, Verdict::Failover, "confirmed"),
    ] {
        let mut world = nearly();
        world.service.mode = mode;
        expect(&world.round(), verdict, PAGE, &[kinds]);
    }
}

#[test]
fn after_a_switch_the_next_one_waits() {
    let mut world = nearly();
    world.evidence.controls.switch_ages = vec![secs(1799)];
    expect(&world.round(), Verdict::Recommend, PAGE, &["too_soon"]);
    world.evidence.controls.switch_ages = vec![secs(1800)];
    expect(&world.round(), Verdict::Recommend, PAGE, &["below_threshold"]);
    world.evidence.controls.switch_ages = vec![secs(7200)];
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
    world.evidence.controls.switch_ages.clear();
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn flapping_is_suppressed_until_the_penalty_has_decayed() {
    let mut world = nearly();
    world.service.policy.min_auto_interval = secs(0);
    let flapping = |world: &mut World, age: u64| {
        world.evidence.controls.switch_ages = vec![secs(age), secs(age)];
        let decision = world.round();
        assert_eq!(decision.verdict, Verdict::Recommend, "{age} s");
        vetoes(&decision) == ["flapping"]
    };
    assert!(!flapping(&mut world, 60), "1910 is below the limit");
    assert!(flapping(&mut world, 0), "2000");
    assert!(flapping(&mut world, 60), "1910 is above the limit of reuse");
    assert!(flapping(&mut world, 1273), "750.2");
    assert!(!flapping(&mut world, 1275), "749.1");
    assert!(!flapping(&mut world, 60), "1910 again");
}

#[test]
fn an_attempt_given_up_is_told_before_the_next() {
    let mut world = nearly();
    world.evidence.controls.abandoned =
        Some(Abandoned { age: secs(10), why: "the claim was lost".to_owned(), count: 1 });
    expect(&world.round(), Verdict::Recommend, PAGE, &["attempt_failed"]);
    world.evidence.controls.abandoned =
        Some(Abandoned { age: secs(60), why: "the claim was lost".to_owned(), count: 1 });
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn a_switch_under_way_is_the_only_one() {
    let mut world = nearly();
    world.evidence.controls.is_switching = true;
    expect(&world.round(), Verdict::Hold, PAGE, &["switching"]);
}

#[test]
fn a_target_that_fails_at_the_last_moment_is_not_taken() {
    let mut world = nearly();
    world.node("dc-b").facts().persistence_ok = Some(false);
    expect(&world.round(), Verdict::Hold, PAGE, &["no_target"]);
}

#[test]
fn the_same_story_is_told_the_same() {
    let (mut one, mut two) = (nearly(), nearly());
    let (first, second) = (one.round(), two.round());
    assert_eq!(first, second);
    assert!(first.says_the_same(&one.round()));
    two.evidence.controls.is_paused = true;
    assert!(!first.says_the_same(&two.round()));
}
