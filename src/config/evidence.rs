//! Warns when the evidence that can be had for a service never reaches its thresholds, and of other doubtful but
//! lawful settings.

use super::checked::{Config, Mode, Service, Topology, WebhookAuth};
use super::read::Sheet;
use crate::types::{Ratio, SiteName};

/// Notes the warnings about a sound configuration.
pub(super) fn warn(sheet: &Sheet<'_>, config: &Config) {
    if config.webhook.auth == WebhookAuth::Open {
        let hint = "add bearer_token_file or basic";
        sheet.warning("webhook", "accepts notifications from anybody who reaches the port", hint);
    }
    for (position, service) in config.services.iter().enumerate() {
        warn_reach(sheet, &format!("services[{position}]"), service, config);
    }
}

/// The most that the evidence groups which are configured can give for a service.
struct Reach {
    log_odds: f64,
    /// The groups counted.
    groups: Vec<&'static str>,
    /// The groups that count 0 only because of where the agent stands, and the log-odds with them.
    elsewhere: Option<(Vec<&'static str>, f64)>,
}

fn reach(service: &Service, config: &Config) -> Reach {
    let weights = &service.policy.weights;
    let has_control = service.sites.iter().any(|site| site.database.is_some());
    let is_place = |name: &SiteName| service.site(name).is_some();
    let has_domain = config.datacenters.iter().any(|d| is_place(&d.name) && !d.domain_checks.is_empty());
    let groups = [
        ("vantage", true, weights.vantage),
        ("control", has_control, weights.control),
        ("peer", service.topology == Topology::Replication || has_control, weights.peer),
        ("client", service.client_errors.is_some(), weights.client),
        ("domain", has_domain, weights.domain),
        ("alert", true, weights.alert),
    ];
    // Of fewer than three vantages, one beside a site sees the others over a line that may be cut.
    let is_beside = config.agent.vantages.len() < 2 && is_place(&config.agent.failure_domain);
    let needs_distance = |name: &str| is_beside && matches!(name, "peer" | "domain");
    let present = || groups.into_iter().filter(|(_, is_present, _)| *is_present);
    let (far, counted): (Vec<_>, Vec<_>) = present().partition(|(name, ..)| needs_distance(name));
    let sum = |groups: &[(_, _, f64)]| groups.iter().map(|(_, _, weight)| weight).sum::<f64>();
    let names = |groups: &[(&'static str, _, _)]| groups.iter().map(|(name, ..)| *name).collect();
    let log_odds = weights.bias + sum(&counted);
    let elsewhere = (!far.is_empty()).then(|| (names(&far), log_odds + sum(&far)));
    Reach { log_odds, groups: names(&counted), elsewhere }
}

/// `vantage, peer and alert`.
fn listed(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.concat(),
    }
}

fn warn_reach(sheet: &Sheet<'_>, key: &str, service: &Service, config: &Config) {
    if service.mode == Mode::Observe {
        return;
    }
    let policy = &service.policy;
    let reach = reach(service, config);
    let most = belief(reach.log_odds);
    let (name, threshold) = if most < policy.theta_recommend.get() {
        ("theta_recommend", policy.theta_recommend)
    } else if most < policy.theta_auto.get() {
        ("theta_auto", policy.theta_auto)
    } else {
        return;
    };
    let reason = format!(
        "can never reach {name}, {threshold}: its evidence ({}) gives at most {:.3}",
        listed(&reach.groups),
        (most * 1000.0).floor() / 1000.0
    );
    sheet.warning(key, reason, hint(&reach, name, threshold));
}

fn hint(reach: &Reach, name: &str, threshold: Ratio) -> String {
    let raise = format!("raise policy.weights, or lower policy.{name}");
    match reach.elsewhere.as_ref().map(|(groups, log_odds)| (listed(groups), belief(*log_odds))) {
        Some((groups, most)) if most >= threshold.get() => {
            format!(
                "run the agent in a failure domain of its own, where {groups} evidence counts ({most:.3}); or {raise}"
            )
        }
        Some(_) | None => raise,
    }
}

/// The belief that goes with log-odds.
fn belief(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn belief_is_the_logistic_function() {
        assert_eq!(belief(0.0), 0.5);
        assert!((belief(1.0) - 0.731).abs() < 0.001);
        assert!((belief(3.0) - 0.9526).abs() < 0.001);
        assert_eq!(belief(-1e9), 0.0);
    }
}
