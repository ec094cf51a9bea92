//! Stories of outages, from the first failing look to the verdict.

use std::time::Duration;

use super::world::{World, alert, expect, fence, gap, millis, reasons, secs, site};
use crate::decide::{AlertLevel, Group, Health, Reason, Verdict};
use crate::types::{CanaryResult, GapReason, RecordState, ResourceSet, Role};

const PAGE: AlertLevel = AlertLevel::Page;
const WARN: AlertLevel = AlertLevel::Warn;

fn outage() -> World {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Refused);
    world
}

#[test]
fn warm_up_and_then_a_healthy_hold() {
    let mut world = World::replication();
    for round in 1..=40 {
        let decision = world.round();
        expect(&decision, Verdict::Hold, AlertLevel::None, &["active_serves"]);
        assert_eq!(decision.incident, None, "round {round}");
        assert_eq!(
            decision.health,
            [(site("dc-a"), Health::Healthy), (site("dc-b"), Health::Healthy)],
            "round {round}"
        );
    }
}

#[test]
fn a_killed_primary_is_left_once_the_window_is_full_in_seconds() {
    let mut world = outage();
    for (round, lasted) in [(1, 0), (2, 5), (3, 10), (4, 15)] {
        let decision = world.round();
        expect(&decision, Verdict::Hold, WARN, &["confirming"]);
        let want =
            Reason::Confirming { seconds: lasted, seconds_needed: 20, rounds: round, rounds_needed: 4 };
        assert_eq!(decision.reasons, [want]);
        assert_eq!(decision.health[0].1, Health::Failing);
    }
    let decision = world.round();
    expect(&decision, Verdict::Failover, PAGE, &["confirmed"]);
    assert_eq!(decision.health[0].1, Health::Failed);
    assert!(decision.confidence.confidence.get() >= decision.thresholds.0);
}

#[test]
fn a_look_between_two_rounds_fills_the_window_when_it_is_due() {
    let mut world = outage();
    let left = |world: &World| world.state.window_left(&world.service, world.now);
    assert_eq!(left(&world), None, "nothing fails yet");
    // 20 s and 4 rounds are asked for; the round after the third one is the fourth.
    for wanted in [None, None, Some(secs(10)), Some(secs(5))] {
        expect(&world.round(), Verdict::Hold, WARN, &["confirming"]);
        assert_eq!(left(&world), wanted);
    }
    world.now = world.now.plus(millis(4_990));
    expect(&world.look(), Verdict::Hold, WARN, &["confirming"]);
    assert_eq!(left(&world), Some(millis(10)), "that round came a little early");
    world.now = world.now.plus(millis(10));
    expect(&world.look(), Verdict::Failover, PAGE, &["confirmed"]);
    assert_eq!(left(&world), None, "it is full");
    world.mend("dc-a", Role::Primary);
    world.look();
    assert_eq!(left(&world), None, "one good answer ends it");
}

