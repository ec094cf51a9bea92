//! From a checked scenario to its text: what the reader makes of that text is the same scenario again.

mod happening;

use std::fmt::Write as _;
use std::time::Duration;

use happening::happening;

use super::{AlertLevel, Alerts, By, Event, Expect, Outcome, Scenario, Side, Step, When, World};
use crate::config::read::duration_text;
use crate::config::{Mode, Topology};

/// The text of a scenario.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    let mut text = format!("name: {}\n", quoted(&scenario.name));
    for (key, value) in [("id", &scenario.id), ("why", &scenario.why)] {
        if let Some(value) = value {
            line(&mut text, &format!("{key}: {}", quoted(value)));
        }
    }
    world(&mut text, &scenario.world);
    policy(&mut text, scenario);
    if !scenario.history.is_empty() {
        let one = |past: &super::PastSwitch| {
            let by = match past.by {
                By::Automatic => "automatic",
                By::Operator => "operator",
            };
            format!(
                "{{switched: {{from: {}, to: {}, ago: {}, by: {by}, acknowledged: {}}}}}",
                past.from,
                past.to,
                time(past.ago),
                past.is_acknowledged
            )
        };
        let all: Vec<String> = scenario.history.iter().map(one).collect();
        line(&mut text, &format!("history: [{}]", all.join(", ")));
    }
    if scenario.timeline.is_empty() {
        line(&mut text, "timeline: []");
    } else {
        line(&mut text, "timeline:");
    }
    for event in &scenario.timeline {
        line(&mut text, &format!("  - {{{}, {}}}", when(event), happening(&event.what)));
    }
    line(&mut text, &format!("expect: {{{}}}", expect(&scenario.expect)));
    text
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn time(time: Duration) -> String {
    duration_text(time)
}

/// A double-quoted text, whose escapes JSON and YAML share.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn list<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn world(text: &mut String, world: &World) {
    let topology = match world.topology {
        Topology::ActiveActive => "active-active",
        Topology::ReplicaOf => "replica-of",
        Topology::Replication => "replication",
    };
    let alerts = match world.alerts {
        Alerts::Manual => "manual",
        Alerts::Automatic => "automatic",
    };
    let agents: Vec<String> = world.agents.iter().map(|a| format!("{}: {}", a.name, a.datacenter)).collect();
    line(text, "world:");
    for entry in [
        format!("datacenters: [{}]", list(&world.datacenters)),
        format!("members: [{}]", list(&world.members)),
        format!("active: {}", world.active),
        format!("topology: {topology}"),
        format!("targets: {}", world.targets),
        format!("services: {}", world.services),
        format!("agents: {{{}}}", agents.join(", ")),
        format!("leader: {}", world.leader),
        format!("enterprise: {}", world.enterprise),
        format!("clients: {}", world.clients),
        format!("domain_checks: {}", world.domain_checks),
        format!("self_checks: {}", world.self_checks),
        format!("alerts: {alerts}"),
        format!("ttl: {}", time(world.ttl)),
        format!("lag: {}", time(world.lag)),
        format!("memory: {}", world.memory_percent),
        format!("probe_interval: {}", time(world.probe_interval)),
        format!("probe_timeout: {}", time(world.probe_timeout)),
        format!("run: {}", time(world.run)),
    ] {
        line(text, &format!("  {entry}"));
    }
}

fn policy(text: &mut String, scenario: &Scenario) {
    let policy = &scenario.policy;
    let mode = match policy.mode {
        Mode::Observe => "observe",
        Mode::Recommend => "recommend",
        Mode::Automatic => "automatic",
    };
    let mut entries = vec![
        format!("mode: {mode}"),
        format!("dry_run: {}", policy.dry_run),
        format!("canary: {}", policy.canary),
    ];
    entries.extend(policy.promote.as_ref().map(|promote| format!("promote: {promote}")));
    // The text is a mapping in one line: its entries stand beside the others here.
    let inner = policy.policy.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let rest = inner.unwrap_or_default().trim();
    entries.extend((!rest.is_empty()).then(|| rest.to_owned()));
    line(text, &format!("policy: {{{}}}", entries.join(", ")));
}

fn word<'a, T: PartialEq>(words: &[(&'a str, T)], one: &T) -> &'a str {
    words.iter().find(|(_, known)| known == one).map_or("", |(word, _)| word)
}

fn when(event: &Event) -> String {
    match &event.at {
        When::At(at) => format!("at: {}", time(*at)),
        When::On(trigger) => {
            let mut parts: Vec<String> = Vec::new();
            parts.extend(trigger.agent.as_ref().map(|agent| format!("agent: {agent}")));
            parts.push(format!("step: {}", word(&Step::WORDS, &trigger.step)));
            let side = match trigger.side {
                Side::Before => "before",
                Side::After => "after",
            };
            parts.push(format!("when: {side}"));
            parts.push(format!("nth: {}", trigger.nth));
            parts.push(format!("delay: {}", time(trigger.delay)));
            format!("on: {{{}}}", parts.join(", "))
        }
    }
}

fn expect(expect: &Expect) -> String {
    let (outcome, target) = match &expect.outcome {
        Outcome::Hold => ("hold", None),
        Outcome::Recommend(site) => ("recommend", Some(site)),
        Outcome::Failover(site) => ("failover", Some(site)),
        Outcome::Halt => ("halt", None),
        Outcome::Settled => ("settled", None),
    };
    let mut parts = vec![format!("outcome: {outcome}")];
    parts.extend(target.map(|target| format!("target: {target}")));
    let alert = match expect.alert {
        AlertLevel::None => "none",
        AlertLevel::Info => "info",
        AlertLevel::Warn => "warn",
        AlertLevel::Page => "page",
    };
    parts.push(format!("alert: {alert}"));
    parts.push(format!("max_dns_changes: {}", expect.max_dns_changes));
    parts.extend(expect.within.map(|within| format!("within: {}", time(within))));
    parts.extend(expect.not_before.map(|least| format!("not_before: {}", time(least))));
    if expect.outcome == Outcome::Hold && !expect.judged_from.is_zero() {
        parts.push(format!("judged_from: {}", time(expect.judged_from)));
    }
    parts.extend(expect.serves.as_ref().map(|site| format!("serves: {site}")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sim::language::{load, parse};

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let scenario = load(&path).unwrap();
            let text = write(&scenario);
            let again = parse(&text, &path).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
            assert_eq!(again, scenario, "{text}");
            count += 1;
        }
        assert!(count > 100, "{count}");
    }
}
