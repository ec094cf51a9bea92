//! The configuration file of a simulated agent: generated as text, and read by the shipped reader.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::read::duration_text;
use crate::config::{Config, Mode, Problems, Rules, Topology, parse};
use crate::sim::language::Scenario;
use crate::sim::world::{DOMAIN, Layout};

/// What Alertmanager shows to the agents.
pub(in crate::sim) const TOKEN: &str = "simulated-webhook-token-5f2c";
/// What the agents show to Redis and to control planes.
const PASSWORD: &str = "simulated-password-91ab";

/// What no journal, no answer and no line of a report may hold.
pub(in crate::sim) fn secrets() -> [&'static str; 2] {
    [TOKEN, PASSWORD]
}

/// The configuration that follows from a scenario is refused.
#[derive(Debug, thiserror::Error)]
#[error("the agents of this scenario refuse their configuration: {problems}")]
pub struct ConfigError {
    problems: Problems,
}

/// The configuration of one agent. `broken` gives every service a policy that no reader may accept.
///
/// # Errors
/// The reader refuses it.
pub(in crate::sim) fn config(
    scenario: &Scenario,
    layout: &Layout,
    agent: usize,
    policy: Policies,
) -> Result<Config, ConfigError> {
    let text = text(scenario, layout, agent, policy);
    let env = |name: &str| match name {
        "WEBHOOK_TOKEN" => Some(TOKEN.to_owned()),
        "PASSWORD" => Some(PASSWORD.to_owned()),
        _ => None,
    };
    let loaded = parse(&text, Path::new("redrover.yml"), &env, Rules::Simulator);
    loaded.map(|loaded| loaded.config).map_err(|problems| ConfigError { problems })
}

/// Which policies a generated file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Policies {
    /// Those of the scenario.
    Stated,
    /// Some that no reader may accept.
    Broken,
}

fn text(scenario: &Scenario, layout: &Layout, agent: usize, policies: Policies) -> String {
    let world = &scenario.world;
    let (interval, timeout) = (duration_text(world.probe_interval), duration_text(world.probe_timeout));
    let mut text = format!("global: {{probe_interval: {interval}, probe_timeout: {timeout}}}\n");
    let home = |agent: usize| &layout.datacenters[layout.homes[agent]];
    let vantage = |other: usize| {
        let name = &layout.agents[other];
        format!("{{name: {name}, failure_domain: {}, url: \"https://{name}.{DOMAIN}:9911\"}}", home(other))
    };
    let others: Vec<String> = (0..layout.agents.len()).filter(|other| *other != agent).map(vantage).collect();
    let (name, others) = (&layout.agents[agent], others.join(", "));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "agent: {{name: {name}, failure_domain: {}, vantages: [{others}]}}", home(agent));
    if world.self_checks {
        text.push_str("self_check: [{tcp: \"reference.example.net:443\"}, {dns: reference.example.net}]\n");
    }
    text.push_str("webhook: {bearer_token_env: WEBHOOK_TOKEN}\n");
    if world.clients {
        let _ = writeln!(text, "prometheus: {{url: \"https://prometheus.{DOMAIN}\"}}");
    }
    text.push_str("datacenters:\n");
    for (rank, name) in layout.datacenters.iter().enumerate() {
        let _ = write!(text, "  - {{name: {name}");
        if world.domain_checks {
            let _ = write!(text, ", domain_checks: [{{tcp: \"gateway.{name}.{DOMAIN}:22\"}}]");
        }
        if world.enterprise && layout.members.contains(&rank) {
            let url = format!("https://cluster.{name}.{DOMAIN}:9443");
            let _ =
                write!(text, ", enterprise: {{url: \"{url}\", username: redrover, password_env: PASSWORD}}");
        }
        text.push_str("}\n");
    }
    text.push_str("services:\n");
    for rank in 0..layout.services.len() {
        service(&mut text, scenario, layout, rank, policies);
    }
    text
}

fn service(text: &mut String, scenario: &Scenario, layout: &Layout, rank: usize, policies: Policies) {
    let (world, policy) = (&scenario.world, &scenario.policy);
    let name = &layout.services[rank];
    let topology = match world.topology {
        Topology::ActiveActive => "active-active",
        Topology::ReplicaOf => "replica-of",
        Topology::Replication => "replication",
    };
    let mode = match policy.mode {
        Mode::Observe => "observe",
        Mode::Recommend => "recommend",
        Mode::Automatic => "automatic",
    };
    let ttl = duration_text(world.ttl);
    let _ = writeln!(text, "  - name: {name}\n    topology: {topology}\n    mode: {mode}");
    let _ = writeln!(text, "    dry_run: {}", policy.dry_run);
    let _ = writeln!(
        text,
        "    record: {{provider: route53, zone_id: ZSIMULATED, name: {name}.{DOMAIN}, type: CNAME, ttl: {ttl}}}"
    );
    text.push_str("    redis: {username: redrover, password_env: PASSWORD}\n    sites:\n");
    for member in 0..layout.members.len() {
        let targets: Vec<String> = (0..world.targets)
            .map(|target| format!("\"redis://{}\"", layout.address(rank, member, target)))
            .collect();
        let database = if world.enterprise { format!(", database: {}", rank + 1) } else { String::new() };
        let (site, value, targets) =
            (layout.member_name(member), layout.value(rank, member), targets.join(", "));
        let _ = writeln!(
            text,
            "      - {{datacenter: {site}, dns_target: {value}, targets: [{targets}]{database}}}"
        );
    }
    if let Some(promote) = &policy.promote {
        let _ = writeln!(text, "    promote: {promote}");
    }
    let _ = writeln!(text, "    canary: {{enabled: {}}}", policy.canary);
    if world.clients {
        let _ = writeln!(text, "    client_errors: {{promql: \"errors:{name}\"}}");
    }
    let policy = match policies {
        Policies::Stated => policy.policy.as_str(),
        Policies::Broken => "{theta_auto: 0, confirm_rounds: 0}",
    };
    let _ = writeln!(text, "    policy: {policy}");
}