#[test]
fn a_killed_primary_is_left_once_the_window_is_full_in_rounds() {
    let mut world = outage();
    world.evidence.probe_interval = secs(10);
    for _ in 0..3 {
        expect(&world.round(), Verdict::Hold, WARN, &["confirming"]);
    }
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn the_plan_spells_the_switch_out() {
    let mut world = outage();
    let decision = world.rounds(5);
    let plan = decision.plan.as_ref().unwrap();
    assert_eq!((plan.from.as_str(), plan.to.as_str()), ("dc-a", "dc-b"));
    assert_eq!((&plan.decision, &plan.service), (&decision.id, &world.service.name));
    assert_eq!(plan.to_values, ["dc-b.redis.test".to_owned()].into());
    assert_eq!((plan.ttl_seconds, plan.promotes), (5, true));
    assert_eq!((plan.fence.epoch, plan.fence.active.as_str()), (7, "dc-a"));
    assert_eq!(plan.made_unix_ms, world.now.unix_ms());
    assert_eq!(plan.expires_unix_ms, plan.made_unix_ms + 60_000);
    let expected = RecordState {
        record: Some(ResourceSet::single(5, "dc-a.redis.test")),
        fence: Some(ResourceSet::single(60, fence("dc-a", "dc-a", 7))),
    };
    assert_eq!(plan.expected, expected);
    assert!(!decision.id.contains(';'), "it must fit into a fence");
}

#[test]
fn an_incident_lasts_from_the_first_sign_to_the_last() {
    let mut world = outage();
    let first = world.round();
    assert_eq!(first.incident.as_ref(), Some(&first.id));
    assert_eq!(world.rounds(4).incident, first.incident);
    world.mend("dc-a", Role::Primary);
    assert_eq!(world.round().incident, first.incident, "the alert still fires");
    world.evidence.alerts.clear();
    world.link(true);
    for _ in 0..4 {
        let decision = world.round();
        assert_eq!((decision.incident, decision.closing), (first.incident.clone(), None), "not settled yet");
    }
    let last = world.round();
    assert_eq!(last.incident, None);
    let closing = last.closing.unwrap();
    assert_eq!((Some(&closing.incident), closing.confirmed), (first.incident.as_ref(), true));
    assert_eq!(closing.sources.iter().collect::<Vec<_>>(), ["alert:RedisDown-f1"]);
}

#[test]
fn without_an_alert_a_person_switches() {
    let mut world = outage();
    world.evidence.alerts.clear();
    expect(&world.rounds(5), Verdict::Recommend, PAGE, &["below_threshold"]);
}

#[test]
fn without_a_promotion_a_person_switches() {
    let mut world = outage();
    world.service.promote = None;
    let decision = world.rounds(5);
    expect(&decision, Verdict::Recommend, PAGE, &["no_promotion"]);
    assert_eq!(decision.target, Some(site("dc-b")));
}

#[test]
fn an_alert_about_a_healthy_site_only_leads_to_a_look() {
    let mut world = World::replication().warmed();
    for age in [Duration::ZERO, secs(3600), secs(20_000)] {
        world.evidence.alerts = vec![alert("f1", age), alert("f1", age), alert("f2", age)];
        let decision = world.round();
        expect(&decision, Verdict::Hold, AlertLevel::Info, &["alert_contradicted", "active_serves"]);
        assert_eq!(decision.reasons[0], Reason::AlertContradicted { alerts: 2 });
    }
}

#[test]
fn an_alert_about_a_standby_says_nothing_of_the_active_site() {
    for (about, want) in
        [(None, Verdict::Failover), (Some("dc-a"), Verdict::Failover), (Some("dc-b"), Verdict::Recommend)]
    {
        let mut world = outage();
        world.evidence.alerts[0].site = about.map(site);
        assert_eq!(world.rounds(5).verdict, want, "{about:?}");
    }
    let mut world = World::replication().warmed().alerted();
    world.evidence.alerts[0].site = Some(site("dc-b"));
    expect(&world.round(), Verdict::Hold, AlertLevel::None, &["active_serves"]);
}

#[test]
fn an_alert_fades() {
    let mut world = outage();
    for (age, want) in
        [(0, 1.0), (900, 1.0), (1800, 0.5), (3600, 0.125), (14_400, 2f64.powi(-15)), (14_401, 0.0)]
    {
        world.evidence.alerts = vec![alert("f1", secs(age))];
        let decision = world.round();
        let term = decision.confidence.terms.iter().find(|t| t.group == Group::Alert).unwrap();
        assert!((term.strength.unwrap().get() - want).abs() < 1e-12, "{age} s");
    }
}

#[test]
fn where_all_is_down_nothing_moves() {
    let mut world = outage();
    world.node("dc-b").fail(GapReason::Refused);
    for round in 1..8 {
        let kinds: &[&str] = if round < 4 { &["no_target"] } else { &["no_target", "standby_down"] };
        expect(&world.round(), Verdict::Hold, PAGE, kinds);
    }
}

#[test]
fn a_silent_site_is_at_most_recommended() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::ConnectTimeout);
    for round in 0..18 {
        // A majority that sees it down for as long as a dead service needs is a page, whatever it is.
        let level = if round < 4 { WARN } else { PAGE };
        expect(&world.round(), Verdict::Hold, level, &["confirming"]);
    }
    for _ in 0..20 {
        expect(&world.round(), Verdict::Recommend, PAGE, &["silent_site", "unfenceable"]);
    }
}

#[test]
fn three_vantages_may_leave_a_silent_site_once_it_is_out_waited() {
    let mut world = World::replication().warmed().alerted();
    world.vantages(3, &[("dc-x", Some(1.0)), ("dc-y", Some(1.0))]);
    world.service.promote = Some(crate::config::Promote::Replicaof { without_fencing: true });
    world.kill("dc-a", GapReason::ConnectTimeout);
    assert!((0..18).all(|_| world.round().verdict == Verdict::Hold));
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn beside_the_standby_the_lost_link_proves_nothing() {
    let mut world = outage();
    world.evidence.failure_domain = site("dc-b");
    let decision = world.rounds(30);
    expect(&decision, Verdict::Recommend, PAGE, &["below_threshold"]);
    let peer = decision.confidence.terms.iter().find(|t| t.group == Group::Peer).unwrap();
    assert_eq!(peer.contribution(), 0.0);
    world.kill("dc-a", GapReason::ConnectTimeout);
    assert_eq!(world.rounds(30).verdict, Verdict::Recommend);
}

#[test]
fn a_hung_primary_can_not_be_held_and_is_not_left() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Timeout);
    world.rounds(18);
    expect(&world.round(), Verdict::Recommend, PAGE, &["silent_site", "unfenceable"]);
}

#[test]
fn one_good_answer_empties_the_window() {
    let mut world = outage();
    world.rounds(4);
    world.mend("dc-a", Role::Primary);
    world.link(true);
    expect(&world.round(), Verdict::Hold, AlertLevel::Info, &["alert_contradicted", "active_serves"]);
    world.kill("dc-a", GapReason::Refused);
    assert!((0..4).all(|_| world.round().verdict == Verdict::Hold));
    assert_eq!(world.round().verdict, Verdict::Failover);
}

