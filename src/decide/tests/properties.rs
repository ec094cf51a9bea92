//! Properties of the whole core: the same outage is played twice, once with one thing changed.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::select;

use super::formula::cases;
use super::world::{GIB, World, alert, fence, gap, millis, ratio, secs, site, vetoes};
use crate::decide::{Decision, Verdict};
use crate::types::{CanaryResult, Check, CheckKind, ControlPlane, Facts, GapReason, Role};

const TINY: f64 = 1e-9;

/// One outage of dc-a, as a handful of numbers.
#[derive(Debug, Clone)]
struct Scene {
    /// The gap that PING meets.
    ping: Option<GapReason>,
    /// The gap that the write canary meets, by rising severity.
    canary: usize,
    vantages: usize,
    votes: Vec<(u8, Option<f64>)>,
    alerts: Vec<(u8, u64)>,
    is_linked: bool,
    behind_bytes: u64,
    used_percent: u64,
    ping_ms: u64,
    switch_ages: Vec<u64>,
    is_beside_standby: bool,
    around: Around,
}

/// What is seen around the Redis.
#[derive(Debug, Clone, Copy)]
struct Around {
    /// The share of failing requests of applications.
    clients: Option<f64>,
    anomaly: Option<f64>,
    /// What the cluster says of the active site, by rising severity; `None` where there is no cluster.
    control: Option<usize>,
}

const QUIET: Around = Around { clients: None, anomaly: None, control: None };

const CANARIES: [Option<GapReason>; 4] =
    [None, Some(GapReason::Maxclients), Some(GapReason::ErrorReply), Some(GapReason::Oom)];

fn base() -> World {
    static BASE: OnceLock<World> = OnceLock::new();
    let made = || {
        let mut world = World::replication().warmed();
        world.service.policy.isolation_confirm = secs(20);
        world.rounds(60);
        world
    };
    BASE.get_or_init(made).clone()
}

impl Scene {
    fn play(&self) -> Decision {
        self.play_with(|_| {})
    }

    /// Plays the outage until its window is full, in a changed world.
    fn play_with(&self, change: impl FnOnce(&mut World)) -> Decision {
        let mut world = base();
        world.behind_bytes = self.behind_bytes;
        world.round();
        world.round_bytes = 0;
        if self.is_beside_standby {
            world.evidence.failure_domain = site("dc-b");
        }
        let others = self.vantages - 1;
        let places: Vec<(String, Option<f64>)> = self
            .votes
            .iter()
            .filter(|(place, _)| usize::from(*place) < others)
            .map(|(place, severity)| (format!("dc-silent-{place}"), *severity))
            .collect();
        let votes: Vec<(&str, Option<f64>)> = places.iter().map(|(p, s)| (p.as_str(), *s)).collect();
        world.vantages(self.vantages, &votes);
        world.evidence.alerts =
            self.alerts.iter().map(|(key, age)| alert(&format!("f{key}"), secs(*age))).collect();
        world.evidence.controls.switch_ages = self.switch_ages.iter().map(|age| secs(*age)).collect();
        world.node("dc-b").ping = Ok(millis(self.ping_ms));
        world.node("dc-b").facts().memory_used_bytes = Some(self.used_percent * GIB);
        world.node("dc-b").facts().memory_max_bytes = Some(100 * GIB);
        if let Some(reason) = CANARIES[self.canary] {
            world.node("dc-a").canary = CanaryResult::Failed(gap(reason));
        }
        if let Some(reason) = self.ping {
            world.node("dc-a").fail(reason);
        }
        world.link(self.is_linked);
        world.evidence.surroundings.client_errors = self.around.clients.map(|share| Ok(ratio(share)));
        world.node("dc-a").anomaly = self.around.anomaly.map(ratio);
        if let Some(severity) = self.around.control {
            let planes = [
                Ok(ControlPlane::default()),
                Err(gap(GapReason::Timeout)),
                Ok(ControlPlane { unavailable: Some("no_quorum".to_owned()), ..ControlPlane::default() }),
            ];
            world.node("dc-a").control = Some(planes[severity].clone());
        }
        // Its host is there in every scene: that a refusal is the host's own is not evidence, but a condition.
        let name = "the host of dc-a".to_owned();
        world.node("dc-a").domain = vec![Check { name, kind: CheckKind::Tcp, result: Ok(millis(1)) }];
        change(&mut world);
        world.rounds(5)
    }
}

