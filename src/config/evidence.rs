//! Warns when the evidence that can be had for a service never reaches its thresholds, and of other doubtful but
//! lawful settings.

use super::checked::{Config, Mode, Service, Topology, WebhookAuth};
use super::read::Sheet;
use crate::types::Ratio;

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

/// The most that the evidence groups this program has can give for a service.
struct Reach {
    log_odds: f64,
    /// The groups counted, in words.
    groups: &'static str,
    /// With the peer group, where it counts 0 only because of where the agent stands.
    with_peer: Option<f64>,
}

fn reach(service: &Service, config: &Config) -> Reach {
    let weights = &service.policy.weights;
    let base = weights.bias + weights.vantage + weights.alert;
    let is_beside = service.sites.iter().any(|site| site.name == config.agent.failure_domain);
    match service.topology {
        Topology::Replication if is_beside => {
            Reach { log_odds: base, groups: "vantage and alert", with_peer: Some(base + weights.peer) }
        }
        Topology::Replication => {
            Reach { log_odds: base + weights.peer, groups: "vantage, peer and alert", with_peer: None }
        }
        Topology::ActiveActive | Topology::ReplicaOf => {
            Reach { log_odds: base, groups: "vantage and alert", with_peer: None }
        }
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
        reach.groups,
        (most * 1000.0).floor() / 1000.0
    );
    sheet.warning(key, reason, hint(&reach, name, threshold));
}

fn hint(reach: &Reach, name: &str, threshold: Ratio) -> String {
    let raise = format!("raise policy.weights, or lower policy.{name}");
    match reach.with_peer.map(belief) {
        Some(most) if most >= threshold.get() => {
            format!(
                "run the agent in a failure domain of its own, where peer evidence counts ({most:.3}); or {raise}"
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
