//! Reads the policy of a service; what is absent has its default.

use std::time::Duration;

use super::checked::{Flap, Policy, Weights};
use super::read::{Section, boolean, duration, duration_text, integer, number, ratio};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// Largest weight and penalty: far beyond use, and far from where sums lose their precision.
const NUMBER_MAX: f64 = 1_000_000.0;

/// The keys of a policy.
pub(crate) const KEYS: &[&str] = &[
    "confirm_window",
    "confirm_rounds",
    "isolation_confirm",
    "theta_auto",
    "theta_recommend",
    "rpo_soft",
    "rpo_hard",
    "lag_evidence_max_age",
    "loading_budget",
    "flap",
    "min_auto_interval",
    "failback_stability",
    "watch_period",
    "decision_ttl",
    "config_error_severity_cap",
    "accept_fewer_vantages",
    "weights",
];

/// Reads the policy in a service's section.
pub(super) fn read(service: &Section<'_>) -> Policy {
    service.item("policy").and_then(|item| item.section(KEYS)).map(|section| of(&section)).unwrap_or_default()
}

/// Reads a policy's own section.
pub(crate) fn of(section: &Section<'_>) -> Policy {
    let mut policy = Policy::default();
    let time = |name: &str, least: Duration, default: &mut Duration| {
        *default = section.or(name, *default, duration(least..=30 * DAY));
    };
    time("confirm_window", Duration::from_millis(1), &mut policy.confirm_window);
    time("isolation_confirm", Duration::from_millis(1), &mut policy.isolation_confirm);
    time("rpo_soft", Duration::ZERO, &mut policy.rpo_soft);
    time("rpo_hard", Duration::ZERO, &mut policy.rpo_hard);
    time("lag_evidence_max_age", SECOND, &mut policy.lag_evidence_max_age);
    time("loading_budget", Duration::ZERO, &mut policy.loading_budget);
    time("min_auto_interval", Duration::ZERO, &mut policy.min_auto_interval);
    time("failback_stability", Duration::ZERO, &mut policy.failback_stability);
    time("watch_period", Duration::ZERO, &mut policy.watch_period);
    time("decision_ttl", SECOND, &mut policy.decision_ttl);
    let rounds = section.or("confirm_rounds", u64::from(policy.confirm_rounds), integer(1..=1000));
    policy.confirm_rounds = u32::try_from(rounds).unwrap_or(policy.confirm_rounds);
    policy.theta_auto = section.or("theta_auto", policy.theta_auto, ratio("0.9"));
    policy.theta_recommend = section.or("theta_recommend", policy.theta_recommend, ratio("0.6"));
    policy.config_error_severity_cap =
        section.or("config_error_severity_cap", policy.config_error_severity_cap, ratio("0.6"));
    policy.accept_fewer_vantages = section.or("accept_fewer_vantages", false, boolean);
    policy.flap = flap(section);
    policy.weights = weights(section);
    policy
}

/// A policy as YAML in one line, every key of it; what is read of that text is the same policy.
pub(crate) fn text(policy: &Policy) -> String {
    let (flap, weights) = (&policy.flap, &policy.weights);
    let time = |name: &str, value: Duration| format!("{name}: {}", duration_text(value));
    let number = |name: &str, value: f64| format!("{name}: {value:?}");
    let entries = [
        time("confirm_window", policy.confirm_window),
        format!("confirm_rounds: {}", policy.confirm_rounds),
        time("isolation_confirm", policy.isolation_confirm),
        number("theta_auto", policy.theta_auto.get()),
        number("theta_recommend", policy.theta_recommend.get()),
        time("rpo_soft", policy.rpo_soft),
        time("rpo_hard", policy.rpo_hard),
        time("lag_evidence_max_age", policy.lag_evidence_max_age),
        time("loading_budget", policy.loading_budget),
        time("min_auto_interval", policy.min_auto_interval),
        time("failback_stability", policy.failback_stability),
        time("watch_period", policy.watch_period),
        time("decision_ttl", policy.decision_ttl),
        number("config_error_severity_cap", policy.config_error_severity_cap.get()),
        format!("accept_fewer_vantages: {}", policy.accept_fewer_vantages),
        format!(
            "flap: {{{}, {}, {}, {}}}",
            number("penalty", flap.penalty),
            time("half_life", flap.half_life),
            number("suppress", flap.suppress),
            number("reuse", flap.reuse)
        ),
        format!(
            "weights: {{{}, {}, {}, {}, {}, {}, {}, {}}}",
            number("bias", weights.bias),
            number("vantage", weights.vantage),
            number("control", weights.control),
            number("peer", weights.peer),
            number("client", weights.client),
            number("domain", weights.domain),
            number("alert", weights.alert),
            number("anomaly", weights.anomaly)
        ),
    ];
    format!("{{{}}}", entries.join(", "))
}

fn flap(policy: &Section<'_>) -> Flap {
    let mut flap = Flap::default();
    let known = ["penalty", "half_life", "suppress", "reuse"];
    let Some(section) = policy.item("flap").and_then(|item| item.section(&known)) else { return flap };
    let amount = |name: &str, default: &mut f64| {
        let positive = |n: f64| n > 0.0 && n <= NUMBER_MAX;
        *default = section.or(name, *default, number(positive, "a number above 0, up to 1000000", "1000"));
    };
    amount("penalty", &mut flap.penalty);
    amount("suppress", &mut flap.suppress);
    amount("reuse", &mut flap.reuse);
    flap.half_life = section.or("half_life", flap.half_life, duration(SECOND..=30 * DAY));
    flap
}

fn weights(policy: &Section<'_>) -> Weights {
    let mut weights = Weights::default();
    let known = ["bias", "vantage", "control", "peer", "client", "domain", "alert", "anomaly"];
    let Some(section) = policy.item("weights").and_then(|item| item.section(&known)) else { return weights };
    let weight = |name: &str, default: &mut f64| {
        let inside = |n: f64| (0.0..=NUMBER_MAX).contains(&n);
        *default = section.or(name, *default, number(inside, "a number from 0 to 1000000", "2"));
    };
    weight("vantage", &mut weights.vantage);
    weight("control", &mut weights.control);
    weight("peer", &mut weights.peer);
    weight("client", &mut weights.client);
    weight("domain", &mut weights.domain);
    weight("alert", &mut weights.alert);
    weight("anomaly", &mut weights.anomaly);
    let negative = |n: f64| (-NUMBER_MAX..0.0).contains(&n);
    weights.bias =
        section.or("bias", weights.bias, number(negative, "a number below 0, down to -1000000", "-6.5"));
    weights
}
