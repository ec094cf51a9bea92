//! Holds what came of a scenario against what its author expects.

use std::time::Duration;

use super::language::{AlertLevel, Outcome, Scenario};
use super::play::{Record, Standing};
use super::world::{What, moves};
use crate::config::Topology;
use crate::config::read::duration_text;
use crate::decide::{self, Verdict};

/// The status of a notification that was taken.
const ACCEPTED: u16 = 200;

/// What came of a scenario, in the terms of an expectation.
#[derive(Debug)]
pub(super) struct Facts {
    /// The highest level of a decision since time 0.
    pub(super) level: decide::AlertLevel,
    /// Moves of records by redrover since time 0: when, which service, and to which member, if it is one.
    pub(super) moves: Vec<(Duration, usize, Option<usize>)>,
    /// When the first event happened.
    pub(super) first_event: Option<Duration>,
}

impl Facts {
    pub(super) fn of(record: &Record) -> Self {
        let mut facts = Self { level: decide::AlertLevel::None, moves: Vec::new(), first_event: None };
        for line in record.trace.iter().filter(|line| line.at >= record.zero) {
            match &line.what {
                What::Event(_) => facts.first_event = facts.first_event.or(Some(line.at)),
                What::Decided { decision, .. } => facts.level = facts.level.max(decision.level),
                What::Changed { by: Some(_), before, after, service } if moves(before, after) => {
                    let value = after.record.as_ref().and_then(|set| set.values.first());
                    let member = value.and_then(|v| record.layout.member_of_value(*service, v));
                    facts.moves.push((line.at, *service, member));
                }
                // What is refused is said in the log, at the level of a warning, and counted.
                What::RefusedConfig { .. } => facts.level = facts.level.max(decide::AlertLevel::Warn),
                What::Notified { status, .. } if *status != ACCEPTED => {
                    facts.level = facts.level.max(decide::AlertLevel::Warn);
                }
                What::Changed { .. }
                | What::Wrote { .. }
                | What::Acted { .. }
                | What::Life { .. }
                | What::NeedsPerson { .. }
                | What::Forgot { .. }
                | What::Notified { .. }
                | What::Broken(_) => {}
            }
        }
        facts
    }
}

/// Everything in which a run is not what was expected, in sentences.
pub(super) fn misses(scenario: &Scenario, record: &Record, facts: &Facts) -> Vec<String> {
    let expect = &scenario.expect;
    let mut misses = outcome(&expect.outcome, scenario, record, facts);
    let wanted = level(expect.alert);
    if facts.level < wanted {
        let (found, wanted) = (facts.level.as_str(), wanted.as_str());
        misses.push(format!("the highest alert level is {found}, expected at least {wanted}"));
    }
    let (count, most) = (facts.moves.len(), expect.max_dns_changes);
    if u32::try_from(count).unwrap_or(u32::MAX) > most {
        misses.push(format!("{count} changes of records took effect, expected at most {most}"));
    }
    let first = facts.moves.first().map(|(at, ..)| *at);
    if let Some((limit, took)) = expect.within.zip(first.zip(facts.first_event))
        && took.0.saturating_sub(took.1) > limit
    {
        let (took, limit) = (duration_text(took.0.saturating_sub(took.1)), duration_text(limit));
        misses.push(format!("the first change took effect after {took}, expected within {limit}"));
    }
    if let Some((least, took)) = expect.not_before.zip(first.zip(facts.first_event))
        && took.0.saturating_sub(took.1) < least
    {
        let (took, least) = (duration_text(took.0.saturating_sub(took.1)), duration_text(least));
        misses.push(format!("the first change took effect after {took}, expected not before {least}"));
    }
    if let Some(site) = &expect.serves {
        for (service, named) in record.end.named.iter().enumerate() {
            if named.map(|member| record.layout.member_name(member)) != Some(site) {
                let (name, found) = (&record.layout.services[service], name(record, *named));
                misses.push(format!("the record of {name} names {found} at the end, expected {site}"));
            }
        }
    }
    misses
}

fn outcome(outcome: &Outcome, scenario: &Scenario, record: &Record, facts: &Facts) -> Vec<String> {
    let services = 0..record.layout.services.len();
    match outcome {
        Outcome::Hold => hold(scenario, record, facts),
        Outcome::Failover(target) => {
            services.flat_map(|service| failed_over(service, target.as_str(), record, facts)).collect()
        }
        Outcome::Recommend(target) => services
            .filter_map(|service| {
                let is_recommended = |standing: &Standing| {
                    let is_target = standing.target.as_deref() == Some(target.as_str());
                    // The world refused each attempt.
                    let is_refused = standing.verdict == Verdict::Failover && facts.moves.is_empty();
                    is_target && (standing.verdict == Verdict::Recommend || is_refused)
                };
                at_the_end(service, record, &format!("a recommendation of {target}"), is_recommended)
            })
            .collect(),
        Outcome::Halt => services
            .filter_map(|service| {
                at_the_end(service, record, "halt", |standing| standing.verdict == Verdict::Halt)
            })
            .collect(),
        Outcome::Settled => services.flat_map(|service| unsettled(service, scenario, record)).collect(),
    }
}

