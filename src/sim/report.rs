//! What a run was like, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::language::{Outcome, Scenario};
use super::play::{PlayError, Record, play};
use super::rules::violations;
use super::verdict::{Facts, misses};
use super::world::{Trace, Violation, What, moves};
use crate::config::read::duration_text;
use crate::decide::{Decision, Verdict, fence_of};

/// The report about one scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The scenario's id, for people.
    pub id: Option<String>,
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// All is as expected, and no rule was broken.
    pub passed: bool,
    /// What was expected.
    pub expected: String,
    /// In what the run was different.
    pub misses: Vec<String>,
    /// The rules that it broke.
    pub violations: Vec<Violation>,
    /// Changes of records by redrover.
    pub dns_changes: usize,
    /// Seconds from the first event to the first of them.
    pub first_change_seconds: Option<f64>,
    /// The highest level of a decision.
    pub level: &'static str,
    /// Simulated seconds, the warm-up included.
    pub simulated_seconds: f64,
    /// What happened since time 0, in order.
    pub timeline: Vec<Line>,
}

/// One line of the timeline.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Seconds after time 0.
    pub seconds: f64,
    /// Who, where it is an agent.
    pub agent: Option<String>,
    /// Which service, where there are several.
    pub service: Option<String>,
    /// What kind of line it is: event, decision, journal, dns, redis, agent, webhook or broken.
    pub kind: &'static str,
    /// What happened.
    pub text: String,
}

/// Plays a scenario and reports.
///
/// # Errors
/// It cannot be played.
pub fn simulate(scenario: &Scenario, seed: u64) -> Result<Report, PlayError> {
    let record = play(scenario, seed)?;
    let facts = Facts::of(&record);
    let (misses, violations) = (misses(scenario, &record, &facts), violations(&record));
    let first = facts.moves.first().zip(facts.first_event);
    Ok(Report {
        id: scenario.id.clone(),
        name: scenario.name.clone(),
        seed,
        passed: misses.is_empty() && violations.is_empty(),
        expected: expected(&scenario.expect.outcome),
        misses,
        violations,
        dns_changes: facts.moves.len(),
        first_change_seconds: first.map(|((at, ..), event)| at.saturating_sub(event).as_secs_f64()),
        level: facts.level.as_str(),
        simulated_seconds: record.end.at.as_secs_f64(),
        timeline: timeline(&record),
    })
}

fn expected(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Hold => "hold".to_owned(),
        Outcome::Recommend(site) => format!("recommend {site}"),
        Outcome::Failover(site) => format!("failover to {site}"),
        Outcome::Halt => "halt".to_owned(),
        Outcome::Settled => "settled".to_owned(),
    }
}

fn timeline(record: &Record) -> Vec<Line> {
    let mut said = BTreeMap::new();
    record
        .trace
        .iter()
        .filter(|line| line.at >= record.zero)
        .filter_map(|one| line(one, record, &mut said))
        .collect()
}