fn scenes() -> impl Strategy<Value = Scene> {
    let pings = select(vec![
        None,
        Some(GapReason::Refused),
        Some(GapReason::Refused),
        Some(GapReason::Timeout),
        Some(GapReason::Auth),
    ]);
    let severity = prop_oneof![Just(None), Just(Some(1.0)), (0.0..=1.0_f64).prop_map(Some)];
    let active = (
        pings,
        0..CANARIES.len(),
        1..=3_usize,
        prop::collection::vec((0..3_u8, severity), 0..4),
        any::<bool>(),
    );
    let alerts = prop::collection::vec((0..3_u8, 0..16_000_u64), 0..4);
    let standby = (0..8_000_u64, 50..100_u64, 1..1_200_u64, any::<bool>());
    let share = || prop_oneof![Just(None), (0.0..=1.0_f64).prop_map(Some)];
    let around = (share(), share(), prop_oneof![Just(None), (0..3_usize).prop_map(Some)])
        .prop_map(|(clients, anomaly, control)| Around { clients, anomaly, control });
    let ages = prop_oneof![4 => Just(vec![]), 1 => prop::collection::vec(0..9_000_u64, 0..4)];
    (active, alerts, standby, ages, around).prop_map(|(active, alerts, standby, switch_ages, around)| {
        let (ping, canary, vantages, votes, is_linked) = active;
        let (behind_bytes, used_percent, ping_ms, is_beside_standby) = standby;
        Scene {
            ping,
            canary,
            vantages,
            votes,
            alerts,
            is_linked,
            behind_bytes,
            used_percent,
            ping_ms,
            switch_ages,
            is_beside_standby,
            around,
        }
    })
}

/// Half of the scenes are about a standby that nothing is wrong with.
fn outages() -> impl Strategy<Value = Scene> {
    let fit = |s: Scene| Scene { behind_bytes: s.behind_bytes % 300, used_percent: 50, ping_ms: 5, ..s };
    prop_oneof![scenes(), scenes().prop_map(fit)]
}

fn c(decision: &Decision) -> f64 {
    decision.confidence.confidence.get()
}

/// That the second decision is not the bolder one.
fn not_bolder(first: &Decision, second: &Decision) -> Result<(), TestCaseError> {
    let told =
        format!("{:?} {:?}, then {:?} {:?}", first.verdict, vetoes(first), second.verdict, vetoes(second));
    prop_assert!(c(second) <= c(first) + TINY, "{} then {}: {told}", c(first), c(second));
    prop_assert!(first.verdict != Verdict::Halt && second.verdict != Verdict::Halt);
    prop_assert!(second.verdict <= first.verdict, "{told}");
    Ok(())
}

