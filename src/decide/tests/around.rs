//! What is seen around the Redis: each kind of evidence, what it adds, and what people hear of it.

use super::world::{World, alert, expect, fence, gap, millis, ratio, reasons, secs, site, vantage, vetoes};
use crate::config::Maintenance;
use crate::decide::{AlertLevel, Crowd, Decision, Group, Reason, Reliability, Request, RequestKind, Verdict};
use crate::types::{Check, CheckKind, ControlPlane, GapReason, Role, Silence, VantageAnswer};

const HOLD: Verdict = Verdict::Hold;
const SERVES: &str = "active_serves";

fn strength(decision: &Decision, group: Group) -> Option<f64> {
    decision.confidence.terms.iter().find(|t| t.group == group).unwrap().strength.map(|s| s.get())
}

fn check(kind: CheckKind, failed: Option<GapReason>) -> Check {
    let result = failed.map_or(Ok(millis(1)), |reason| Err(gap(reason)));
    Check { name: "something".to_owned(), kind, result }
}

fn plane(code: Option<&str>) -> ControlPlane {
    let unavailable = code.map(str::to_owned);
    let lag = Some(millis(200));
    let known = ControlPlane { lag, is_link_up: Some(true), is_fresh: Some(true), ..ControlPlane::default() };
    ControlPlane { unavailable, ..known }
}

/// Active-active with a cluster at every site, and two more vantages that see what this agent sees.
fn clustered() -> World {
    let mut world = World::active_active();
    world.nodes.iter_mut().for_each(|n| n.control = Some(Ok(plane(None))));
    world.vantages(3, &[("dc-x", Some(0.0)), ("dc-y", Some(0.0))]);
    world.warmed()
}

/// All vantages see dc-a refuse.
fn fail(world: &mut World) {
    world.node("dc-a").fail(GapReason::Refused);
    world.vantages(3, &[("dc-x", Some(1.0)), ("dc-y", Some(1.0))]);
}

