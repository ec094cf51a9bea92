//! Plays many incidents, counts those that fail, and makes the first of them short.

use std::collections::BTreeMap;

use super::draw::incident;
use super::incident::Incident;
use super::shrink::{shrink, signature};
use crate::sim::language::{Ground, write};
use crate::sim::parallel::{in_order, seed_of};
use crate::sim::{PlayError, Report, Task, Told, simulate};

/// Failures of each way that are made short and printed; the others are only counted.
const FAILURES_SHOWN_MAX: u64 = 2;

/// An incident that failed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Failure {
    /// Its rank.
    pub index: u64,
    /// The seed to play it with.
    pub seed: u64,
    /// In which way: the rule that it broke, or `settled`.
    pub way: &'static str,
    /// What happened in its shortest form.
    pub details: Vec<String>,
    /// Its shortest form, as a scenario file.
    pub scenario: String,
}

/// What came of all incidents.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Summary {
    /// Incidents played.
    pub incidents: u64,
    /// Those that broke a rule, or did not settle.
    pub failed: u64,
    /// How many of them failed in which way.
    pub ways: BTreeMap<&'static str, u64>,
    /// The first of them, in their shortest form.
    pub failures: Vec<Failure>,
    /// Changes of records by redrover.
    pub dns_changes: u64,
    /// Simulated hours.
    pub simulated_hours: f64,
}

/// What one incident adds to the whole.
struct One {
    way: Option<&'static str>,
    dns_changes: u64,
    hours: f64,
}

/// Plays the incidents of a task; where there are grounds, each on the next of them.
///
/// # Errors
/// An incident cannot be played, which is a mistake of the one who draws them.
pub fn run(task: Task, grounds: &[Ground], told: Told<'_>) -> Result<Summary, PlayError> {
    let draw = |index: u64| {
        let ground = index.checked_rem(grounds.len() as u64).and_then(|rank| grounds.get(rank as usize));
        incident(seed_of(task.seed, index), ground)
    };
    let all = in_order(task, |index| play_one(&draw(index)), told)?;
    let mut summary = Summary { incidents: task.count, ..Summary::default() };
    for (index, one) in (0..).zip(all) {
        summary.dns_changes += one.dns_changes;
        summary.simulated_hours += one.hours;
        let Some(way) = one.way else { continue };
        summary.failed += 1;
        let count = summary.ways.entry(way).or_default();
        *count += 1;
        if *count <= FAILURES_SHOWN_MAX {
            summary.failures.push(explain(&draw(index), index, way));
        }
    }
    Ok(summary)
}

fn play(incident: &Incident) -> Result<Report, PlayError> {
    simulate(&incident.scenario(), incident.seed)
}

fn play_one(incident: &Incident) -> Result<One, PlayError> {
    let report = play(incident)?;
    Ok(One {
        way: signature(&report),
        dns_changes: report.dns_changes as u64,
        hours: report.simulated_seconds / 3600.0,
    })
}

fn explain(drawn: &Incident, index: u64, way: &'static str) -> Failure {
    let fails = |incident: &Incident| play(incident).ok().as_ref().and_then(signature);
    let shortest = shrink(drawn, way, fails);
    let details = play(&shortest).map(|report| {
        let rules = report.violations.iter().map(|v| format!("{}: {}", v.rule, v.detail));
        rules.chain(report.misses.iter().cloned()).collect()
    });
    let scenario = write(&shortest.scenario());
    Failure { index, seed: drawn.seed, way, details: details.unwrap_or_default(), scenario }
}
