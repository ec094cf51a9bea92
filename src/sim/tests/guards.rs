//! Every guard is needed: with it a scenario passes, without it the same scenario fails, and for the stated reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{SEED, side_by_side};
use crate::sim::language::load;
use crate::sim::{RULES, Report, simulate};
use crate::types::Guard;

/// How the absence of a guard shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// A rule is broken.
    Rule(&'static str),
    /// What comes out is not as expected: a part of the sentence that says so.
    Miss(&'static str),
}
use Shows::{Miss, Rule};

/// Each guard, a scenario that catches its absence, and how. `docs/safety.md` holds the same rows.
const TABLE: [(Guard, &str, Shows); 26] = [
    (Guard::CompareAndSwap, "F105", Miss("expected halt of db1")),
    (Guard::Quorum, "G01", Miss("the record of db1 was moved")),
    (Guard::Freshness, "G02", Miss("the record of db1 was moved")),
    (Guard::Freshness, "F043", Miss("expected a recommendation of dc-b")),
    (Guard::Recheck, "F046", Miss("the record of db1 was moved")),
    (Guard::Recheck, "G15", Rule("never_to_unhealthy")),
    (Guard::AuditBeforeAct, "F127", Rule("audit_before_act")),
    (Guard::Interval, "G03", Rule("no_ping_pong")),
    (Guard::Flapping, "G04", Miss("expected a recommendation of dc-b")),
    (Guard::Pause, "G05", Rule("veto_wins")),
    (Guard::Expiry, "G06", Rule("fresh_decision")),
    (Guard::Expiry, "G13", Rule("fresh_decision")),
    (Guard::Isolation, "F064", Miss("the record of db1 was moved")),
    (Guard::Lag, "F041", Miss("expected a recommendation of dc-b")),
    (Guard::Capacity, "F048", Miss("expected a recommendation of dc-b")),
    (Guard::Topology, "G17", Miss("expected a recommendation of dc-b")),
    (Guard::Halt, "G07", Rule("veto_wins")),
    (Guard::SilentSite, "G08", Miss("expected a recommendation of dc-b")),
    (Guard::Claim, "G09", Miss("c1 has halted db1")),
    (Guard::MissingFence, "G10", Miss("expected halt of db1")),
    (Guard::Leadership, "G16", Rule("no_act_without_lease")),
    (Guard::SelfDoubt, "G11", Rule("no_ping_pong")),
    (Guard::SelfDoubt, "F124", Miss("expected at least warn")),
    (Guard::Fencing, "G12", Rule("two_primaries")),
    (Guard::Fencing, "R01", Rule("two_primaries")),
    (Guard::CatchUp, "P02", Rule("planned_loses_nothing")),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn is_shown(shows: Shows, report: &Report) -> bool {
    match shows {
        Rule(rule) => report.violations.iter().any(|violation| violation.rule == rule),
        Miss(part) => report.misses.iter().any(|miss| miss.contains(part)),
    }
}

#[test]
fn every_guard_has_a_scenario_that_fails_without_it() {
    let caught: BTreeSet<Guard> = TABLE.iter().map(|(guard, ..)| *guard).collect();
    assert_eq!(caught, BTreeSet::from(Guard::ALL));
    let faults = side_by_side(&TABLE, |(guard, id, shows)| {
        let scenario = load(&path(&format!("tests/scenarios/{id}.yml"))).unwrap();
        let standing = simulate(&scenario, SEED).unwrap();
        if !standing.passed {
            return Some(format!("with all guards:\n{standing}"));
        }
        let without = guard.without(|| simulate(&scenario, SEED).unwrap());
        let is_caught = !without.passed && is_shown(*shows, &without);
        (!is_caught).then(|| format!("without {guard:?}, expected {shows:?}:\n{without}"))
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_table_in_the_documentation_is_this_one() {
    let text = std::fs::read_to_string(path("docs/safety.md")).unwrap();
    let rows = text.lines().filter(|line| line.contains("](../tests/scenarios/"));
    let found: Vec<[String; 3]> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [guard, keeps, scenario, shows] = cells[..] else { panic!("{row}") };
            assert!(keeps.ends_with('.'), "{row}");
            [guard, scenario, shows].map(str::to_owned)
        })
        .collect();
    let wanted = TABLE.map(|(guard, id, shows)| {
        let shows = match shows {
            Rule(rule) => format!("`{rule}`"),
            Miss(part) => part.to_owned(),
        };
        [format!("`{guard:?}`"), format!("[{id}](../tests/scenarios/{id}.yml)"), shows]
    });
    assert_eq!(found, wanted);
    for rule in RULES {
        assert!(text.contains(&format!("| `{rule}` |")), "{rule} is missing");
    }
}
