//! How fit a standby is: each dimension where it costs nothing, where it costs all, and where it is not known.

use super::world::{GIB, ROUND_BYTES, World, gap, millis, secs, site, vetoes};
use crate::config::{Promote, Topology};
use crate::decide::{Dimension, TargetFitness, readiness};
use crate::types::{CanaryResult, ControlPlane, Facts, Gap, GapReason, Role};

fn of(world: &World, name: &str) -> TargetFitness {
    world.clone().round().fitness.iter().find(|t| t.site.as_str() == name).unwrap().clone()
}

fn unfitness(world: &World, dimension: Dimension) -> f64 {
    let told = of(world, "dc-b");
    told.dimensions.iter().find(|d| d.dimension == dimension).unwrap().unfitness.get()
}

fn close(found: f64, want: f64) -> bool {
    (found - want).abs() < 1e-9
}

#[test]
fn lag_costs_nothing_up_to_the_soft_limit_and_all_from_the_hard_one() {
    // 200 bytes of the stream are one second.
    for (behind, want, is_above) in [
        (0, 0.0, false),
        (200, 0.0, false),
        (200 + 29 * 100, 0.5, false),
        (30 * 200 - 1, 1.0 - 0.005 / 29.0, false),
        (30 * 200, 1.0, true),
        (60 * 200, 1.0, true),
    ] {
        let mut world = World::replication().warmed();
        world.behind_bytes = behind;
        assert!(close(unfitness(&world, Dimension::Lag), want), "{behind} bytes behind");
        assert_eq!(vetoes(&world.round()).contains(&"lag_above"), is_above, "{behind} bytes behind");
    }
}

#[test]
fn a_lag_never_measured_is_the_worst() {
    let mut world = World::replication();
    world.node("dc-b").facts().offset_bytes = None;
    world.rounds(30);
    assert_eq!(unfitness(&world, Dimension::Lag), 1.0);
    assert!(vetoes(&world.round()).contains(&"lag_unknown"));
    assert_eq!(of(&world, "dc-b").fitness.get(), 0.0);
}

#[test]
fn equal_limits_of_lag_are_a_step() {
    let mut world = World::replication().warmed();
    (world.service.policy.rpo_soft, world.service.policy.rpo_hard) = (secs(5), secs(5));
    for (behind, want) in [(ROUND_BYTES - 1, 0.0), (ROUND_BYTES, 1.0)] {
        world.behind_bytes = behind;
        assert_eq!(unfitness(&world, Dimension::Lag), want, "{behind} bytes behind");
    }
}

#[test]
fn capacity_is_the_share_of_the_limit_that_the_load_would_take() {
    for (used, want) in [(79, 0.0), (80, 0.0), (95, 1.0), (99, 1.0)] {
        let mut world = World::replication().warmed();
        world.node("dc-b").facts().memory_used_bytes = Some(used * GIB);
        world.node("dc-b").facts().memory_max_bytes = Some(100 * GIB);
        assert!(close(unfitness(&world, Dimension::Capacity), want), "{used} %");
        assert_eq!(vetoes(&world.round()).contains(&"no_capacity"), want >= 1.0, "{used} %");
    }
    let mut world = World::replication().warmed();
    world.node("dc-b").facts().memory_used_bytes = Some(875 * GIB);
    world.node("dc-b").facts().memory_max_bytes = Some(1000 * GIB);
    assert!(close(unfitness(&world, Dimension::Capacity), 0.5));
}

/// What a Redis says of its limit, what its cluster says, and the unfitness with 90 GiB in use on a machine of 200 GiB.
#[test]
fn a_limit_that_redis_does_not_tell_is_the_clusters() {
    let plane = |limit| Some(Ok(ControlPlane { memory_limit_bytes: limit, ..ControlPlane::default() }));
    let silent = Some(Err(Gap::new(GapReason::Timeout, "")));
    for (of_redis, control, want) in [
        (None, None, 1.0),
        (None, silent.clone(), 1.0),
        (None, plane(None), 1.0),
        (None, plane(Some(200 * GIB)), 0.0),
        (None, plane(Some(90 * GIB)), 1.0),
        (None, plane(Some(0)), 0.0),
        (Some(0), plane(Some(90 * GIB)), 1.0),
        (Some(0), plane(None), 0.0),
        (Some(0), silent, 0.0),
        (Some(200 * GIB), plane(Some(90 * GIB)), 0.0),
        (Some(90 * GIB), plane(Some(200 * GIB)), 1.0),
    ] {
        let mut world = World::replication().warmed();
        world.node("dc-b").control = control.clone();
        let facts = world.node("dc-b").facts();
        (facts.memory_used_bytes, facts.memory_max_bytes) = (Some(90 * GIB), of_redis);
        facts.memory_system_bytes = Some(200 * GIB);
        let found = unfitness(&world, Dimension::Capacity);
        assert!(close(found, want), "{of_redis:?} {control:?}: {found}");
    }
}

