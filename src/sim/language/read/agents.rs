//! Reads what happens to agents, to what they lead by, and what people order.

use std::time::Duration;

use super::names::Names;
use super::state::{TIME_MAX, only, state, time, word_or};
use crate::config::read::{Item, Section, Value, Wrong, choice, duration, number};
use crate::sim::language::{AgentState, ClockChange, Happening, LeaseState, Order, Who};
use crate::types::AgentName;

/// Reads `agent`.
pub fn agent(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["name", "is"])?;
    let who = section.required("name", "name: a1", |v| names.who(v));
    let words = [
        ("killed", AgentState::Killed),
        ("started", AgentState::Started),
        ("frozen", AgentState::Frozen),
        ("stuck", AgentState::Stuck),
        ("running", AgentState::Running),
        ("disk_full", AgentState::DiskFull),
        ("disk_ok", AgentState::DiskOk),
        ("journal_damaged", AgentState::JournalDamaged),
        ("resolver_dead", AgentState::ResolverDead),
        ("resolver_ok", AgentState::ResolverOk),
    ];
    let is = section.required_item("is", "is: killed").and_then(|item| {
        state(&item, &words, (&["late"], &[]), |key, section| {
            section.optional(key, time).map(AgentState::Late)
        })
    });
    Some(Happening::Agent { who: who?, is: is? })
}

/// Reads `clock`.
pub fn clock(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["agent", "by", "drift"])?;
    let who = section.required("agent", "agent: a1", |v| names.who(v));
    let change = match only(&section, &["by", "drift"])? {
        "by" => section.optional("by", jump),
        _ => {
            let inside = |n: f64| (0.5..=2.0).contains(&n);
            section
                .optional("drift", number(inside, "a number from 0.5 to 2", "1.02"))
                .map(ClockChange::Drift)
        }
    };
    Some(Happening::Clock { who: who?, change: change? })
}

/// A time with an optional minus.
fn jump(value: &Value) -> Result<ClockChange, Wrong> {
    // A jump of many years is what a wrong battery clock makes.
    let range = || duration(Duration::from_millis(1)..=50 * 365 * Duration::from_secs(86_400));
    if let Value::Text(text) = value
        && let Some(back) = text.strip_prefix('-')
    {
        return range()(&Value::Text(back.to_owned())).map(ClockChange::Back);
    }
    range()(value).map(ClockChange::Ahead).map_err(|mut wrong| {
        wrong.hint += ", with a minus for back";
        wrong
    })
}

/// Reads `config`.
pub fn config(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["agent", "becomes"])?;
    let who = section.required("agent", "agent: all", |v| names.who(v));
    let becomes = section.required("becomes", "becomes: broken", choice(&[("broken", ())]));
    becomes?;
    Some(Happening::BrokenConfig { who: who? })
}

/// Reads `lease`.
pub fn lease(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["is"])?;
    let words = [("up", LeaseState::Up), ("down", LeaseState::Down)];
    let is = section.required_item("is", "is: down").and_then(|item| {
        state(&item, &words, (&["held_by", "moved_to"], &[]), |key, section| match key {
            "held_by" => holders(&section.item(key)?, names).map(LeaseState::HeldBy),
            _ => section.optional(key, |v| names.agent(v)).map(LeaseState::MovedTo),
        })
    });
    is.map(Happening::Lease)
}

fn holders(item: &Item<'_>, names: &Names<'_>) -> Option<Vec<AgentName>> {
    let items = item.items()?;
    if items.is_empty() {
        item.sheet.problem(&item.key, "is empty", "name at least one agent");
    }
    Some(items.iter().filter_map(|item| item.read(|v| names.agent(v))).collect())
}

/// Reads `operator`.
pub fn operator(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["does", "agent", "service", "to", "of", "for"])?;
    let word = section.required("does", "does: pause", |value| {
        choice(&[
            ("pause", "pause"),
            ("resume", "resume"),
            ("ack", "ack"),
            ("failover", "failover"),
            ("failback", "failback"),
            ("maintenance", "maintenance"),
        ])(value)
    })?;
    let moves: &[&str] = &["failover", "failback"];
    for (key, owners) in [("to", moves), ("of", &["maintenance"]), ("for", &["maintenance"])] {
        if let Some(item) = section.item(key)
            && !owners.contains(&word)
        {
            item.sheet.problem(&item.key, format!("belongs to {} only", owners.join(" and ")), "remove it");
        }
    }
    let does = match word {
        "pause" => Some(Order::Pause),
        "resume" => Some(Order::Resume),
        "ack" => Some(Order::Ack),
        "failover" => section.required("to", "to: dc-b", |v| names.member(v)).map(Order::Failover),
        "failback" => section.required("to", "to: dc-b", |v| names.member(v)).map(Order::Failback),
        _ => maintenance(&section, names),
    };
    // A move is ordered where it can be made; the other orders concern every agent.
    let usual = if moves.contains(&word) { Who::Leader } else { Who::All };
    let who = section.or("agent", usual, |v| names.who(v));
    let service = section.optional("service", |v| names.service(v));
    Some(Happening::Operator { does: does?, who, service })
}

fn maintenance(section: &Section<'_>, names: &Names<'_>) -> Option<Order> {
    let of = section.required("of", "of: dc-b", |value| {
        word_or(value, &[("service", None)], |value| names.member(value).map(Some))
    });
    let lasts = section.required("for", "for: 1h", duration(Duration::from_secs(1)..=TIME_MAX));
    Some(Order::Maintenance(of?, lasts?))
}
