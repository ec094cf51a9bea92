//! How badly a site fails: every gap, the budget of loading, the shares of latency, and several targets.

use super::world::{World, gap, millis, ratio, secs, site};
use crate::config::Policy;
use crate::decide::{Duty, Judgement, Lens, Sight, judge};
use crate::types::{CanaryResult, GapReason, Role, Snapshot, TargetSnapshot};
use std::time::Duration;

const UP: Sight = Sight::Answers;
const MUTE: Sight = Sight::Silent;

/// Every reason: its severity at a site that must serve, and whether it proves life when PING meets it.
const GAPS: [(GapReason, Option<f64>, Sight); 23] = [
    (GapReason::Refused, Some(1.0), UP),
    (GapReason::Reset, Some(1.0), UP),
    (GapReason::Closed, Some(1.0), UP),
    (GapReason::Unreachable, Some(1.0), MUTE),
    (GapReason::ConnectTimeout, Some(1.0), MUTE),
    (GapReason::Timeout, Some(1.0), MUTE),
    (GapReason::Dns, None, MUTE),
    (GapReason::Tls, Some(0.6), UP),
    (GapReason::Auth, Some(0.6), UP),
    (GapReason::Permission, Some(0.6), UP),
    (GapReason::Loading, Some(0.0), UP),
    (GapReason::Readonly, Some(1.0), UP),
    (GapReason::Misconf, Some(1.0), UP),
    (GapReason::Oom, Some(1.0), UP),
    (GapReason::Masterdown, Some(1.0), UP),
    (GapReason::Clusterdown, Some(1.0), UP),
    (GapReason::Busy, Some(1.0), UP),
    (GapReason::Noreplicas, Some(1.0), UP),
    (GapReason::Maxclients, Some(0.5), UP),
    (GapReason::Mismatch, Some(1.0), UP),
    (GapReason::Protocol, Some(0.6), UP),
    (GapReason::ErrorReply, Some(0.6), UP),
    (GapReason::NotAsked, None, MUTE),
];

fn good() -> TargetSnapshot {
    World::replication().node("dc-a").seen()
}

fn failing(reason: GapReason) -> TargetSnapshot {
    TargetSnapshot::blind(good().target, gap(reason), millis(1))
}

fn slow(ping: Duration, canary: Duration) -> TargetSnapshot {
    TargetSnapshot { ping: Ok(ping), canary: CanaryResult::Written(canary), ..good() }
}

fn judged(targets: Vec<TargetSnapshot>, duty: Duty, loading_for: Duration) -> Judgement {
    let taken = World::replication().now;
    let snapshot =
        Snapshot { site: site("dc-a"), taken, targets, control: None, domain: Vec::new(), anomaly: None };
    let policy = Policy::default();
    let lens =
        Lens { policy: &policy, probe_timeout: secs(1), loading_for, resolves: false, vantages_there: &[] };
    judge(&snapshot, duty, &lens)
}

fn severity(targets: Vec<TargetSnapshot>) -> Option<f64> {
    judged(targets, Duty::Serve, Duration::ZERO).severity.map(f64::from)
}

#[test]
fn every_gap_at_ping_has_its_severity_and_sight() {
    for (reason, want, sight) in GAPS {
        let told = judged(vec![failing(reason)], Duty::Serve, Duration::ZERO);
        assert_eq!(told.severity, want.map(ratio), "{reason:?}");
        assert_eq!(told.sight, sight, "{reason:?}");
        assert_eq!(told.gap.map(|g| g.reason), want.map(|_| reason), "{reason:?}");
    }
}

#[test]
fn every_gap_at_the_canary_has_the_same_severity_and_proves_life() {
    for (reason, want, _) in GAPS {
        let seen = TargetSnapshot { canary: CanaryResult::Failed(gap(reason)), ..good() };
        let told = judged(vec![seen.clone()], Duty::Serve, Duration::ZERO);
        assert_eq!((told.severity, told.sight), (want.map(ratio), UP), "{reason:?}");
        let standing = judged(vec![seen], Duty::Stand, Duration::ZERO);
        assert_eq!(standing.severity, Some(ratio(0.0)), "a site that only stands owes no write: {reason:?}");
    }
}

#[test]
fn down_begins_at_its_severity() {
    for (reason, severity, _) in GAPS {
        let want = severity.is_some_and(|s| s >= 0.6);
        assert_eq!(judged(vec![failing(reason)], Duty::Serve, Duration::ZERO).is_down(), want, "{reason:?}");
    }
}

#[test]
fn loading_has_a_budget() {
    for (loading_for, want) in
        [(Duration::ZERO, 0.0), (millis(59_999), 0.0), (secs(60), 1.0), (secs(900), 1.0)]
    {
        let told = judged(vec![failing(GapReason::Loading)], Duty::Serve, loading_for);
        assert_eq!(told.severity, Some(ratio(want)), "{loading_for:?}");
    }
}

#[test]
fn slowness_costs_from_a_quarter_of_the_deadline_and_never_means_down() {
    let fast = millis(1);
    for (took, want) in [(0, 0.0), (250, 0.0), (625, 0.25), (1000, 0.5), (9000, 0.5)] {
        let took = millis(took);
        assert_eq!(severity(vec![slow(took, fast)]), Some(want), "ping {took:?}");
        assert_eq!(severity(vec![slow(fast, took)]), Some(want), "canary {took:?}");
    }
    assert!(severity(vec![slow(millis(251), fast)]).unwrap() > 0.0);
}

#[test]
fn a_replica_that_must_serve_is_down_even_without_a_canary() {
    let replica = World::replication().node("dc-b").seen();
    assert_eq!(severity(vec![replica.clone()]), Some(1.0));
    assert_eq!(judged(vec![replica], Duty::Stand, Duration::ZERO).severity, Some(ratio(0.0)));
    let primary = TargetSnapshot { canary: CanaryResult::NotAsked, ..good() };
    assert_eq!(severity(vec![primary]), Some(0.0));
}

#[test]
fn several_targets_are_their_mean_and_at_least_down_when_one_is() {
    let down = || failing(GapReason::Refused);
    let half = || failing(GapReason::Maxclients);
    for (targets, want) in [
        (vec![good(), good()], Some(0.0)),
        (vec![half(), good()], Some(0.25)),
        (vec![down(), good(), good(), good()], Some(0.6)),
        (vec![down(), down(), down(), good()], Some(0.75)),
        (vec![down(), down()], Some(1.0)),
        (vec![down(), failing(GapReason::Dns)], None),
        (vec![], None),
    ] {
        assert_eq!(severity(targets.clone()), want, "{targets:?}");
    }
}

#[test]
fn one_address_that_answers_is_a_sign_of_life_for_the_site() {
    let hung = || failing(GapReason::Timeout);
    let both = judged(vec![hung(), good()], Duty::Serve, Duration::ZERO);
    assert_eq!((both.severity, both.sight), (Some(ratio(0.6)), UP));
    assert_eq!(judged(vec![hung(), hung()], Duty::Serve, Duration::ZERO).sight, MUTE);
}

#[test]
fn the_gap_told_is_the_worst_ones() {
    let targets = vec![failing(GapReason::Auth), failing(GapReason::Refused), good()];
    let told = judged(targets, Duty::Serve, Duration::ZERO);
    assert_eq!(told.gap.map(|g| g.reason), Some(GapReason::Refused));
}

#[test]
fn a_role_of_nobody_takes_no_part() {
    let mut world = World::replication();
    world.node("dc-a").facts().role = Some(Role::Other);
    assert_eq!(severity(vec![world.node("dc-a").seen()]), Some(0.0));
}
