//! Makes an incident that fails as short as it can be while it fails in the same way.

use super::incident::Incident;
use crate::sim::Report;

/// An incident is tried in so many shorter forms at most.
const TRIES_MAX: u32 = 400;

/// In which way a run failed: the rules it broke, or that it has not settled.
pub(super) fn signature(report: &Report) -> Option<&'static str> {
    match report.violations.first() {
        Some(violation) => Some(violation.rule),
        None if report.misses.is_empty() => None,
        None => Some("settled"),
    }
}

/// The shortest form found of an incident that fails in a given way; `fails` tells in which way one does.
pub(super) fn shrink(
    incident: &Incident,
    way: &'static str,
    fails: impl Fn(&Incident) -> Option<&'static str>,
) -> Incident {
    let mut best = incident.clone();
    let mut tries = 0;
    loop {
        let mut is_shorter = false;
        for shorter in candidates(&best) {
            tries += 1;
            if tries > TRIES_MAX {
                return best;
            }
            if fails(&shorter) == Some(way) {
                best = shorter;
                is_shorter = true;
                break;
            }
        }
        if !is_shorter {
            return best;
        }
    }
}

/// Forms that say a little less, the boldest first.
fn candidates(incident: &Incident) -> Vec<Incident> {
    let mut all = Vec::new();
    let count = incident.faults.len();
    // Halves first, then one fault after the other.
    for from in [0, count / 2] {
        if count > 3 {
            let mut shorter = incident.clone();
            shorter.faults.drain(from..(from + count / 2).min(count));
            all.push(shorter);
        }
    }
    for rank in 0..count {
        let mut shorter = incident.clone();
        shorter.faults.remove(rank);
        all.push(shorter);
    }
    if incident.world.services > 1 {
        let mut shorter = incident.clone();
        shorter.world.services = 1;
        all.push(shorter);
    }
    if let Some(last) = incident.world.agents.last().filter(|_| incident.world.agents.len() > 1) {
        let name = format!("{:?}", last.name);
        let mut shorter = incident.clone();
        shorter.world.agents.pop();
        shorter.world.leader = shorter.world.usual_leader();
        // An incident that speaks of an agent needs it.
        if !format!("{:?}", shorter.faults).contains(&name) {
            all.push(shorter);
        }
    }
    for rank in 0..count {
        if incident.faults[rank].lasts.is_some() && !incident.faults[rank].mends.is_empty() {
            let mut shorter = incident.clone();
            shorter.faults[rank].lasts = None;
            all.push(shorter);
        }
    }
    all
}