#[test]
fn not_to_know_empties_the_window_and_is_not_called_good() {
    let mut world = outage();
    world.rounds(4);
    world.kill("dc-a", GapReason::Dns);
    let decision = world.round();
    expect(&decision, Verdict::Hold, WARN, &["no_majority"]);
    assert_eq!(decision.health[0].1, Health::Unknown);
    world.kill("dc-a", GapReason::Refused);
    assert!((0..4).all(|_| world.round().verdict == Verdict::Hold));
    assert_eq!(world.round().verdict, Verdict::Failover);
}

#[test]
fn a_minority_holds() {
    let mut world = World::replication().warmed();
    world.vantages(3, &[("dc-x", Some(0.0)), ("dc-y", None)]);
    world.kill("dc-a", GapReason::Refused);
    expect(&world.rounds(10), Verdict::Hold, WARN, &["no_majority"]);
    world.vantages(3, &[("dc-x", Some(0.0)), ("dc-y", Some(1.0))]);
    expect(&world.rounds(5), Verdict::Hold, PAGE, &["below_threshold"]);
    world.evidence.alerts = vec![alert("f1", Duration::ZERO)];
    assert_eq!(world.round().verdict, Verdict::Recommend, "two of three and an alert");
    world.vantages(3, &[("dc-x", Some(1.0)), ("dc-y", Some(1.0))]);
    assert_eq!(world.round().verdict, Verdict::Failover, "all three");
}

#[test]
fn of_two_votes_from_one_place_the_milder_counts() {
    for (votes, verdict) in [
        (vec![("dc-x", Some(1.0))], Verdict::Recommend),
        (vec![("dc-x", Some(1.0)), ("dc-x", Some(1.0))], Verdict::Recommend),
        (vec![("dc-x", Some(1.0)), ("dc-x", Some(0.0))], Verdict::Hold),
        (vec![("dc-x", Some(0.0)), ("dc-x", Some(1.0))], Verdict::Hold),
        (vec![("dc-x", Some(1.0)), ("dc-x", None)], Verdict::Hold),
        (vec![("dc-x", None), ("dc-x", Some(1.0))], Verdict::Hold),
        (vec![("dc-x", Some(1.0)), ("dc-z", Some(0.0))], Verdict::Hold),
    ] {
        let mut world = outage();
        world.vantages(3, &votes);
        assert_eq!(world.rounds(5).verdict, verdict, "{votes:?}");
    }
}

#[test]
fn a_primary_that_takes_no_writes_is_down() {
    let mut world = World::replication().warmed().alerted();
    world.node("dc-a").canary = CanaryResult::Failed(gap(GapReason::Misconf));
    expect(&world.rounds(5), Verdict::Recommend, PAGE, &["below_threshold"]);
    world.round_bytes = 0;
    world.link(false);
    expect(&world.round(), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn a_loading_primary_has_its_budget_and_is_then_down() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Loading);
    for _ in 0..12 {
        expect(&world.round(), Verdict::Hold, WARN, &["no_majority"]);
    }
    assert_eq!(reasons(&world.round()), ["confirming"], "60 s of loading");
    expect(&world.rounds(4), Verdict::Failover, PAGE, &["confirmed"]);
}

#[test]
fn refused_credentials_are_a_page_and_never_a_switch() {
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Auth);
    let decision = world.rounds(30);
    assert_eq!((decision.verdict, decision.level), (Verdict::Recommend, PAGE));
    assert_eq!(reasons(&decision), ["config_fault", "unfenceable"]);
}

#[test]
fn a_slow_primary_is_degraded_and_stays() {
    let mut world = World::replication().warmed();
    world.node("dc-a").ping = Ok(millis(900));
    let decision = world.rounds(30);
    expect(&decision, Verdict::Hold, WARN, &["active_serves", "slow"]);
    assert_eq!(decision.health[0].1, Health::Degraded);
}

#[test]
fn a_lost_standby_is_a_page_and_no_more() {
    let mut world = World::replication().warmed();
    world.node("dc-b").fail(GapReason::Refused);
    let decision = world.rounds(5);
    expect(&decision, Verdict::Hold, PAGE, &["active_serves", "standby_down"]);
    assert_eq!(decision.health[1].1, Health::Failed);
}

#[test]
fn active_active_without_a_cluster_api_is_recommended() {
    let mut world = World::active_active().warmed().alerted();
    world.kill("dc-a", GapReason::Refused);
    let decision = world.rounds(5);
    expect(&decision, Verdict::Recommend, PAGE, &["lag_unknown"]);
    assert_eq!(decision.target, Some(site("dc-b")));
    world.node("dc-b").canary = CanaryResult::Failed(gap(GapReason::Readonly));
    assert_eq!(world.round().target, Some(site("dc-c")), "a standby that takes no writes is no target");
    world.node("dc-c").canary = CanaryResult::Failed(gap(GapReason::Noreplicas));
    expect(&world.round(), Verdict::Hold, PAGE, &["no_target"]);
}