#[test]
fn the_load_is_the_active_sites_also_when_that_is_gone() {
    let mut world = World::replication();
    world.node("dc-a").facts().memory_used_bytes = Some(100 * GIB);
    world.rounds(30);
    world.kill("dc-a", GapReason::Refused);
    assert_eq!(unfitness(&world, Dimension::Capacity), 1.0);
}

#[test]
fn a_memory_limit_of_zero_is_the_machines_and_an_unknown_one_is_the_worst() {
    type Change = fn(&mut Facts);
    let table: [(&str, Change, f64); 5] = [
        ("no limit, so the machine's", |f| f.memory_max_bytes = Some(0), 0.0),
        ("no limit and no machine", |f| (f.memory_max_bytes, f.memory_system_bytes) = (Some(0), None), 1.0),
        ("an unknown limit", |f| f.memory_max_bytes = None, 1.0),
        ("unknown use", |f| f.memory_used_bytes = None, 1.0),
        ("a machine that is unknown beside a limit", |f| f.memory_system_bytes = None, 0.0),
    ];
    for (what, change, want) in table {
        let mut world = World::replication().warmed();
        change(world.node("dc-b").facts());
        assert_eq!(unfitness(&world, Dimension::Capacity), want, "{what}");
    }
}

#[test]
fn latency_costs_from_a_quarter_of_the_deadline() {
    for (took, want) in [(1, 0.0), (250, 0.0), (625, 0.5), (1000, 1.0), (3000, 1.0)] {
        let mut world = World::replication().warmed();
        world.node("dc-b").ping = Ok(millis(took));
        assert!(close(unfitness(&world, Dimension::Latency), want), "{took} ms");
    }
    let mut world = World::replication().warmed();
    world.node("dc-b").fail(GapReason::Timeout);
    assert_eq!(unfitness(&world, Dimension::Latency), 1.0);
}

#[test]
fn stability_is_a_lower_bound_of_the_success_ratio() {
    let mut world = World::replication();
    let z2 = 1.644_853_626_951_f64.powi(2);
    for n in 1..=5 {
        world.round();
        let want = 1.0 - 1.0 / (1.0 + z2 / f64::from(n + 1));
        assert!(close(unfitness(&world, Dimension::Stability), want), "after {n} rounds");
    }
    world.rounds(25);
    let steady = unfitness(&world, Dimension::Stability);
    world.node("dc-b").fail(GapReason::Timeout);
    world.round();
    world.mend("dc-b", Role::Replica);
    assert!(unfitness(&world, Dimension::Stability) > steady, "one failed look is remembered");
}

#[test]
fn topology_is_fit_where_dns_alone_or_a_known_promotion_is_enough() {
    let replicaof = Some(Promote::Replicaof { without_fencing: true });
    for (topology, promote, want) in [
        (Topology::ActiveActive, None, 0.0),
        (Topology::Replication, replicaof.clone(), 0.0),
        (Topology::Replication, None, 1.0),
        (Topology::ReplicaOf, None, 1.0),
        (Topology::ReplicaOf, replicaof, 1.0),
        (Topology::ReplicaOf, Some(Promote::Enterprise { without_fencing: true }), 0.0),
        (Topology::Replication, Some(Promote::Enterprise { without_fencing: true }), 1.0),
    ] {
        let mut world = World::replication().warmed();
        world.service.topology = topology;
        world.service.promote = promote.clone();
        assert_eq!(unfitness(&world, Dimension::Topology), want, "{topology:?} {promote:?}");
        assert_eq!(vetoes(&world.round()).contains(&"no_promotion"), want >= 1.0, "{topology:?} {promote:?}");
    }
}

