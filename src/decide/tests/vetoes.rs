//! Every veto: a case where it stands, and a near one where it does not.

use std::time::Duration;

use super::world::{World, alert, gap, millis, ratio, secs, site, vetoes};
use crate::config::{Flap, Mode, Promote, Topology};
use crate::decide::outage::{Outage, Trust};
use crate::decide::policy;
use crate::decide::{
    Abandoned, Duty, Judgement, Leadership, Lens, Sight, State, Strength, Verdict, Veto, judge,
};
use crate::types::{CanaryResult, ControlPlane, GapReason};

fn told(veto: Option<Veto>) -> Option<(Strength, &'static str)> {
    veto.map(|v| (v.strength, v.reason.label()))
}

/// The decision at the end of a confirmed outage in a changed world.
fn confirmed(change: impl FnOnce(&mut World)) -> crate::decide::Decision {
    let mut world = World::replication().warmed().alerted();
    change(&mut world);
    world.kill("dc-a", GapReason::Refused);
    world.rounds(5)
}

#[test]
fn what_people_and_the_agent_allow() {
    type Change = fn(&mut World);
    let table: [(&str, Strength, Change); 8] = [
        ("halted", Strength::Halt, |w| w.evidence.controls.halted = Some("a test".to_owned())),
        ("not_durable", Strength::Halt, |w| w.evidence.controls.is_durable = false),
        ("switching", Strength::Hard, |w| w.evidence.controls.is_switching = true),
        ("mode", Strength::Hard, |w| w.service.mode = Mode::Observe),
        ("mode", Strength::Soft, |w| w.service.mode = Mode::Recommend),
        ("paused", Strength::Soft, |w| w.evidence.controls.is_paused = true),
        ("not_leading", Strength::Soft, |w| w.evidence.controls.leadership = Leadership::Follows),
        ("few_vantages", Strength::Soft, |w| w.service.policy.accept_fewer_vantages = false),
    ];
    assert_eq!(confirmed(|_| {}).verdict, Verdict::Failover, "nothing stands against it");
    for (label, strength, change) in table {
        let decision = confirmed(change);
        let found: Vec<_> = decision.vetoes.iter().map(|v| (v.strength, v.reason.label())).collect();
        assert_eq!(found, [(strength, label)]);
        let want = match strength {
            Strength::Soft => Verdict::Recommend,
            Strength::Hard => Verdict::Hold,
            Strength::Halt => Verdict::Halt,
        };
        assert_eq!(decision.verdict, want, "{label}");
        assert_eq!(decision.confidence.confidence.get(), 0.0, "{label} forces the confidence to nothing");
        assert!(decision.confidence.belief.get() > 0.9, "{label} leaves the belief visible");
    }
}

#[test]
fn a_majority_is_of_the_configured_vantages() {
    for (down, configured, stands) in [
        (0, 1, true),
        (1, 1, false),
        (1, 2, true),
        (2, 2, false),
        (1, 3, true),
        (2, 3, false),
        (2, 4, true),
        (3, 5, false),
    ] {
        assert_eq!(policy::majority(down, configured).is_some(), stands, "{down} of {configured}");
    }
}

#[test]
fn automatic_needs_three_vantages_or_an_explicit_word() {
    for (configured, accepts, stands) in
        [(1, false, true), (2, false, true), (3, false, false), (1, true, false), (2, true, false)]
    {
        let mut world = World::replication();
        world.vantages(configured, &[]);
        world.service.policy.accept_fewer_vantages = accepts;
        let veto = told(policy::vantages(&world.service, &world.evidence));
        assert_eq!(veto, stands.then_some((Strength::Soft, "few_vantages")), "{configured} {accepts}");
    }
}

#[test]
fn a_silent_site_is_doubted_with_fewer_than_three_vantages() {
    for (severity, sight, configured, stands) in [
        (Some(1.0), Sight::Silent, 1, true),
        (Some(1.0), Sight::Silent, 2, true),
        (Some(1.0), Sight::Silent, 3, false),
        (Some(1.0), Sight::Answers, 1, false),
        (Some(0.5), Sight::Silent, 1, false),
        (None, Sight::Silent, 1, false),
    ] {
        let mut world = World::replication();
        world.vantages(configured, &[]);
        let judgement = Judgement { severity: severity.map(ratio), sight, gap: None, is_domain_silent: None };
        let judgements = [(site("dc-a"), judgement.clone())];
        let outage = Outage::of(&site("dc-a"), &judgements, &world.evidence, Trust::Sound);
        let veto = told(policy::silence(&site("dc-a"), &outage, &world.evidence));
        assert_eq!(veto, stands.then_some((Strength::Soft, "silent_site")), "{judgement:?} {configured}");
    }
}

