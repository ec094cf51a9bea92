//! Properties of the formula alone: weights, terms, fitness, damping and penalties as numbers.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{ratio, secs};
use crate::config::{Flap, Weights};
use crate::decide::confidence::Vetoed;
use crate::decide::policy::penalty;
use crate::decide::{Confidence, Group, Term};

/// What the confidence of a recommendation needs.
const RECOMMEND: f64 = 0.60;
const TINY: f64 = 1e-9;

/// Five hundred cases, or as many as the environment asks for.
pub(super) fn cases() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => asked,
        None => ProptestConfig { cases: 500, ..asked },
    }
}

type Strengths = Vec<Option<f64>>;

#[derive(Debug, Clone)]
struct Numbers {
    weights: Weights,
    strengths: Strengths,
    fitness: f64,
    damping: f64,
}

impl Numbers {
    /// Default weights, a perfect target, no damping.
    fn only(strengths: &[(Group, f64)]) -> Self {
        let of = |group: &Group| strengths.iter().find(|(g, _)| g == group).map(|(_, m)| *m);
        let strengths = Group::ALL.iter().map(of).collect();
        Self { weights: Weights::default(), strengths, fitness: 1.0, damping: 1.0 }
    }

    fn compute(&self, vetoed: Vetoed) -> Confidence {
        let term = |(group, m): (Group, &Option<f64>)| Term::new(group, m.map(ratio), &self.weights, "said");
        let terms = Group::ALL.into_iter().zip(&self.strengths).map(term).collect();
        Confidence::compute(&self.weights, terms, ratio(self.fitness), ratio(self.damping), vetoed)
    }

    fn confidence(&self) -> f64 {
        self.compute(Vetoed::No).confidence.get()
    }

    fn with(&self, group: usize, strength: Option<f64>) -> Self {
        let mut other = self.clone();
        other.strengths[group] = strength;
        other
    }
}

fn weights() -> impl Strategy<Value = Weights> {
    let any = (-10.0..0.0_f64, prop::array::uniform7(0.0..10.0_f64)).prop_map(|(bias, w)| {
        let [vantage, control, peer, client, domain, alert, anomaly] = w;
        Weights { bias, vantage, control, peer, client, domain, alert, anomaly }
    });
    prop_oneof![Just(Weights::default()), any]
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let strength = prop_oneof![Just(None), Just(Some(1.0)), (0.0..=1.0_f64).prop_map(Some)];
    let strengths = prop::collection::vec(strength, Group::ALL.len());
    (weights(), strengths, 0.0..=1.0_f64, 0.0..=1.0_f64)
        .prop_map(|(weights, strengths, fitness, damping)| Numbers { weights, strengths, fitness, damping })
}

fn ages() -> impl Strategy<Value = Vec<Duration>> {
    prop::collection::vec((0..20_000_u64).prop_map(secs), 0..6)
}

