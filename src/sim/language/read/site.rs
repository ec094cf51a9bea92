//! Reads what happens to a site: its Redis, its replication, its control plane, its numbers, its clients.

use super::names::Names;
use super::state::{percent, state, time, word_or};
use crate::config::read::{Item, Section, Value, choice, integer, ratio, word};
use crate::sim::language::{
    Answer, ClientErrors, ControlState, Happening, Lag, LinkState, MetricsState, RedisState, Seers,
};
use crate::types::{AgentName, SiteName};

/// Reads `redis`.
pub fn redis(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "is", "targets", "to", "service"])?;
    let site = member(&section, names);
    let is = section.required_item("is", "is: dead").and_then(|item| redis_state(&item));
    let targets = section.item("targets").map(|item| names.targets(&item)).unwrap_or_default();
    let to = match section.item("to") {
        Some(item) => seers(&item, names),
        None => Some(Seers::Everybody),
    };
    let service = section.optional("service", |v| names.service(v));
    Some(Happening::Redis { site: site?, is: is?, targets, to: to?, service })
}

fn redis_state(item: &Item<'_>) -> Option<RedisState> {
    let words = [
        ("up", RedisState::Up),
        ("dead", RedisState::Dead),
        ("hung", RedisState::Hung),
        ("silent", RedisState::Silent),
        ("unresolvable", RedisState::Unresolvable),
    ];
    state(item, &words, (&["slow", "losing", "answering"], &[]), |key, section| match key {
        "slow" => section.optional(key, time).map(RedisState::Slow),
        "losing" => section.optional(key, percent).map(RedisState::Losing),
        _ => section.optional(key, choice(&Answer::WORDS)).map(RedisState::Answering),
    })
}

fn seers(item: &Item<'_>, names: &Names<'_>) -> Option<Seers> {
    if item.read(|value| Ok(matches!(value, Value::List(_))))? {
        let items = item.items()?;
        let agents: Vec<AgentName> = items.iter().filter_map(|item| item.read(|v| names.agent(v))).collect();
        if items.is_empty() {
            item.sheet.problem(&item.key, "is empty", "name at least one agent, or remove the key");
        }
        return Some(Seers::Named(agents));
    }
    let words = [("agents", Seers::Agents), ("clients", Seers::Clients)];
    item.read(|value| word_or(value, &words, |v| names.agent(v).map(|agent| Seers::Named(vec![agent]))))
}

/// Reads `loading`.
pub fn loading(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "left", "service"])?;
    let site = member(&section, names);
    let left = section.required("left", "left: 20s", time);
    let service = section.optional("service", |v| names.service(v));
    Some(Happening::Loading { site: site?, left: left?, service })
}

/// Reads `lag`.
pub fn lag(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "is"])?;
    let site = member(&section, names);
    let is = section.required("is", "is: 60s", |value| {
        word_or(value, &[("unknown", Lag::Unknown)], |value| time(value).map(Lag::Behind))
    });
    Some(Happening::Lag { site: site?, is: is? })
}

/// Reads `memory`.
pub fn memory(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "percent"])?;
    let site = member(&section, names);
    let percent = section.required("percent", "percent: 95", integer(0..=1000));
    Some(Happening::Memory { site: site?, percent: percent? as u32 })
}

/// Reads `link`.
pub fn link(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "is"])?;
    let site = member(&section, names);
    let is = section.required("is", "is: down", choice(&[("up", LinkState::Up), ("down", LinkState::Down)]));
    Some(Happening::Link { site: site?, is: is? })
}

/// Reads `control`.
pub fn control(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "is"])?;
    let site = member(&section, names);
    let is = section.required_item("is", "is: {status: 503, code: no_quorum}");
    let is = is.and_then(|item| control_state(&item));
    if names.world().is_some_and(|world| !world.enterprise) {
        section.sheet.problem(
            &section.key,
            "needs control planes, and this world has none",
            "write enterprise: true under world",
        );
    }
    Some(Happening::Control { site: site?, is: is? })
}

fn control_state(item: &Item<'_>) -> Option<ControlState> {
    let words = [
        ("up", ControlState::Up),
        ("dead", ControlState::Dead),
        ("hung", ControlState::Hung),
        ("malformed", ControlState::Malformed),
        ("tls", ControlState::Tls),
    ];
    state(item, &words, (&["status"], &["code"]), |_, section| {
        let status = section.optional("status", integer(100..=599));
        let code = section.optional("code", word(100, "_-."));
        Some(ControlState::Status { status: status? as u16, code })
    })
}

/// Reads `metrics`.
pub fn metrics(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "is"])?;
    let site = member(&section, names);
    let words = [("normal", MetricsState::Normal), ("not_finite", MetricsState::NotFinite)];
    let is = section.required("is", "is: not_finite", choice(&words));
    Some(Happening::Metrics { site: site?, is: is? })
}

/// Reads `anomaly`.
pub fn anomaly(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "score"])?;
    let site = member(&section, names);
    let score = section.required("score", "score: 0.97", ratio("0.97"));
    Some(Happening::Anomaly { site: site?, score: score? })
}

/// Reads `clients`.
pub fn clients(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["in", "errors"])?;
    let site = section.optional("in", |v| names.member(v));
    let words = [("measured", ClientErrors::Measured), ("unknown", ClientErrors::Unknown)];
    let errors = section.required("errors", "errors: 100", |value| {
        word_or(value, &words, |value| percent(value).map(ClientErrors::Share))
    });
    Some(Happening::Clients { site, errors: errors? })
}

fn member(section: &Section<'_>, names: &Names<'_>) -> Option<SiteName> {
    section.required("in", "in: dc-a", |v| names.member(v))
}