#[test]
fn the_old_primary_must_be_pausable_or_provably_gone() {
    let failing: [(GapReason, bool); 9] = [
        (GapReason::Refused, true),
        (GapReason::Loading, true),
        (GapReason::Timeout, false),
        (GapReason::ConnectTimeout, false),
        (GapReason::Unreachable, false),
        (GapReason::Reset, false),
        (GapReason::Busy, false),
        (GapReason::Auth, false),
        (GapReason::Dns, false),
    ];
    let veto = |world: &mut World| {
        world.look();
        told(policy::fencing(&site("dc-a"), &world.service, &world.evidence))
    };
    for (reason, is_fenceable) in failing {
        let mut world = World::replication().warmed();
        world.node("dc-a").fail(reason);
        assert_eq!(
            veto(&mut world),
            (!is_fenceable).then_some((Strength::Soft, "unfenceable")),
            "{reason:?}"
        );
        world.service.promote = Some(Promote::Replicaof { without_fencing: true });
        assert_eq!(veto(&mut world), None, "waived: {reason:?}");
        world.service.promote = None;
        assert_eq!(veto(&mut world), None, "nothing would be promoted: {reason:?}");
    }
    let mut world = World::replication().warmed();
    world.node("dc-a").canary = CanaryResult::Failed(gap(GapReason::Misconf));
    assert_eq!(veto(&mut world), None, "it answers, so it can be paused");
    world.evidence.snapshots[0].targets.clear();
    let unseen = policy::fencing(&site("dc-a"), &world.service, &world.evidence);
    assert_eq!(told(unseen), Some((Strength::Soft, "unfenceable")), "nothing seen proves nothing");
    world.service.topology = Topology::ActiveActive;
    assert!(policy::fencing(&site("dc-a"), &world.service, &world.evidence).is_none());
}

/// A proxy cannot be told to pause: its cluster must be there to be told, or the database provably gone.
#[test]
fn the_source_of_a_copy_must_be_stoppable_or_provably_gone() {
    let silent = || Some(Err(gap(GapReason::Timeout)));
    let there =
        || Some(Ok(ControlPlane { unavailable: Some("no_quorum".to_owned()), ..ControlPlane::default() }));
    for (reason, control, is_fenceable) in [
        (GapReason::Timeout, there(), true),
        (GapReason::Refused, there(), true),
        (GapReason::Timeout, silent(), false),
        // A refusal by something on the way, for all that is known.
        (GapReason::Refused, silent(), false),
        (GapReason::Refused, None, true),
        (GapReason::Loading, None, false),
    ] {
        let mut world = World::replication().warmed();
        world.service.topology = Topology::ReplicaOf;
        world.service.promote = Some(Promote::Enterprise { without_fencing: false });
        world.node("dc-a").fail(reason);
        world.node("dc-a").control.clone_from(&control);
        world.look();
        let veto = told(policy::fencing(&site("dc-a"), &world.service, &world.evidence));
        let want = (!is_fenceable).then_some((Strength::Soft, "unfenceable"));
        assert_eq!(veto, want, "{reason:?} {control:?}");
        world.service.promote = Some(Promote::Enterprise { without_fencing: true });
        assert!(policy::fencing(&site("dc-a"), &world.service, &world.evidence).is_none(), "waived");
    }
}

#[test]
fn the_interval_and_the_last_attempt_end_on_time() {
    for (ages, remaining) in [
        (vec![], None),
        (vec![secs(0)], Some(1800)),
        (vec![secs(1799)], Some(1)),
        (vec![secs(1800)], None),
        (vec![secs(9000), secs(1000)], Some(800)),
        (vec![secs(1000), secs(9000)], Some(800)),
    ] {
        let mut world = World::replication();
        world.evidence.controls.switch_ages = ages.clone();
        let found = policy::interval(&world.service, &world.evidence).map(|v| (v.strength, v.reason));
        let want = remaining
            .map(|remaining_seconds| (Strength::Soft, crate::decide::Reason::TooSoon { remaining_seconds }));
        assert_eq!(found, want, "{ages:?}");
    }
    for (age, stands) in [(secs(0), true), (millis(59_999), true), (secs(60), false)] {
        let mut world = World::replication();
        world.evidence.controls.abandoned =
            Some(Abandoned { age, why: "lost the claim".to_owned(), count: 1 });
        let found = told(policy::attempt(&world.service, &world.evidence));
        assert_eq!(found, stands.then_some((Strength::Soft, "attempt_failed")), "{age:?}");
    }
}

