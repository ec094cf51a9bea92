//! Targets that are as always, strange, stuck, partly seen, and gone.

use std::time::Duration;

use super::Analyser;
use super::detector::{ROWS_MAX, ROWS_MIN};
use crate::types::{
    Anomaly, CanaryResult, Facts, Gap, GapReason, Moment, Ratio, SIGNALS, ServiceName, SiteName, Snapshot,
    TargetName, TargetSnapshot,
};

/// Numbers that look like chance, the same in every run.
struct Noise(u64);

impl Noise {
    /// A number from 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// What a healthy primary says: no link to a primary, all switches at good, the rest moving a little.
    fn usual(&mut self) -> Vec<(&'static str, f64)> {
        let latency = 0.01 + 0.02 * self.next() * self.next();
        let (memory, clients) = (0.40 + 0.05 * self.next(), 0.10 + 0.02 * (self.next() + self.next()));
        let rest = [("data_path", 0.0), ("loading", 0.0), ("persistence", 0.0)];
        let moving = [("latency", latency), ("memory_pressure", memory), ("clients_pressure", clients)];
        rest.into_iter().chain(moving).collect()
    }
}

const STRANGE: [(&str, f64); 6] = [
    ("data_path", 0.0),
    ("loading", 0.0),
    ("persistence", 0.0),
    ("latency", 0.30),
    ("memory_pressure", 0.95),
    ("clients_pressure", 0.90),
];

fn site() -> SiteName {
    SiteName::new("dc-a").unwrap()
}

fn analyser(seed: u64) -> Analyser {
    Analyser::new(ServiceName::new("sessions").unwrap(), seed)
}

fn look(target: &str) -> TargetSnapshot {
    TargetSnapshot {
        target: TargetName::new(target).unwrap(),
        ping: Ok(Duration::from_millis(1)),
        facts: Ok(Facts::default()),
        canary: CanaryResult::NotAsked,
        samples: Vec::new(),
        elapsed: Duration::ZERO,
    }
}

fn snapshot(targets: Vec<TargetSnapshot>) -> Snapshot {
    let taken = Moment { mono: Duration::ZERO, wall: Duration::ZERO };
    Snapshot { site: site(), taken, targets, control: None, domain: Vec::new(), anomaly: None }
}

