//! Warns when the evidence that can be had for a service never reaches its thresholds, and of other doubtful but
//! lawful settings.

use std::collections::BTreeSet;

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

/// Evidence that one place alone cannot have counts from so many failure domains on.
const DOMAINS_MIN: usize = 3;

/// The most that the evidence groups which are configured can give for a service.
struct Reach {
    log_odds: f64,
    /// The groups counted.
    groups: Vec<&'static str>,
    /// The log-odds with the peer group, where it counts 0 only because of where the agent stands.
    with_peer: Option<f64>,
    /// The groups that count 0 because too few places look, and the log-odds with them.
    with_vantages: Option<(Vec<&'static str>, f64)>,
}

fn reach(service: &Service, config: &Config) -> Reach {
    let weights = &service.policy.weights;
    let has_control = service.sites.iter().any(|site| site.database.is_some());
    let is_place = |name: &SiteName| service.site(name).is_some();
    let has_domain = config.datacenters.iter().any(|d| is_place(&d.name) && !d.domain_checks.is_empty());
    let places = config.agent.vantages.iter().map(|v| &v.failure_domain);
    let places = places.chain([&config.agent.failure_domain]).collect::<BTreeSet<_>>().len();
    let is_few = places < DOMAINS_MIN;
    // An agent beside a site sees the others over a line that may be cut.
    let is_beside = is_few && is_place(&config.agent.failure_domain);
    let groups = [
        ("vantage", true, false, weights.vantage),
        ("control", has_control, false, weights.control),
        ("peer", service.topology == Topology::Replication || has_control, is_beside, weights.peer),
        ("client", service.client_errors.is_some(), false, weights.client),
        ("domain", has_domain, is_few, weights.domain),
        ("alert", true, false, weights.alert),
    ];
    let sum = |is_in: &dyn Fn(&str, bool) -> bool| -> f64 {
        let inside = groups.iter().filter(|(name, is_there, is_far, _)| *is_there && is_in(name, *is_far));
        weights.bias + inside.map(|(.., weight)| weight).sum::<f64>()
    };
    let names = |far: bool| {
        let of = groups.iter().filter(|(_, is_there, is_far, _)| *is_there && *is_far == far);
        of.map(|(name, ..)| *name).collect::<Vec<_>>()
    };
    let far = names(true);
    Reach {
        log_odds: sum(&|_, is_far| !is_far),
        groups: names(false),
        with_peer: far.contains(&"peer").then(|| sum(&|name, is_far| !is_far || name == "peer")),
        with_vantages: (!far.is_empty()).then(|| (far.clone(), sum(&|_, _| true))),
    }
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
    let enough = |log_odds: f64| Some(belief(log_odds)).filter(|most| *most >= threshold.get());
    if let Some(most) = reach.with_peer.and_then(enough) {
        return format!(
            "run the agent in a failure domain of its own, where peer evidence counts ({most:.3}); or {raise}"
        );
    }
    let with_vantages = reach.with_vantages.as_ref();
    match with_vantages.and_then(|(groups, log_odds)| Some((listed(groups), enough(*log_odds)?))) {
        Some((groups, most)) => {
            format!("look from three failure domains, where {groups} evidence counts ({most:.3}); or {raise}")
        }
        None => raise,
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