#[test]
fn a_replica_is_ready_only_when_everything_that_a_promotion_needs_was_just_seen() {
    type Change = fn(&mut Facts);
    let table: [(&str, Change, bool); 12] = [
        ("nothing wrong", |_| {}, true),
        ("its link is down", |f| f.link.as_mut().unwrap().up = false, true),
        ("in a full synchronisation", |f| f.link.as_mut().unwrap().syncing = true, false),
        ("no word of its link", |f| f.link = None, false),
        ("a primary", |f| f.role = Some(Role::Primary), false),
        ("no word of its role", |f| f.role = None, false),
        ("loading", |f| f.loading = Some(true), false),
        ("no word of loading", |f| f.loading = None, false),
        ("persistence fails", |f| f.persistence_ok = Some(false), false),
        ("no word of persistence", |f| f.persistence_ok = None, false),
        ("memory one byte from full", |f| f.memory_used_bytes = Some(4 * GIB - 1), true),
        ("memory full", |f| f.memory_used_bytes = Some(4 * GIB), false),
    ];
    for (what, change, want) in table {
        let mut world = World::replication().warmed();
        change(world.node("dc-b").facts());
        let told = of(&world, "dc-b");
        assert_eq!(told.not_ready.is_none(), want, "{what}: {:?}", told.not_ready);
    }
    let mut world = World::replication().warmed();
    world.node("dc-b").facts = Err(gap(GapReason::Permission));
    assert!(of(&world, "dc-b").not_ready.is_some(), "INFO is missing");
}

/// Of a Replica Of its cluster says what it is, and its proxy nothing of persistence.
#[test]
fn a_copy_is_ready_only_while_its_cluster_calls_it_one() {
    type Change = fn(&mut Facts);
    let table: [(&str, Change, bool); 5] = [
        ("a copy", |f| f.persistence_ok = None, true),
        ("its cluster does not say", |f| f.role = None, false),
        ("on its own already", |f| f.role = Some(Role::Primary), false),
        ("copied anew", |f| f.link.as_mut().unwrap().syncing = true, false),
        ("loading", |f| f.loading = Some(true), false),
    ];
    for (what, change, want) in table {
        let mut world = World::replication().warmed();
        world.service.topology = Topology::ReplicaOf;
        world.service.promote = Some(Promote::Enterprise { without_fencing: false });
        change(world.node("dc-b").facts());
        let told = of(&world, "dc-b");
        assert_eq!(told.not_ready.is_none(), want, "{what}: {:?}", told.not_ready);
    }
}

#[test]
fn a_site_that_is_to_serve_at_once_must_have_taken_a_write() {
    for (canary, want) in [
        (CanaryResult::Written(millis(2)), true),
        (CanaryResult::NotAsked, false),
        (CanaryResult::Failed(gap(GapReason::Readonly)), false),
    ] {
        let mut world = World::active_active().warmed();
        world.node("dc-b").canary = canary.clone();
        assert_eq!(of(&world, "dc-b").not_ready.is_none(), want, "{canary:?}");
    }
}

#[test]
fn a_site_without_a_single_look_is_not_ready() {
    let mut world = World::replication().warmed();
    world.round();
    world.evidence.snapshots[1].targets.clear();
    assert!(readiness(&world.evidence.snapshots[1], &world.service).is_some());
    world.evidence.snapshots.pop();
    let decision = world.decide();
    assert_eq!(decision.fitness[0].fitness.get(), 0.0);
    assert!(vetoes(&decision).contains(&"no_target"));
}

#[test]
fn the_fitness_is_the_product_over_all_dimensions() {
    let mut world = World::replication().warmed();
    world.behind_bytes = 1800;
    world.node("dc-b").ping = Ok(millis(400));
    world.node("dc-b").facts().memory_used_bytes = Some(85 * GIB);
    world.node("dc-b").facts().memory_max_bytes = Some(100 * GIB);
    let told = of(&world, "dc-b");
    let product: f64 =
        told.dimensions.iter().map(|d| 1.0 - d.dimension.kappa() * d.unfitness.get()).product();
    assert!(close(told.fitness.get(), product));
    assert!(product > 0.0 && product < 0.6, "{product}");
}

#[test]
fn the_fittest_ready_standby_is_chosen_and_the_order_breaks_ties() {
    let mut world = World::active_active().warmed();
    assert_eq!(world.round().target, Some(site("dc-b")));
    world.node("dc-b").ping = Ok(millis(500));
    assert_eq!(world.round().target, Some(site("dc-c")));
    world.node("dc-c").fail(GapReason::Refused);
    assert_eq!(world.round().target, Some(site("dc-b")));
    world.node("dc-b").fail(GapReason::Refused);
    assert_eq!(world.round().target, Some(site("dc-b")), "the first, to say why");
}