#[test]
fn what_the_cluster_says_of_the_active_site() {
    type Row<'a> = (Result<ControlPlane, GapReason>, Option<f64>, AlertLevel, &'a [&'a str]);
    let rows: [Row<'_>; 8] = [
        (Ok(plane(None)), Some(0.0), AlertLevel::None, &[SERVES]),
        (Ok(plane(Some("no_quorum"))), Some(1.0), AlertLevel::Page, &[SERVES, "control_unavailable"]),
        (Err(GapReason::Timeout), Some(0.6), AlertLevel::Warn, &[SERVES, "source_silent"]),
        (Err(GapReason::Refused), Some(0.6), AlertLevel::Warn, &[SERVES, "source_silent"]),
        (Err(GapReason::Auth), None, AlertLevel::Page, &[SERVES, "source_silent"]),
        (Err(GapReason::ErrorReply), None, AlertLevel::Warn, &[SERVES, "source_silent"]),
        (Err(GapReason::Tls), None, AlertLevel::Warn, &[SERVES, "source_silent"]),
        (Err(GapReason::Protocol), None, AlertLevel::Warn, &[SERVES, "source_silent"]),
    ];
    for (said, want, level, kinds) in rows {
        let mut world = clustered();
        world.node("dc-a").control = Some(said.clone().map_err(gap));
        let decision = world.rounds(30);
        expect(&decision, HOLD, level, kinds);
        assert_eq!(strength(&decision, Group::Control), want, "{said:?}");
    }
}

#[test]
fn data_path_cluster_and_peers_together_move_the_name_and_the_data_path_alone_does_not() {
    let mut world = clustered();
    fail(&mut world);
    world.rounds(5);
    expect(&world.round(), HOLD, AlertLevel::Page, &["below_threshold"]);
    for name in ["dc-b", "dc-c"] {
        world.node(name).control =
            Some(Ok(ControlPlane { is_link_up: Some(false), lag: None, ..plane(None) }));
    }
    world.node("dc-a").control = Some(Ok(plane(Some("bdb_unavailable"))));
    assert_eq!(world.round().verdict, Verdict::Failover);
}

#[test]
fn the_lag_before_the_outage_counts_for_a_minute() {
    for (behind, silent_rounds, verdict, veto) in [
        (millis(200), 0, Verdict::Failover, None),
        (secs(60), 0, Verdict::Recommend, Some("lag_above")),
        (millis(200), 20, Verdict::Recommend, Some("lag_unknown")),
    ] {
        let mut world = clustered();
        let lag = |lag| Some(Ok(ControlPlane { lag, ..plane(None) }));
        world.service.sites.truncate(2);
        world.nodes.truncate(2);
        world.node("dc-b").control = lag(Some(behind));
        world.round();
        world.node("dc-b").control = lag(None);
        (0..silent_rounds).for_each(|_| drop(world.round()));
        world.node("dc-a").control = Some(Ok(plane(Some("bdb_unavailable"))));
        world.node("dc-b").control =
            Some(Ok(ControlPlane { is_link_up: Some(false), lag: None, ..plane(None) }));
        fail(&mut world);
        let decision = world.rounds(5);
        assert_eq!(decision.verdict, verdict, "{behind:?} {silent_rounds}: {:?}", decision.vetoes);
        assert_eq!(reasons(&decision).first().copied().filter(|r| *r != "confirmed"), veto);
    }
}

#[test]
fn a_standby_that_falls_behind_or_loses_its_link_is_told_early() {
    let mut world = clustered();
    world.node("dc-b").control = Some(Ok(ControlPlane { lag: Some(secs(60)), ..plane(None) }));
    expect(&world.round(), HOLD, AlertLevel::Warn, &[SERVES, "standby_behind"]);
    world.node("dc-b").control = Some(Ok(ControlPlane { is_link_up: Some(false), ..plane(None) }));
    for _ in 0..3 {
        expect(&world.round(), HOLD, AlertLevel::None, &[SERVES]);
    }
    expect(&world.round(), HOLD, AlertLevel::Page, &[SERVES, "link_down"]);
}

#[test]
fn only_a_majority_finds_a_datacenter_silent() {
    let silent = |domain: &str, is_silent| {
        let mut answer = vantage(domain, Some(1.0));
        answer.said.as_mut().unwrap().votes[0].is_domain_silent = Some(is_silent);
        answer
    };
    for (others, own, want) in [
        (vec![silent("dc-x", true), silent("dc-y", true)], true, Some(1.0)),
        (vec![silent("dc-x", true), silent("dc-y", false)], true, Some(1.0)),
        (vec![silent("dc-x", false), silent("dc-y", false)], true, Some(0.0)),
        (vec![silent("dc-x", true)], true, Some(0.0)),
    ] {
        let mut world = clustered();
        world.evidence.vantages = others;
        world.node("dc-a").fail(GapReason::ConnectTimeout);
        let failed = own.then_some(GapReason::Timeout);
        world.node("dc-a").domain = vec![check(CheckKind::Tcp, failed)];
        assert_eq!(strength(&world.round(), Group::Domain), want);
    }
}

#[test]
fn an_agent_beside_the_silence_counts_as_part_of_it() {
    let mut world = clustered();
    let away = VantageAnswer { said: Err(gap(GapReason::Timeout)), ..vantage("dc-a", None) };
    world.evidence.vantages = vec![vantage("dc-x", Some(1.0)), away];
    world.node("dc-a").fail(GapReason::ConnectTimeout);
    world.node("dc-a").control = Some(Err(gap(GapReason::Timeout)));
    let vote = world.round().votes.into_iter().find(|v| v.site == site("dc-a")).unwrap();
    assert_eq!((vote.is_silent, vote.is_domain_silent), (true, Some(true)));
    world.evidence.vantages[1] = vantage("dc-a", Some(0.0));
    let vote = world.round().votes.into_iter().find(|v| v.site == site("dc-a")).unwrap();
    assert_eq!((vote.is_silent, vote.is_domain_silent), (false, Some(false)));
}

#[test]
fn a_name_that_does_not_resolve_is_the_names_fault_where_others_resolve() {
    for (checks, want) in [
        (vec![], None),
        (vec![check(CheckKind::Tcp, None)], None),
        (vec![check(CheckKind::Dns, None)], Some(1.0)),
    ] {
        let mut world = clustered();
        world.evidence.surroundings.self_checks = checks.clone();
        world.node("dc-a").fail(GapReason::Dns);
        let vote = world.round().votes.into_iter().find(|v| v.site == site("dc-a")).unwrap();
        assert_eq!(vote.severity.map(|s| s.get()), want, "{checks:?}");
    }
}

#[test]
fn an_agent_that_mistrusts_itself_gives_no_vote_and_moves_nothing() {
    type Change = fn(&mut World);
    let blind: Change =
        |w| w.evidence.surroundings.self_checks = vec![check(CheckKind::Tcp, Some(GapReason::Timeout))];
    let late: Change = |w| w.late = Some(millis(6001));
    let off: Change = |w| w.clock_offset = secs(61);
    for (change, kind) in [(blind, "self_check_failed"), (late, "late"), (off, "clock_off")] {
        let mut world = clustered();
        fail(&mut world);
        world.evidence.alerts = vec![alert("f1", secs(0))];
        world.node("dc-a").control = Some(Ok(plane(Some("bdb_unavailable"))));
        assert_eq!(world.clone().rounds(6).verdict, Verdict::Failover);
        change(&mut world);
        let decision = world.rounds(6);
        assert_eq!((decision.verdict, decision.votes.len()), (HOLD, 0), "{kind}");
        assert!(reasons(&decision).contains(&kind), "{:?}", decision.reasons);
        assert!(decision.level >= AlertLevel::Warn);
    }
}

#[test]
fn a_clock_that_one_of_two_calls_wrong_is_right() {
    let mut world = clustered();
    world.strange_clock = Some((site("dc-x"), secs(1_000_000)));
    assert!(!reasons(&world.round()).contains(&"clock_off"));
}

#[test]
fn many_services_down_at_once_put_the_place_in_doubt() {
    for (down, total, others, is_told) in
        [(2, 3, false, false), (3, 6, false, false), (4, 6, false, true), (4, 6, true, false)]
    {
        let mut world = clustered();
        world.evidence.crowd = Crowd { down, total };
        if others {
            fail(&mut world);
        } else {
            world.node("dc-a").fail(GapReason::Refused);
        }
        let decision = world.rounds(6);
        assert_eq!(reasons(&decision).contains(&"mass_failure"), is_told, "{down} of {total}");
        assert!(!is_told || (decision.verdict, decision.level) == (HOLD, AlertLevel::Page));
    }
    let mut world = World::replication().warmed().alerted();
    world.evidence.crowd = Crowd { down: 4, total: 6 };
    world.kill("dc-a", GapReason::Refused);
    assert_eq!(world.rounds(6).verdict, Verdict::Recommend, "one vantage cannot tell");
}

#[test]
fn a_source_that_was_wrong_before_counts_less() {
    let mut world = clustered();
    world.evidence.alerts = vec![alert("f1", secs(0))];
    world.evidence.surroundings.client_errors = Some(Ok(ratio(0.8)));
    world.node("dc-a").anomaly = Some(ratio(1.0));
    world.evidence.reliability =
        Reliability::of_counts([("alert:RedisDown-f1", 0, 4), ("client", 4, 0), ("anomaly", 0, 12)]);
    let decision = world.round();
    let found =
        [Group::Alert, Group::Client, Group::Anomaly].map(|group| strength(&decision, group).unwrap());
    assert_eq!(found, [0.5, 0.8, 0.25]);
}

#[test]
fn sources_that_say_nothing_and_high_scores_are_told() {
    let mut world = clustered();
    world.evidence.surroundings.client_errors = Some(Err(gap(GapReason::Protocol)));
    expect(&world.round(), HOLD, AlertLevel::Warn, &[SERVES, "source_silent"]);
    let mut world = clustered();
    world.node("dc-a").anomaly = Some(ratio(0.99));
    expect(&world.round(), HOLD, AlertLevel::Info, &[SERVES, "anomalous"]);
}

#[test]
fn a_silence_of_its_incidents_makes_a_recommendation_of_a_switch() {
    let outage = |silenced: Option<Result<&[&str], GapReason>>| {
        let silence = || Silence {
            id: "s1".to_owned(),
            by: "anna".to_owned(),
            comment: "works".to_owned(),
            until: String::new(),
        };
        let mut world = clustered();
        world.evidence.surroundings.silenced = silenced.map(|said| {
            said.map(|sites| sites.iter().map(|name| (site(name), silence())).collect()).map_err(gap)
        });
        fail(&mut world);
        world.node("dc-a").control = Some(Ok(plane(Some("bdb_unavailable"))));
        world.evidence.alerts = vec![alert("f1", secs(0))];
        world.rounds(6)
    };
    for (what, silenced, wanted) in [
        ("no Alertmanager", None, Verdict::Failover),
        ("no silence", Some(Ok(&[][..])), Verdict::Failover),
        ("of another site", Some(Ok(&["dc-b"][..])), Verdict::Failover),
        ("of the active site", Some(Ok(&["dc-a"][..])), Verdict::Recommend),
        ("not known", Some(Err(GapReason::Timeout)), Verdict::Failover),
    ] {
        let decision = outage(silenced);
        assert_eq!(decision.verdict, wanted, "{what}");
        assert_eq!(vetoes(&decision).contains(&"silenced"), wanted == Verdict::Recommend, "{what}");
        let is_told = reasons(&decision).contains(&"source_silent");
        assert_eq!(is_told, what == "not known", "{what}");
    }
    let silenced = outage(Some(Ok(&["dc-a"])));
    assert_eq!(silenced.level, AlertLevel::Page);
    let why = silenced.reasons[0].to_string();
    assert_eq!(why, "anna has silenced its incidents in Alertmanager (silence s1): works");
}

#[test]
fn a_time_to_live_that_somebody_raised_is_told_early() {
    let mut world = clustered();
    world.service.record.ttl_seconds = 30;
    expect(&world.round(), HOLD, AlertLevel::Warn, &[SERVES, "ttl_drift"]);
}

#[test]
fn a_standby_in_maintenance_is_never_chosen() {
    let outage = |world: &mut World| {
        fail(world);
        world.node("dc-a").control = Some(Ok(plane(Some("bdb_unavailable"))));
        world.evidence.alerts = vec![alert("f1", secs(0))];
        world.rounds(6)
    };
    let mut world = clustered();
    world.evidence.controls.maintenance = vec![Some(site("dc-b"))];
    let decision = outage(&mut world);
    assert_eq!((decision.verdict, decision.target), (Verdict::Failover, Some(site("dc-c"))));

    let mut world = clustered();
    world.evidence.controls.maintenance = vec![None];
    assert_eq!(outage(&mut world).verdict, Verdict::Recommend, "the whole service");

    let now = clustered().now.unix_ms();
    for (from, until, verdict) in [
        (0, 1_000_000, Verdict::Recommend),
        (0, 10_000, Verdict::Failover),
        (100_000, 200_000, Verdict::Failover),
    ] {
        let mut world = clustered();
        let site = Some(site("dc-a"));
        let window = Maintenance { site, from_unix_ms: now + from, until_unix_ms: now + until };
        world.service.maintenance = vec![window];
        assert_eq!(outage(&mut world).verdict, verdict, "{from} {until}");
    }
}

#[test]
fn a_rehearsal_decides_and_moves_nothing() {
    let mut world = World::replication().warmed().alerted();
    world.service.dry_run = true;
    world.kill("dc-a", GapReason::Refused);
    expect(&world.rounds(6), Verdict::Recommend, AlertLevel::Page, &["dry_run"]);
}

fn asked(world: &mut World, to: &str) -> Decision {
    ordered(world, to, RequestKind::Failover)
}

fn ordered(world: &mut World, to: &str, kind: RequestKind) -> Decision {
    world.evidence.controls.request =
        Some(Request { to: site(to), by: "eva".to_owned(), age: secs(1), kind });
    world.round()
}

#[test]
fn an_order_needs_a_fit_target_and_no_outage() {
    let mut world = clustered();
    world.evidence.controls.switch_ages = vec![secs(60)];
    let decision = asked(&mut world, "dc-c");
    expect(&decision, Verdict::Failover, AlertLevel::Info, &["requested"]);
    assert_eq!(decision.plan.unwrap().to, site("dc-c"));

    type Change = fn(&mut World);
    let rows: [(Change, &str, &[&str]); 6] = [
        (
            |w| w.node("dc-c").control = Some(Ok(ControlPlane { is_fresh: Some(false), ..plane(None) })),
            "dc-c",
            &["requested", "not_in_step"],
        ),
        (|w| w.node("dc-c").fail(GapReason::Refused), "dc-c", &["requested", "no_target", "no_capacity"]),
        (|w| w.evidence.controls.is_paused = true, "dc-c", &["requested", "paused"]),
        (
            |w| w.node("dc-c").control = Some(Ok(ControlPlane { lag: Some(secs(5)), ..plane(None) })),
            "dc-c",
            &["requested", "not_in_step"],
        ),
        (|_| {}, "dc-a", &["already_there"]),
        (|_| {}, "dc-nowhere", &["requested", "no_target"]),
    ];
    for (change, to, kinds) in rows {
        let mut world = clustered();
        change(&mut world);
        let decision = asked(&mut world, to);
        assert_eq!((decision.verdict, reasons(&decision)), (HOLD, kinds.to_vec()));
    }
    let mut world = clustered();
    let kind = RequestKind::Failover;
    world.evidence.controls.request =
        Some(Request { to: site("dc-b"), by: "eva".to_owned(), age: secs(60), kind });
    assert_eq!(reasons(&world.round()), [SERVES], "it is too old");
}

#[test]
fn where_nothing_measures_the_lag_a_person_has_judged_it() {
    let mut world = World::active_active().warmed();
    let decision = asked(&mut world, "dc-b");
    expect(&decision, Verdict::Failover, AlertLevel::Info, &["requested"]);
    assert!(!decision.plan.unwrap().lossless, "every site takes writes");
}

#[test]
fn a_move_away_from_a_site_that_serves_loses_nothing() {
    let mut world = World::replication().warmed();
    let plan = asked(&mut world, "dc-b").plan.expect("nothing stands against it");
    assert!(plan.promotes && plan.lossless);

    let mut world = World::replication().warmed();
    world.kill("dc-a", GapReason::Refused);
    let plan = asked(&mut world, "dc-b").plan.expect("nothing stands against it");
    assert!(plan.promotes && !plan.lossless, "what the dead site had not sent is lost already");
    let mut world = World::replication().warmed().alerted();
    world.kill("dc-a", GapReason::Refused);
    let plan = world.rounds(6).plan.expect("it is down");
    assert!(plan.promotes && !plan.lossless);
}

/// dc-a was left for dc-b, and is back as its replica.
fn left() -> World {
    let mut world = clustered();
    world.service.policy.failback_stability = secs(60);
    world.record("dc-b.redis.test", Some(&fence("dc-b", "dc-a", 7)));
    world.node("dc-a").fail(GapReason::Refused);
    world.rounds(5);
    world.mend("dc-a", Role::Primary);
    world.node("dc-a").control = Some(Ok(plane(None)));
    world
}

#[test]
fn going_back_waits_until_it_is_stable_and_in_step() {
    use RequestKind::{EarlyFailback, Failback, Failover};
    let rows: [(u32, RequestKind, &str, &[&str]); 6] = [
        (2, Failback, "dc-a", &["requested", "not_stable"]),
        (2, EarlyFailback, "dc-a", &["requested"]),
        (13, Failback, "dc-a", &["requested"]),
        (13, Failback, "dc-c", &["requested", "not_left"]),
        (13, EarlyFailback, "dc-c", &["requested", "not_left"]),
        (2, Failover, "dc-a", &["requested"]),
    ];
    for (rounds, kind, to, wanted) in rows {
        let mut world = left();
        (0..rounds).for_each(|_| drop(world.round()));
        let decision = ordered(&mut world, to, kind);
        let verdict = if wanted.len() == 1 { Verdict::Failover } else { HOLD };
        assert_eq!((decision.verdict, reasons(&decision)), (verdict, wanted.to_vec()), "{kind:?} {rounds}");
    }
    // Not even while the active site is down: that is a failover, and a person must say so.
    for (kind, verdict) in [(EarlyFailback, HOLD), (Failover, Verdict::Failover)] {
        let mut world = left();
        (0..13).for_each(|_| drop(world.round()));
        world.service.policy.rpo_soft = millis(100);
        world.node("dc-b").fail(GapReason::Refused);
        world.vantages(3, &[]);
        let down = |domain: &str| {
            let mut answer = vantage(domain, Some(1.0));
            answer.said.as_mut().unwrap().votes[0].site = site("dc-b");
            answer
        };
        world.evidence.vantages = vec![down("dc-x"), down("dc-y")];
        world.round();
        assert_eq!(ordered(&mut world, "dc-a", kind).verdict, verdict, "{kind:?}");
    }
}

#[test]
fn going_back_is_recommended_once_it_is_stable_and_in_step() {
    let mut world = left();
    for _ in 0..12 {
        assert_eq!(world.round().verdict, HOLD);
    }
    let decision = world.round();
    expect(&decision, Verdict::Recommend, AlertLevel::Info, &["failback_ready"]);
    assert_eq!(decision.target, Some(site("dc-a")));
    let want = Reason::FailbackReady { site: site("dc-a"), healthy_seconds: 60, lag_seconds: 0.2 };
    assert_eq!(decision.reasons, [want]);

    world.evidence.controls.acknowledged = Some(secs(1));
    world.round();
    assert_eq!(world.round().verdict, HOLD, "a person has seen it");
    world.evidence.controls.acknowledged = None;
    world.node("dc-a").control = Some(Ok(ControlPlane { lag: Some(secs(2)), ..plane(None) }));
    assert_eq!(world.round().verdict, HOLD, "it is not in step");
    world.node("dc-a").control = Some(Ok(ControlPlane { is_fresh: Some(false), ..plane(None) }));
    assert_eq!(world.round().verdict, HOLD, "it lacks the others' writes");
}

#[test]
fn failed_attempts_are_tried_again_ever_more_seldom() {
    for (count, age, stands) in
        [(1, 59, true), (1, 60, false), (2, 119, true), (2, 120, false), (30, 1799, true)]
    {
        let mut world = World::replication();
        let why = "denied".to_owned();
        world.evidence.controls.abandoned = Some(crate::decide::Abandoned { age: secs(age), why, count });
        let veto = crate::decide::policy::attempt(&world.service, &world.evidence);
        assert_eq!(veto.is_some(), stands, "{count} {age}");
    }
}
