//! Reads the timeline: when, and which one subject.

use std::time::Duration;

use super::names::Names;
use super::state::{TIME_MAX, only, time};
use super::{agents, dns, network, site, webhook};
use crate::config::read::{Item, Section, choice, duration, duration_text, integer};
use crate::sim::language::{Event, Happening, Side, Step, Trigger, When};

/// Most events of a scenario, repetitions included.
const EVENTS_MAX: usize = 10_000;
const REPEATS_MAX: u64 = 1000;
const NTH_MAX: u64 = 1000;

/// What an event can be about.
pub(super) const SUBJECTS: &[&str] = &[
    "redis",
    "loading",
    "lag",
    "memory",
    "link",
    "control",
    "datacenter",
    "network",
    "agent",
    "clock",
    "webhook",
    "clients",
    "metrics",
    "anomaly",
    "dns",
    "record",
    "fence",
    "resolvers",
    "lease",
    "operator",
    "config",
];

/// Reads the timeline, in the order in which it is played.
pub fn timeline(file: &Section<'_>, names: &Names<'_>) -> Vec<Event> {
    let items = file.required_item("timeline", "timeline: [{at: 0s, redis: {in: dc-a, is: dead}}]");
    let items = items.and_then(|item| item.items()).unwrap_or_default();
    let mut events: Vec<Event> = items.iter().flat_map(|item| event(item, names)).collect();
    if events.len() > EVENTS_MAX {
        let reason = format!("has {} events, repetitions included", events.len());
        file.sheet.problem("timeline", reason, format!("write at most {EVENTS_MAX}"));
    }
    events.sort_by_key(|event| match &event.at {
        When::At(time) => (0, *time),
        When::On(_) => (1, Duration::ZERO),
    });
    events
}

fn event(item: &Item<'_>, names: &Names<'_>) -> Vec<Event> {
    let Some(section) = item.section(&[&["at", "on", "repeat"], SUBJECTS].concat()) else {
        return Vec::new();
    };
    let when = when(&section, names);
    let what = only(&section, SUBJECTS).and_then(|subject| happening(&section, subject, names));
    let (Some(when), Some(what)) = (when, what) else { return Vec::new() };
    when.into_iter().map(|at| Event { at, what: what.clone() }).collect()
}

/// All moments of an event; `None` when that is wrong, which was noted.
fn when(section: &Section<'_>, names: &Names<'_>) -> Option<Vec<When>> {
    if let Some(on) = section.item("on") {
        for other in ["at", "repeat"] {
            if let Some(item) = section.item(other) {
                item.sheet.problem(&item.key, "is given as well as on", "keep one of the two");
            }
        }
        return trigger(&on, names).map(|trigger| vec![When::On(trigger)]);
    }
    let at = section.required("at", "at: 30s", time)?;
    let moments = match section.item("repeat") {
        None => vec![at],
        Some(item) => {
            let repeat = item.section(&["every", "times"])?;
            let every = repeat.required("every", "every: 90s", duration(Duration::from_millis(1)..=TIME_MAX));
            let times = repeat.required("times", "times: 10", integer(1..=REPEATS_MAX));
            let (every, times) = (every?, times? as u32);
            (0..times).map(|n| at.saturating_add(every.saturating_mul(n))).collect()
        }
    };
    if let Some((last, world)) = moments.last().zip(names.world())
        && *last > world.run
    {
        let reason = format!("happens at {}, after the end of the run", duration_text(*last));
        let hint = format!("write run: {} or more under world", duration_text(*last));
        section.sheet.problem(&section.key_of("at"), reason, hint);
    }
    Some(moments.into_iter().map(When::At).collect())
}

fn trigger(item: &Item<'_>, names: &Names<'_>) -> Option<Trigger> {
    let section = item.section(&["agent", "step", "when", "nth", "delay"])?;
    let agent = section.optional("agent", |v| names.agent(v));
    let step = section.required("step", "step: dns_write", choice(&Step::WORDS));
    let sides = [("before", Side::Before), ("after", Side::After)];
    let side = section.required("when", "when: before", choice(&sides));
    let nth = section.or("nth", 1, integer(1..=NTH_MAX));
    let delay = section.or("delay", Duration::ZERO, time);
    Some(Trigger { agent, step: step?, side: side?, nth: nth as u32, delay })
}

fn happening(event: &Section<'_>, subject: &str, names: &Names<'_>) -> Option<Happening> {
    let item = &event.item(subject)?;
    match subject {
        "redis" => site::redis(item, names),
        "loading" => site::loading(item, names),
        "lag" => site::lag(item, names),
        "memory" => site::memory(item, names),
        "link" => site::link(item, names),
        "control" => site::control(item, names),
        "metrics" => site::metrics(item, names),
        "anomaly" => site::anomaly(item, names),
        "clients" => site::clients(item, names),
        "datacenter" => network::datacenter(item, names),
        "network" => network::network(item, names),
        "agent" => agents::agent(item, names),
        "clock" => agents::clock(item, names),
        "config" => agents::config(item, names),
        "lease" => agents::lease(item, names),
        "operator" => agents::operator(item, names),
        "webhook" => webhook::webhook(item, names),
        "dns" => dns::dns(item),
        "record" => dns::record(item, names),
        "fence" => dns::fence(item, names),
        "resolvers" => dns::resolvers(item),
        other => unreachable!("{other} is no subject"),
    }
}
