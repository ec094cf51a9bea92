//! Reads what must come of a scenario.

use std::time::Duration;

use super::names::Names;
use super::state::time;
use crate::config::read::{Section, choice, duration_text, integer};
use crate::sim::language::{AlertLevel, Expect, Outcome, World};

/// Most changes of records that may be allowed.
const MOVES_MAX: u32 = 10_000;

/// Reads `expect`.
pub fn read(file: &Section<'_>, names: &Names<'_>, world: Option<&World>) -> Option<Expect> {
    let section = file.required_item("expect", "expect: {outcome: hold}")?.section(&[
        "outcome",
        "target",
        "alert",
        "max_dns_changes",
        "within",
        "not_before",
        "judged_from",
        "serves",
    ])?;
    let outcome = outcome(&section, names);
    let levels = [
        ("none", AlertLevel::None),
        ("info", AlertLevel::Info),
        ("warn", AlertLevel::Warn),
        ("page", AlertLevel::Page),
    ];
    let usual = match outcome {
        Some(Outcome::Failover(_)) => world.map_or(1, |world| world.services as u32),
        // Whatever moves on the way, it is the end that counts.
        Some(Outcome::Settled) => MOVES_MAX,
        Some(Outcome::Hold | Outcome::Recommend(_) | Outcome::Halt) | None => 0,
    };
    let judged_from = section.optional("judged_from", time);
    if judged_from.is_some() && outcome.as_ref().is_some_and(|outcome| *outcome != Outcome::Hold) {
        let reason = "belongs to outcome hold only: the others go by the end of the run";
        section.sheet.problem(&section.key_of("judged_from"), reason, "remove it");
    }
    if let Some((from, world)) = judged_from.zip(world)
        && from >= world.run
    {
        let hint = format!("write a time before the end of the run, {}", duration_text(world.run));
        section.sheet.problem(&section.key_of("judged_from"), "leaves nothing to judge", hint);
    }
    let (within, not_before) = (section.optional("within", time), section.optional("not_before", time));
    if within.zip(not_before).is_some_and(|(within, not_before)| within < not_before) {
        section.sheet.problem(&section.key_of("within"), "ends before not_before", "write a longer time");
    }
    let alert = section.or("alert", AlertLevel::None, choice(&levels));
    let max_dns_changes =
        section.or("max_dns_changes", u64::from(usual), integer(0..=u64::from(MOVES_MAX))) as u32;
    let serves = section.optional("serves", |v| names.member(v));
    let judged_from = judged_from.unwrap_or(Duration::ZERO);
    Some(Expect { outcome: outcome?, alert, max_dns_changes, within, not_before, judged_from, serves })
}

#[derive(Clone, Copy)]
enum Word {
    Hold,
    Recommend,
    Failover,
    Halt,
    Settled,
}

fn outcome(section: &Section<'_>, names: &Names<'_>) -> Option<Outcome> {
    let words = [
        ("hold", Word::Hold),
        ("recommend", Word::Recommend),
        ("failover", Word::Failover),
        ("halt", Word::Halt),
        ("settled", Word::Settled),
    ];
    let word = section.required("outcome", "outcome: hold", choice(&words))?;
    let target = || section.required("target", "target: dc-b", |v| names.member(v));
    let none = |outcome| {
        if let Some(item) = section.item("target") {
            item.sheet.problem(&item.key, "has no meaning for this outcome", "remove it");
        }
        Some(outcome)
    };
    match word {
        Word::Hold => none(Outcome::Hold),
        Word::Recommend => target().map(Outcome::Recommend),
        Word::Failover => target().map(Outcome::Failover),
        Word::Halt => none(Outcome::Halt),
        Word::Settled => none(Outcome::Settled),
    }
}