proptest! {
    #![proptest_config(cases())]

    /// P1: everything is in range, the contributions sum to L, and the factors multiply to C.
    #[test]
    fn the_explanation_is_exact(n in numbers()) {
        let told = n.compute(Vetoed::No);
        let sum = told.bias + told.terms.iter().map(Term::contribution).sum::<f64>();
        prop_assert!((told.log_odds - sum).abs() < TINY);
        prop_assert!((told.belief.get() - 1.0 / (1.0 + (-sum).exp())).abs() < TINY);
        let product = told.belief.get() * told.fitness.get() * told.damping.get();
        prop_assert!((told.confidence.get() - product).abs() < TINY);
        prop_assert!((0.0..=1.0).contains(&told.confidence.get()));
        let groups: Vec<Group> = told.terms.iter().map(|t| t.group).collect();
        prop_assert_eq!(groups, Group::ALL.to_vec());
        prop_assert!(told.terms.iter().all(|t| t.contribution() >= 0.0));
    }

    /// P2 and P4: more evidence of failure never lowers it, and evidence that goes missing never raises it.
    #[test]
    fn evidence_only_raises(n in numbers(), group in 0..7_usize, by in 0.0..=1.0_f64) {
        let before = n.strengths[group].unwrap_or(0.0);
        let raised = n.with(group, Some((before + by).min(1.0)));
        prop_assert!(raised.confidence() >= n.confidence() - TINY);
        prop_assert!(n.with(group, None).confidence() <= n.confidence() + TINY);
    }

    /// P3 and P9: a worse target and a stronger damping never raise it.
    #[test]
    fn the_factors_only_lower(n in numbers(), share in 0.0..=1.0_f64) {
        let worse = Numbers { fitness: n.fitness * share, ..n.clone() };
        prop_assert!(worse.confidence() <= n.confidence() + TINY);
        let damped = Numbers { damping: n.damping * share, ..n.clone() };
        prop_assert!(damped.confidence() <= n.confidence() + TINY);
    }

    /// P7: a veto leaves nothing of it, and all else visible.
    #[test]
    fn a_veto_forces_zero(n in numbers()) {
        let (free, vetoed) = (n.compute(Vetoed::No), n.compute(Vetoed::Yes));
        prop_assert_eq!(vetoed.confidence.get(), 0.0);
        prop_assert_eq!((vetoed.belief, vetoed.fitness, vetoed.damping), (free.belief, free.fitness, free.damping));
    }

    /// P8: no single group reaches a recommendation with the default weights, however good the target.
    #[test]
    fn no_group_alone_is_enough(group in 0..7_usize, strength in 0.0..=1.0_f64) {
        let alone = Numbers::only(&[(Group::ALL[group], strength)]);
        prop_assert!(alone.confidence() < RECOMMEND);
    }

    /// P9: one more switch never lowers the penalty, more time never raises it.
    #[test]
    fn penalties_grow_with_switches_and_fade_with_time(ages in ages(), more in 0..20_000_u64, by in 0..20_000_u64) {
        let flap = Flap::default();
        let now = penalty(&flap, &ages);
        let mut another = ages.clone();
        another.push(secs(more));
        prop_assert!(penalty(&flap, &another) >= now - TINY);
        let later: Vec<Duration> = ages.iter().map(|a| *a + secs(by)).collect();
        prop_assert!(penalty(&flap, &later) <= now + TINY);
    }

    /// P11: no step of an input makes a leap: at most a quarter of the weight, and one for the factors.
    #[test]
    fn changes_are_bounded(n in numbers(), group in 0..7_usize, to in 0.0..=1.0_f64) {
        let term = &n.compute(Vetoed::No).terms[group];
        let step = (to - n.strengths[group].unwrap_or(0.0)).abs();
        let change = (n.with(group, Some(to)).confidence() - n.confidence()).abs();
        prop_assert!(change <= term.weight / 4.0 * step + TINY, "{} for {}", change, step);
        let fitness = Numbers { fitness: to, ..n.clone() };
        prop_assert!((fitness.confidence() - n.confidence()).abs() <= (to - n.fitness).abs() + TINY);
        let damping = Numbers { damping: to, ..n.clone() };
        prop_assert!((damping.confidence() - n.confidence()).abs() <= (to - n.damping).abs() + TINY);
    }
}

#[test]
fn the_worked_values_hold() {
    let whole_site =
        [(Group::Vantage, 2.0 / 3.0), (Group::Control, 0.6), (Group::Peer, 1.0), (Group::Domain, 1.0)];
    let writes_lost = [(Group::Vantage, 1.0), (Group::Client, 1.0), (Group::Alert, 1.0)];
    type Given<'a> = &'a [(Group, f64)];
    let table: [(&str, Given<'_>, f64); 6] = [
        ("nothing", &[], 0.0015),
        ("the vantages alone", &[(Group::Vantage, 1.0)], 0.378),
        ("an alert and an anomaly", &[(Group::Alert, 1.0), (Group::Anomaly, 1.0)], 0.018),
        ("a whole datacenter, without alert and clients", &whole_site, 0.953),
        ("lost writes, clients, an alert", &writes_lost, 0.953),
        (
            "a primary, its link, an alert",
            &[(Group::Vantage, 1.0), (Group::Peer, 1.0), (Group::Alert, 1.0)],
            0.953,
        ),
    ];
    for (what, strengths, want) in table {
        let found = Numbers::only(strengths).confidence();
        assert!((found - want).abs() < 0.0006, "{what}: {found}");
    }
}

#[test]
fn a_second_failure_is_damped_by_its_distance() {
    for (age, want) in [(10, 0.71), (900, 0.84), (1800, 0.92)] {
        let damping = (-penalty(&Flap::default(), &[secs(age)]) / 2000.0).exp2();
        assert!((damping - want).abs() < 0.005, "{age} s: {damping}");
    }
}