/// One round with one target; returns the site's score.
fn see(analyser: &mut Analyser, look: TargetSnapshot, values: &[(&'static str, f64)]) -> Option<Ratio> {
    let mut snapshots = [snapshot(vec![look])];
    let known: Vec<_> = values.iter().map(|(name, value)| (*name, Ratio::clamped(*value))).collect();
    analyser.score(&mut snapshots, |_| known.clone());
    snapshots[0].anomaly
}

/// As [`see`], and learned from.
fn round(analyser: &mut Analyser, values: &[(&'static str, f64)]) -> Option<Ratio> {
    let severity = see(analyser, look("redis-1"), values);
    analyser.learn(&[&site()]);
    severity
}

fn anomaly(analyser: &Analyser) -> Anomaly {
    analyser.anomalies().into_iter().next().expect("the target has a score").2
}

/// An analyser that has seen so many usual rounds.
fn after(rounds: usize, noise: &mut Noise) -> Analyser {
    let mut analyser = analyser(1);
    for _ in 0..rounds {
        round(&mut analyser, &noise.usual());
    }
    analyser
}

#[test]
fn there_is_a_gap_until_enough_was_learned() {
    let (mut analyser, mut noise) = (analyser(1), Noise(1));
    for _ in 0..ROWS_MIN {
        assert_eq!(round(&mut analyser, &noise.usual()), None);
        assert_eq!(analyser.anomalies(), []);
    }
    assert_eq!(round(&mut analyser, &noise.usual()), Some(Ratio::ZERO));
    let first = anomaly(&analyser);
    assert!(first.score > Ratio::ZERO && first.threshold >= Ratio::clamped(0.6), "{first:?}");
}

#[test]
fn a_strange_look_scores_above_usual_ones_and_says_why() {
    for rounds in [ROWS_MIN, 100, 300, 2 * ROWS_MAX] {
        let mut noise = Noise(7);
        let mut analyser = after(rounds, &mut noise);
        let (mut most, mut alarms) = (Ratio::ZERO, 0);
        for _ in 0..200 {
            see(&mut analyser, look("redis-1"), &noise.usual());
            most = most.max(anomaly(&analyser).score);
            alarms += u32::from(anomaly(&analyser).is_anomalous());
        }
        assert_eq!(see(&mut analyser, look("redis-1"), &STRANGE), Some(Ratio::ZERO), "once is not enough");
        let strange = anomaly(&analyser);
        assert!(
            strange.score > most && strange.is_anomalous(),
            "{rounds}: {strange:?}, others up to {most:?}"
        );
        assert!(alarms <= 10, "{rounds}: {alarms} of 200 usual looks");
        let severity = see(&mut analyser, look("redis-1"), &STRANGE).unwrap();
        assert!(severity > Ratio::ZERO && severity == anomaly(&analyser).severity());
        let gain = |name| strange.contributions.iter().find(|c| c.signal == name).map(|c| c.gain);
        assert!(gain("memory_pressure") > gain("persistence"), "{strange:?}");
        assert_eq!(gain("persistence"), Some(0.0));
        assert_eq!(gain("replication_link"), None, "it was not seen");
    }
}

#[test]
fn a_target_that_never_moves_is_as_expected() {
    let mut analyser = analyser(1);
    let stuck = [("latency", 0.0), ("memory_pressure", 0.3)];
    for _ in 0..300 {
        let severity = round(&mut analyser, &stuck).unwrap_or(Ratio::ZERO);
        assert_eq!(severity, Ratio::ZERO);
    }
    assert_eq!(anomaly(&analyser).score.get(), 0.5);
    // What never moved is never split: the forest has no opinion of its first move.
    see(&mut analyser, look("redis-1"), &[("latency", 0.0), ("memory_pressure", 0.9)]);
    assert_eq!(anomaly(&analyser).score.get(), 0.5);
}

#[test]
fn a_gap_is_neither_strange_nor_does_it_contribute() {
    let mut noise = Noise(3);
    let mut analyser = after(300, &mut noise);
    for _ in 0..50 {
        let seen: Vec<_> = noise.usual().into_iter().filter(|(name, _)| *name != "memory_pressure").collect();
        round(&mut analyser, &seen);
        let without = anomaly(&analyser);
        assert!(without.score.get() < 0.6, "{without:?}");
        assert!(without.contributions.iter().all(|c| c.signal != "memory_pressure"));
    }
    let nothing = see(&mut analyser, look("redis-1"), &[]);
    assert!(nothing.is_some() && anomaly(&analyser).score.get() < 0.55);
}

#[test]
fn numbers_that_are_none_and_names_that_are_unknown_do_no_harm() {
    let mut noise = Noise(4);
    let mut analyser = after(100, &mut noise);
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for signal in SIGNALS.into_iter().chain(["new_signal"]) {
            round(&mut analyser, &[(signal, odd)]);
            assert!((0.0..=1.0).contains(&anomaly(&analyser).score.get()), "{signal} {odd}");
        }
    }
}

#[test]
fn memory_is_bounded_and_what_is_gone_is_forgotten() {
    let mut noise = Noise(5);
    let mut analyser = after(3 * ROWS_MAX, &mut noise);
    assert_eq!(analyser.looks_most(), ROWS_MAX);
    assert_eq!(see(&mut analyser, look("redis-2"), &noise.usual()), None, "a new target is learned anew");
    assert_eq!(analyser.looks_most(), 0, "nothing is left of the other");
}

#[test]
fn what_lasts_becomes_usual() {
    let mut noise = Noise(6);
    let mut analyser = after(400, &mut noise);
    let shifted = |noise: &mut Noise| {
        let mut values = noise.usual();
        values.iter_mut().filter(|(name, _)| *name == "memory_pressure").for_each(|(_, v)| *v += 0.4);
        values
    };
    see(&mut analyser, look("redis-1"), &shifted(&mut noise));
    let before = anomaly(&analyser).score;
    for _ in 0..2 * ROWS_MAX {
        let values = shifted(&mut noise);
        round(&mut analyser, &values);
    }
    let (mut sum, rounds) = (0.0, 50);
    for _ in 0..rounds {
        see(&mut analyser, look("redis-1"), &shifted(&mut noise));
        sum += anomaly(&analyser).score.get();
    }
    let after = sum / f64::from(rounds);
    assert!(after < 0.52 && before.get() > after, "{before:?} and then {after}");
}

#[test]
fn what_fails_is_neither_learned_nor_scored() {
    let (mut analyser, mut noise) = (analyser(1), Noise(8));
    for _ in 0..2 * ROWS_MIN {
        see(&mut analyser, look("redis-1"), &noise.usual());
        analyser.learn(&[]);
    }
    assert_eq!(analyser.looks_most(), 0, "its site was not healthy, or the service in an incident");
    let gap = Gap::new(GapReason::Oom, "");
    let loading = Facts { loading: Some(true), ..Facts::default() };
    for failing in [
        TargetSnapshot { canary: CanaryResult::Failed(gap.clone()), ..look("redis-1") },
        TargetSnapshot { ping: Err(gap.clone()), ..look("redis-1") },
        TargetSnapshot { facts: Err(gap.clone()), ..look("redis-1") },
        TargetSnapshot { facts: Ok(loading), ..look("redis-1") },
    ] {
        see(&mut analyser, failing, &noise.usual());
        analyser.learn(&[&site()]);
        assert_eq!(analyser.looks_most(), 0);
    }
    let mut analyser = after(100, &mut noise);
    let blind = TargetSnapshot::blind(TargetName::new("redis-1").unwrap(), gap, Duration::ZERO);
    assert_eq!(see(&mut analyser, blind, &[("data_path", 1.0)]), None);
    assert_eq!(analyser.anomalies(), [], "no series rather than an old one");
    assert_eq!(analyser.looks_most(), 100, "what was learned is kept");
}

#[test]
fn the_same_name_and_parameter_give_the_same_forest() {
    let scores = |seed: u64, target: &str| {
        let (mut analyser, mut noise) = (analyser(seed), Noise(9));
        for _ in 0..150 {
            see(&mut analyser, look(target), &noise.usual());
            analyser.learn(&[&site()]);
        }
        anomaly(&analyser).score
    };
    assert_eq!(scores(1, "redis-1"), scores(1, "redis-1"));
    assert_ne!(scores(1, "redis-1"), scores(2, "redis-1"));
    assert_ne!(scores(1, "redis-1"), scores(1, "redis-2"));
}

#[test]
fn a_site_is_as_strange_as_its_strangest_target_and_one_forest_is_fitted_a_round() {
    let (mut analyser, mut noise) = (analyser(1), Noise(10));
    let names = ["redis-1", "redis-2", "redis-3"];
    let mut rounds = |analyser: &mut Analyser, strange: Option<&str>| {
        let mut snapshots = [snapshot(names.map(look).to_vec())];
        analyser.score(&mut snapshots, |look| {
            let is_strange = strange == Some(look.target.as_str());
            let values = if is_strange { STRANGE.to_vec() } else { noise.usual() };
            values.into_iter().map(|(name, value)| (name, Ratio::clamped(value))).collect()
        });
        analyser.learn(&[&site()]);
        snapshots[0].anomaly
    };
    for _ in 0..ROWS_MIN {
        rounds(&mut analyser, None);
    }
    for scored in 1..=names.len() {
        rounds(&mut analyser, None);
        assert_eq!(analyser.anomalies().len(), scored);
    }
    for _ in 0..300 {
        rounds(&mut analyser, None);
    }
    rounds(&mut analyser, Some("redis-2"));
    let site_says = rounds(&mut analyser, Some("redis-2")).unwrap();
    let of_target = &analyser.anomalies()[1];
    assert_eq!(of_target.1.as_str(), "redis-2");
    assert!(site_says > Ratio::ZERO && site_says == of_target.2.severity(), "{site_says:?} {of_target:?}");
}

#[test]
fn a_score_that_came_with_the_look_stands() {
    let mut noise = Noise(11);
    let mut analyser = after(100, &mut noise);
    let mut snapshots = [snapshot(vec![look("redis-1")])];
    snapshots[0].anomaly = Some(Ratio::clamped(0.99));
    analyser.score(&mut snapshots, |_| Vec::new());
    assert_eq!(snapshots[0].anomaly, Some(Ratio::clamped(0.99)));
}
