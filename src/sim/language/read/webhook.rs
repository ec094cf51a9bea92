//! Reads a post to the webhook.

use std::time::Duration;

use super::names::Names;
use super::state::time;
use crate::config::read::{Item, Value, choice, integer, text, word};
use crate::sim::language::{Fingerprint, Happening, Token, Webhook, Who};
use crate::types::AlertState;

const TIMES_MAX: u64 = 1_000_000;

/// Reads `webhook`.
pub fn webhook(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&[
        "to",
        "alert",
        "state",
        "site",
        "starts",
        "token",
        "times",
        "over",
        "fingerprint",
        "service",
        "body",
    ])?;
    let states = [("firing", AlertState::Firing), ("resolved", AlertState::Resolved)];
    let tokens = [("good", Token::Good), ("bad", Token::Bad), ("none", Token::Missing)];
    let fingerprints = [("same", Fingerprint::Same), ("random", Fingerprint::Random)];
    if section.item("body").is_some() {
        for key in ["alert", "state", "site", "starts", "fingerprint", "service"] {
            if let Some(item) = section.item(key) {
                item.sheet.problem(&item.key, "has no place beside body", "keep one of the two");
            }
        }
    }
    Some(Happening::Webhook(Webhook {
        to: section.item("to").map_or_else(|| vec![Who::All], |item| receivers(&item, names)),
        alert: section.or("alert", "RedisDown".to_owned(), word(100, "_-.")),
        state: section.or("state", AlertState::Firing, choice(&states)),
        site: section.optional("site", |v| names.datacenter(v)),
        starts: section.optional("starts", time),
        token: section.or("token", Token::Good, choice(&tokens)),
        times: section.or("times", 1, integer(1..=TIMES_MAX)) as u32,
        over: section.or("over", Duration::ZERO, time),
        fingerprint: section.or("fingerprint", Fingerprint::Same, choice(&fingerprints)),
        service: section.optional("service", |v| names.service(v)),
        body: section.optional("body", |v| text(v).map(str::to_owned)),
    }))
}

fn receivers(item: &Item<'_>, names: &Names<'_>) -> Vec<Who> {
    if item.read(|value| Ok(matches!(value, Value::List(_)))) != Some(true) {
        return item.read(|v| names.who(v)).into_iter().collect();
    }
    let items = item.items().unwrap_or_default();
    if items.is_empty() {
        item.sheet.problem(&item.key, "is empty", "name at least one agent, or remove the key");
    }
    items.iter().filter_map(|item| item.read(|v| names.who(v))).collect()
}
