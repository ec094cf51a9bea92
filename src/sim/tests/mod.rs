//! Whole agents in simulated worlds.

use std::time::Duration;

use super::language::{Event, Expect, Happening, Outcome, RedisState, Scenario, Seers, When, World};
use super::play::play;
use super::world::What;
use crate::types::SiteName;

fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

fn scenario(timeline: Vec<Event>) -> Scenario {
    Scenario {
        name: "a test".to_owned(),
        id: None,
        why: None,
        world: World::default(),
        policy: super::language::PolicyText::default(),
        history: Vec::new(),
        timeline,
        expect: Expect {
            outcome: Outcome::Failover(site("dc-b")),
            alert: super::language::AlertLevel::Page,
            max_dns_changes: 1,
            within: None,
            not_before: None,
            judged_from: Duration::ZERO,
            serves: None,
        },
    }
}

fn at(seconds: u64, what: Happening) -> Event {
    Event { at: When::At(Duration::from_secs(seconds)), what }
}

fn dead(name: &str) -> Happening {
    Happening::Redis {
        site: site(name),
        is: RedisState::Dead,
        targets: Vec::new(),
        to: Seers::Everybody,
        service: None,
    }
}

#[test]
fn a_dead_site_is_left() {
    let record = play(&scenario(vec![at(0, dead("dc-a"))]), 1).unwrap();
    for line in &record.trace {
        let at = line.at.as_secs_f64() - record.zero.as_secs_f64();
        match &line.what {
            What::Decided { agent, decision, leads, .. } => println!(
                "{at:8.3} {agent} {leads} {} {} {:?} {:?} C={:.3} p={:.3} q={:.3} L={:?}",
                decision.verdict.as_str(),
                decision.level.as_str(),
                decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
                decision.vetoes.iter().map(|v| v.reason.label()).collect::<Vec<_>>(),
                decision.confidence.confidence.get(),
                decision.confidence.belief.get(),
                decision.confidence.fitness.get(),
                decision
                    .confidence
                    .terms
                    .iter()
                    .map(|t| (t.group.as_str(), t.contribution()))
                    .collect::<Vec<_>>(),
            ),
            other => println!("{at:8.3} {other:?}"),
        }
    }
    println!("{:?}", record.end);
    assert_eq!(record.end.named, [Some(1)]);
}