/// A change of the world, and what it is.
type Change = (fn(&mut World), &'static str);

/// What makes the standby worse.
fn worsened() -> impl Strategy<Value = Change> {
    let all: Vec<Change> = vec![
        (|w| w.node("dc-b").facts().loading = Some(true), "it loads"),
        (|w| w.node("dc-b").facts().persistence_ok = Some(false), "its persistence fails"),
        (|w| w.node("dc-b").facts().link.as_mut().unwrap().syncing = true, "it synchronises"),
        (|w| w.node("dc-b").facts().memory_used_bytes = Some(100 * GIB), "its memory is full"),
        (|w| w.node("dc-b").facts().role = Some(Role::Primary), "it is a primary"),
        (|w| w.node("dc-b").fail(GapReason::Refused), "it is down"),
        (|w| w.node("dc-b").ping = Ok(secs(2)), "it is slow"),
        (|w| w.service.promote = None, "it can not be promoted"),
    ];
    select(all)
}

/// What makes something unknown.
fn forgotten() -> impl Strategy<Value = Change> {
    fn of(world: &mut World, change: fn(&mut Facts)) {
        change(world.node("dc-b").facts());
    }
    let all: Vec<Change> = vec![
        (|w| of(w, |f| f.role = None), "role"),
        (|w| of(w, |f| f.link = None), "link"),
        (|w| of(w, |f| f.loading = None), "loading"),
        // An offset that goes missing leaves the last lag standing for its maximum age: see the stories of the lag.
        (|w| w.service.policy.lag_evidence_max_age = secs(0), "lag"),
        (|w| of(w, |f| f.memory_used_bytes = None), "memory"),
        (|w| of(w, |f| f.memory_max_bytes = None), "limit"),
        (|w| of(w, |f| f.memory_system_bytes = None), "machine"),
        (|w| of(w, |f| f.persistence_ok = None), "persistence"),
        (|w| w.node("dc-b").facts = Err(gap(GapReason::Timeout)), "INFO"),
        (|w| w.node("dc-b").fail(GapReason::NotAsked), "the standby"),
        (|w| w.node("dc-a").fail(GapReason::Dns), "the active site"),
        (|w| w.evidence.alerts.clear(), "alerts"),
        (|w| w.evidence.surroundings.client_errors = Some(Err(gap(GapReason::Protocol))), "clients"),
        (|w| w.node("dc-a").anomaly = None, "anomaly"),
        (|w| w.node("dc-a").control = Some(Err(gap(GapReason::ErrorReply))), "what the cluster says"),
        (|w| w.node("dc-b").control = Some(Err(gap(GapReason::Auth))), "what the standby's cluster says"),
        (|w| w.evidence.vantages.iter_mut().for_each(|v| v.said = Err(gap(GapReason::Timeout))), "vantages"),
        (
            |w| w.evidence.vantages.iter_mut().take(1).for_each(|v| v.said = Err(gap(GapReason::Timeout))),
            "one",
        ),
    ];
    select(all)
}

proptest! {
    #![proptest_config(cases())]

    /// P1 and P7: an exact explanation; a veto or a missing majority leaves nothing; a plan only without any veto.
    #[test]
    fn a_decision_explains_itself(scene in outages()) {
        let d = scene.play();
        let product = d.confidence.belief.get() * d.confidence.fitness.get() * d.confidence.damping.get();
        let want = if d.vetoes.is_empty() { product } else { 0.0 };
        prop_assert!((c(&d) - want).abs() < TINY);
        prop_assert_eq!(d.plan.is_some(), d.verdict == Verdict::Failover);
        if d.verdict == Verdict::Failover {
            prop_assert!(d.vetoes.is_empty() && c(&d) >= d.thresholds.0);
        }
        prop_assert!(!d.reasons.is_empty());
    }

    /// P2 and P12: stronger evidence of failure never makes it more timid.
    #[test]
    fn stronger_evidence_never_lowers(scene in outages(), which in 0..8_u8, by in 0.0..=1.0_f64, pick in any::<prop::sample::Index>()) {
        let mut stronger = scene.clone();
        match which {
            0 => stronger.alerts.push((7, 0)),
            1 => stronger.alerts.iter_mut().for_each(|(_, age)| *age /= 2),
            2 => stronger.is_linked = false,
            3 => stronger.canary = (scene.canary + 1).min(CANARIES.len() - 1),
            4 => stronger.around.clients = Some(scene.around.clients.unwrap_or(0.0).max(by)),
            5 => stronger.around.anomaly = Some(scene.around.anomaly.unwrap_or(0.0).max(by)),
            6 => stronger.around.control = scene.around.control.map(|severity| (severity + 1).min(2)),
            _ if scene.votes.is_empty() => stronger.votes.push((0, Some(1.0))),
            _ => pick.get_mut(&mut stronger.votes).1 = Some(1.0),
        }
        not_bolder(&stronger.play(), &scene.play())?;
    }

    /// P3 and P12: a worse standby never makes it bolder.
    #[test]
    fn a_worse_target_never_raises(scene in outages(), (change, _what) in worsened(), by in 0..4_000_u64) {
        not_bolder(&scene.play(), &scene.play_with(change))?;
        let further = Scene { behind_bytes: scene.behind_bytes + by, ..scene.clone() };
        not_bolder(&scene.play(), &further.play())?;
        let fuller = Scene { used_percent: (scene.used_percent + by / 100).min(100), ..scene.clone() };
        not_bolder(&scene.play(), &fuller.play())?;
        let slower = Scene { ping_ms: scene.ping_ms + by, ..scene.clone() };
        not_bolder(&scene.play(), &slower.play())?;
    }

    /// P4: what goes missing never raises the confidence, and never makes it act.
    #[test]
    fn missing_never_raises(scene in outages(), (change, _what) in forgotten()) {
        let (known, unknown) = (scene.play(), scene.play_with(change));
        prop_assert!(c(&unknown) <= c(&known) + TINY, "{} then {}", c(&known), c(&unknown));
        prop_assert!(unknown.verdict != Verdict::Failover || known.verdict == Verdict::Failover);
    }

    /// P5: an older alert never makes it bolder.
    #[test]
    fn ageing_never_raises(scene in outages(), by in 0..20_000_u64) {
        let mut older = scene.clone();
        older.alerts.iter_mut().for_each(|(_, age)| *age += by);
        not_bolder(&scene.play(), &older.play())?;
    }

    /// P6: the same said twice, or in another order, is the same.
    #[test]
    fn duplicates_and_order_are_irrelevant(scene in outages()) {
        let mut other = scene.clone();
        other.alerts.extend(scene.alerts.clone());
        other.alerts.reverse();
        other.votes.extend(scene.votes.clone());
        other.votes.reverse();
        let (one, two) = (scene.play(), other.play());
        prop_assert!(one.says_the_same(&two), "{:?} and {:?}", one.reasons, two.reasons);
        prop_assert!((c(&one) - c(&two)).abs() < TINY);
    }

    /// P9 and P12: one more switch never makes it bolder, more time since then never more timid.
    #[test]
    fn switches_damp_and_time_heals(scene in outages(), age in 0..9_000_u64, by in 0..9_000_u64) {
        let mut another = scene.clone();
        another.switch_ages.push(age);
        not_bolder(&scene.play(), &another.play())?;
        let mut later = another.clone();
        later.switch_ages.iter_mut().for_each(|age| *age += by);
        not_bolder(&later.play(), &another.play())?;
    }
}

#[derive(Debug, Clone, Copy)]
struct Condition {
    ping: Option<GapReason>,
    canary: Option<GapReason>,
    took_ms: u64,
}

fn conditions() -> impl Strategy<Value = Condition> {
    let pings = select(vec![None, None, None, Some(GapReason::Refused), Some(GapReason::Timeout)]);
    let canaries =
        select(vec![None, None, Some(GapReason::Oom), Some(GapReason::Maxclients), Some(GapReason::Auth)]);
    (pings, canaries, 1..2_000_u64).prop_map(|(ping, canary, took_ms)| Condition { ping, canary, took_ms })
}

/// What is decided when a site is the active one.
fn decided(mut world: World, active: &str, conditions: [Condition; 2]) -> Decision {
    for (name, condition) in ["dc-a", "dc-b"].into_iter().zip(conditions) {
        world.node(name).ping = Ok(millis(condition.took_ms));
        if let Some(reason) = condition.canary {
            world.node(name).canary = CanaryResult::Failed(gap(reason));
        }
        if let Some(reason) = condition.ping {
            world.node(name).fail(reason);
        }
    }
    world.record(&format!("{active}.redis.test"), Some(&fence(active, active, 7)));
    world.rounds(20)
}

proptest! {
    #![proptest_config(cases())]

    /// P10: what would move there and what would move back never hold at once.
    #[test]
    fn there_is_no_ping_pong(a in conditions(), b in conditions(), shares_data in any::<bool>()) {
        static WORLDS: OnceLock<[World; 2]> = OnceLock::new();
        let made = || [World::replication().warmed().alerted(), World::active_active().warmed().alerted()];
        let world = &WORLDS.get_or_init(made)[usize::from(shares_data)];
        let there = decided(world.clone(), "dc-a", [a, b]);
        let back = decided(world.clone(), "dc-b", [a, b]);
        let moves = |d: &Decision, to: &str| d.verdict >= Verdict::Recommend && d.target == Some(site(to));
        prop_assert!(!(moves(&there, "dc-b") && moves(&back, "dc-a")), "{:?} {:?}", there.reasons, back.reasons);
    }
}

/// The properties are worth nothing if their scenes never move anything.
#[test]
fn the_scenes_reach_every_verdict() {
    let scene = Scene {
        ping: Some(GapReason::Refused),
        canary: 0,
        vantages: 1,
        votes: vec![],
        alerts: vec![(0, 0)],
        is_linked: false,
        behind_bytes: 0,
        used_percent: 50,
        ping_ms: 5,
        switch_ages: vec![],
        is_beside_standby: false,
        around: QUIET,
    };
    assert_eq!(scene.play().verdict, Verdict::Failover);
    let three = Scene { vantages: 3, votes: vec![(0, Some(1.0)), (1, Some(1.0))], ..scene.clone() };
    assert_eq!(three.play().verdict, Verdict::Failover);
    assert_eq!(Scene { alerts: vec![], ..scene.clone() }.play().verdict, Verdict::Recommend);
    assert_eq!(Scene { ping: None, ..scene }.play().verdict, Verdict::Hold);
}