/// Everything about a service that keeps a world from having settled.
fn unsettled(service: usize, scenario: &Scenario, record: &Record) -> Vec<String> {
    let (name_of, end) = (&record.layout.services[service], &record.end);
    let mut misses = Vec::new();
    let is_justified = is_halt_justified(service, record);
    for (agent, standings) in end.standings.iter().enumerate() {
        if let Some(standing) = standings[service].as_ref().filter(|s| s.is_halted && !is_justified) {
            let (agent, why) = (&record.layout.agents[agent], standing.reasons.join("; "));
            misses.push(format!("{agent} has halted {name_of} without cause: {why}"));
        }
    }
    // A person who has to look anyway will find the rest.
    if is_justified {
        return misses;
    }
    match end.named[service] {
        None => misses.push(format!("the record of {name_of} names no site of it")),
        Some(member) if end.failing[service] > 0.0 => {
            let site = record.layout.member_name(member);
            misses.push(format!("the record of {name_of} names {site}, which does not serve"));
        }
        Some(_) => {}
    }
    if let Some(intent) = &end.claims[service] {
        misses.push(format!("a claim of {name_of} still stands: {intent}"));
    }
    let writable = end.writable[service];
    if scenario.world.topology == Topology::Replication && writable > 1 {
        misses.push(format!("{writable} sites of {name_of} take writes"));
    }
    misses
}

/// Whether a service may wait for a person: somebody else's hand, a change that was half done, or lost memory.
fn is_halt_justified(service: usize, record: &Record) -> bool {
    record.trace.iter().any(|line| match &line.what {
        What::Changed { by: None, service: changed, .. } => *changed == service,
        What::Changed { by: Some(_), before, after, service: changed } => {
            *changed == service && moves(before, after) && before.fence == after.fence
        }
        What::NeedsPerson { service: concerned } => *concerned == service,
        What::Forgot { .. } => true,
        What::Event(_)
        | What::Decided { .. }
        | What::Wrote { .. }
        | What::Acted { .. }
        | What::Life { .. }
        | What::RefusedConfig { .. }
        | What::Notified { .. }
        | What::Broken(_) => false,
    })
}

fn hold(scenario: &Scenario, record: &Record, facts: &Facts) -> Vec<String> {
    let mut misses = Vec::new();
    if let Some((_, service, member)) = facts.moves.first() {
        let (service, to) = (&record.layout.services[*service], name(record, *member));
        misses.push(format!("the record of {service} was moved to {to}, expected no change"));
    }
    let from = record.zero + scenario.expect.judged_from;
    let has_leader = record.trace.iter().any(|line| matches!(line.what, What::Decided { leads: true, .. }));
    let loud = record.trace.iter().filter(|line| line.at >= from).find_map(|line| match &line.what {
        What::Decided { agent, decision, leads, .. }
            if (*leads || !has_leader) && decision.verdict != Verdict::Hold =>
        {
            Some((agent, decision.verdict, line.at))
        }
        What::Decided { .. }
        | What::Event(_)
        | What::Wrote { .. }
        | What::Changed { .. }
        | What::Acted { .. }
        | What::Life { .. }
        | What::NeedsPerson { .. }
        | What::Forgot { .. }
        | What::RefusedConfig { .. }
        | What::Notified { .. }
        | What::Broken(_) => None,
    });
    if let Some((agent, verdict, at)) = loud {
        let (agent, at) = (&record.layout.agents[*agent], duration_text(at.saturating_sub(record.zero)));
        misses.push(format!("{agent} says {} at {at}, expected hold throughout", verdict.as_str()));
    }
    misses
}

fn failed_over(service: usize, target: &str, record: &Record, facts: &Facts) -> Vec<String> {
    let mut misses = Vec::new();
    let (name_of, named) = (&record.layout.services[service], record.end.named[service]);
    let found = name(record, named);
    if found != target {
        misses.push(format!("the record of {name_of} names {found} at the end, expected {target}"));
    }
    if !facts.moves.iter().any(|(_, moved, _)| *moved == service) {
        misses.push(format!("redrover has not moved the record of {name_of}"));
    }
    // An agent that cannot write anything down has to stand still; another one acts.
    let able = record.end.standings.iter().enumerate().filter(|(agent, _)| record.end.can_write[*agent]);
    for (agent, standings) in able {
        if let Some(standing) = standings[service].as_ref().filter(|standing| standing.is_halted) {
            let (agent, why) = (&record.layout.agents[agent], standing.reasons.join("; "));
            misses.push(format!("{agent} has halted {name_of}: {why}"));
        }
    }
    misses
}

/// A miss, unless the leading agent stands as wanted at the end; where nobody leads, any agent.
fn at_the_end(
    service: usize,
    record: &Record,
    wanted: &str,
    is_wanted: impl Fn(&Standing) -> bool,
) -> Option<String> {
    let end = &record.end;
    let standings = || {
        let leads = |agent: usize| end.leaders.is_empty() || end.leaders.contains(&agent);
        let all = end.standings.iter().enumerate().filter(move |(agent, _)| leads(*agent));
        all.filter_map(|(agent, standings)| Some((agent, standings[service].as_ref()?)))
    };
    if standings().any(|(_, standing)| is_wanted(standing)) {
        return None;
    }
    let say = |(agent, standing): (usize, &Standing)| {
        let target = standing.target.as_deref().unwrap_or("nothing");
        let (agent, verdict) = (&record.layout.agents[agent], standing.verdict.as_str());
        format!("{agent} says {verdict} ({target}): {}", standing.reasons.join("; "))
    };
    let found: Vec<String> = standings().map(say).collect();
    let (service, found) = (&record.layout.services[service], found.join(" / "));
    Some(format!("expected {wanted} of {service} at the end; {found}"))
}

fn name(record: &Record, member: Option<usize>) -> String {
    member.map_or_else(|| "no site of it".to_owned(), |member| record.layout.member_name(member).to_string())
}

fn level(level: AlertLevel) -> decide::AlertLevel {
    match level {
        AlertLevel::None => decide::AlertLevel::None,
        AlertLevel::Info => decide::AlertLevel::Info,
        AlertLevel::Warn => decide::AlertLevel::Warn,
        AlertLevel::Page => decide::AlertLevel::Page,
    }
}