/// What an agent said or did last to a service, by kind: a decision that differs in its numbers alone, or an order that
/// is only renewed, is no news for people.
type Said = BTreeMap<(&'static str, usize, usize), String>;

fn line(trace: &Trace, record: &Record, said: &mut Said) -> Option<Line> {
    let layout = &record.layout;
    let is_alone = layout.services.len() == 1;
    let of = |kind, agent: Option<usize>, service: Option<usize>, text: String| Line {
        seconds: trace.at.saturating_sub(record.zero).as_secs_f64(),
        agent: agent.map(|agent| layout.agents[agent].to_string()),
        service: service.filter(|_| !is_alone).map(|service| layout.services[service].to_string()),
        kind,
        text,
    };
    Some(match &trace.what {
        What::Event(text) => of("event", None, None, text.clone()),
        What::Decided { agent, service, decision, leads } => {
            let kinds: Vec<_> = decision.reasons.iter().map(|reason| reason.label()).collect();
            let news = format!("{:?} {:?} {kinds:?} {leads}", decision.verdict, decision.level);
            if said.insert(("decision", *agent, *service), news.clone()) == Some(news) {
                return None;
            }
            of("decision", Some(*agent), Some(*service), decided(decision, *leads))
        }
        What::Wrote { agent, service, text } => of("journal", Some(*agent), Some(*service), text.clone()),
        What::Changed { service, by, before, after } => {
            let text = if moves(before, after) {
                let values = after.record.as_ref().map(|set| set.values.iter().cloned().collect::<Vec<_>>());
                format!("the record names {}", values.map_or("nothing".to_owned(), |v| v.join(" ")))
            } else {
                match fence_of(after).ok().flatten() {
                    Some(fence) => match &fence.intent {
                        Some(site) => format!("the fence claims a move to {site}, epoch {}", fence.epoch),
                        None => format!("the fence says {} is active, epoch {}", fence.active, fence.epoch),
                    },
                    None => "the fence says nothing".to_owned(),
                }
            };
            of("dns", *by, Some(*service), text)
        }
        What::Acted { agent, service, text } => {
            if said.insert(("redis", *agent, *service), text.clone()).as_ref() == Some(text) {
                return None;
            }
            of("redis", Some(*agent), Some(*service), text.clone())
        }
        What::Life { agent, text } => of("agent", Some(*agent), None, (*text).to_owned()),
        // The journal says the same, with its reason.
        What::NeedsPerson { .. } => return None,
        What::Forgot { agent } => of(
            "agent",
            Some(*agent),
            None,
            "finds its journal damaged, and begins with an empty one".to_owned(),
        ),
        What::RefusedConfig { agent } => {
            of("agent", Some(*agent), None, "refuses its new configuration, and keeps the old one".to_owned())
        }
        What::Notified { agent, status, times } => {
            let times = if *times == 1 { String::new() } else { format!(" ({times} times)") };
            of("webhook", Some(*agent), None, format!("answers a notification with {status}{times}"))
        }
        What::Broken(violation) => {
            of("broken", None, None, format!("{}: {}", violation.rule, violation.detail))
        }
    })
}

fn decided(decision: &Decision, leads: bool) -> String {
    let reasons = decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let target = match (decision.verdict, &decision.target) {
        (Verdict::Failover | Verdict::Recommend, Some(target)) => format!(" {target}"),
        (Verdict::Hold | Verdict::Halt | Verdict::Failover | Verdict::Recommend, _) => String::new(),
    };
    let (verdict, level) = (decision.verdict.as_str(), decision.level.as_str());
    let (c, p, q) = (
        decision.confidence.confidence.get(),
        decision.confidence.belief.get(),
        decision.confidence.fitness.get(),
    );
    let leads = if leads { "leads, " } else { "" };
    format!("{leads}{verdict}{target} ({level}; C {c:.2}, p {p:.2}, q {q:.2}): {reasons}")
}

impl Report {
    /// The report without its timeline, in a line for each thing to say.
    #[must_use]
    pub fn summary(&self) -> String {
        let state = if self.passed { "ok  " } else { "FAIL" };
        let id = self.id.as_ref().map_or(String::new(), |id| format!("{id} "));
        let change = match self.first_change_seconds {
            Some(seconds) => {
                format!(", first change after {}", duration_text(Duration::from_secs_f64(seconds)))
            }
            None => String::new(),
        };
        let mut text = format!(
            "{state} {id}{}: {}, {} change(s){change}, {}\n",
            self.name, self.expected, self.dns_changes, self.level
        );
        for miss in &self.misses {
            text.push_str(&format!("       not as expected: {miss}\n"));
        }
        for violation in &self.violations {
            text.push_str(&format!("       rule broken: {}: {}\n", violation.rule, violation.detail));
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.timeline {
            let minutes = (line.seconds / 60.0).floor();
            let who = line.agent.as_deref().unwrap_or(match line.kind {
                "event" => "*",
                "broken" => "!",
                _ => "-",
            });
            let service = line.service.as_ref().map_or(String::new(), |service| format!("[{service}] "));
            writeln!(
                f,
                "{minutes:4.0}:{:06.3}  {who:<4} {service}{}",
                line.seconds - minutes * 60.0,
                line.text
            )?;
        }
        f.write_str(&self.summary())
    }
}