#[test]
fn penalties_add_up_and_halve_in_their_half_life() {
    let flap = Flap::default();
    for (ages, want) in [
        (vec![], 0.0),
        (vec![0], 1000.0),
        (vec![900], 500.0),
        (vec![0, 0], 2000.0),
        (vec![0, 900, 1800], 1750.0),
    ] {
        let ages: Vec<Duration> = ages.into_iter().map(secs).collect();
        assert!((policy::penalty(&flap, &ages) - want).abs() < 1e-9, "{ages:?}");
    }
}

#[test]
fn flap_suppression_has_hysteresis() {
    let mut state = State::default();
    for (penalty, stands) in [
        (1999.9, false),
        (2000.0, true),
        (1999.9, true),
        (750.0, true),
        (749.9, false),
        (1999.9, false),
        (2500.0, true),
    ] {
        assert_eq!(
            policy::flapping(&mut state, &Flap::default(), penalty).is_some(),
            stands,
            "penalty {penalty}"
        );
    }
}

#[test]
fn warm_up_ends_with_its_round() {
    let mut world = World::replication();
    for round in 1..=30 {
        let decision = world.round();
        assert_eq!(vetoes(&decision).contains(&"warming_up"), round < 25, "round {round}");
    }
}

#[test]
fn a_disturbance_ends_after_half_a_minute() {
    let mut world = World::replication().warmed();
    world.now = world.now.plus(secs(60));
    for (round, stands) in [(0, true), (1, true), (5, true), (6, false)] {
        let mut later = world.clone();
        let decision = (0..=round).map(|_| later.round()).last().unwrap();
        assert_eq!(vetoes(&decision).contains(&"disturbed"), stands, "{round} rounds after it");
    }
}

#[test]
fn no_target_where_none_is_ready_and_limits_where_one_is() {
    assert_eq!(told(policy::target(None)), Some((Strength::Hard, "no_target")));
    let mut world = World::replication().warmed();
    assert!(policy::target(world.round().fitness.first()).is_none());
    assert_eq!(policy::limits(world.round().fitness.first()).count(), 0);
    world.node("dc-b").facts().loading = Some(true);
    assert_eq!(told(policy::target(world.round().fitness.first())), Some((Strength::Hard, "no_target")));
    world.service.promote = None;
    let limited = world.round();
    let limits = policy::limits(limited.fitness.first()).map(|v| (v.strength, v.reason.label()));
    assert_eq!(limits.collect::<Vec<_>>(), [(Strength::Soft, "no_promotion")]);
}

#[test]
fn a_single_veto_among_many_is_enough_and_the_strongest_speaks() {
    let decision = confirmed(|w| {
        w.evidence.controls.is_paused = true;
        w.evidence.controls.is_switching = true;
        w.evidence.alerts.push(alert("f2", Duration::ZERO));
    });
    assert_eq!(vetoes(&decision), ["switching", "paused"]);
    assert_eq!((decision.verdict, decision.reasons[0].label()), (Verdict::Hold, "switching"));
    let decision = confirmed(|w| {
        w.evidence.controls.is_paused = true;
        w.evidence.controls.halted = Some("a test".to_owned());
    });
    assert_eq!((decision.verdict, decision.reasons[0].label()), (Verdict::Halt, "halted"));
}

#[test]
fn a_replica_as_active_site_is_judged_by_its_duty() {
    let mut world = World::replication().warmed();
    world.look();
    let snapshot = &world.evidence.snapshots[1];
    let lens = Lens {
        policy: &world.service.policy,
        probe_timeout: secs(1),
        loading_for: Duration::ZERO,
        resolves: false,
        vantages_there: &[],
    };
    let judged = |duty| judge(snapshot, duty, &lens).is_down();
    assert!(judged(Duty::Serve));
    assert!(!judged(Duty::Stand));
}
