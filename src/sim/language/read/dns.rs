//! Reads what happens to DNS: its provider, the record and the fence, the resolvers.

use std::time::Duration;

use super::names::Names;
use super::state::{TIME_MAX, only, state, time, whole_seconds};
use crate::config::read::{Item, Value, duration, integer, named, text};
use crate::sim::language::{DnsState, FenceEdit, Happening, RecordEdit};
use crate::types::RecordName;

/// The four watched resolvers.
const RESOLVERS: u64 = 4;

/// Reads `dns`.
pub fn dns(item: &Item<'_>) -> Option<Happening> {
    let section = item.section(&["is", "visible_after"])?;
    match only(&section, &["is", "visible_after"])? {
        "visible_after" => section.optional("visible_after", time).map(Happening::DnsVisibleAfter),
        _ => dns_state(&section.item("is")?).map(Happening::Dns),
    }
}

fn dns_state(item: &Item<'_>) -> Option<DnsState> {
    let words = [
        ("up", DnsState::Up),
        ("reply_lost_after", DnsState::ReplyLostAfter),
        ("reply_lost_before", DnsState::ReplyLostBefore),
        ("denied", DnsState::Denied),
        ("unavailable", DnsState::Unavailable),
        ("no_zone", DnsState::NoZone),
        ("pending", DnsState::Pending),
        ("half_applied", DnsState::HalfApplied),
    ];
    let length = duration(Duration::from_millis(1)..=TIME_MAX);
    state(item, &words, (&["throttled", "busy", "arrives_late"], &[]), |key, section| match key {
        "throttled" => section.optional(key, integer(1..=10_000)).map(|n| DnsState::Throttled(n as u32)),
        "arrives_late" => section.optional(key, length).map(DnsState::ArrivesLate),
        _ => section.optional(key, length).map(DnsState::Busy),
    })
}

/// Reads `record`.
pub fn record(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["value", "ttl", "service"])?;
    if section.item("value").is_none() && section.item("ttl").is_none() {
        section.sheet.problem(&section.key, "changes nothing", "write value, ttl, or both");
    }
    let value = section.optional("value", |value| {
        if text(value)? == "missing" {
            return Ok(RecordEdit::Missing);
        }
        match names.member(value) {
            Ok(site) => Ok(RecordEdit::Site(site)),
            Err(_) => named(|t| RecordName::new(t))(value).map(RecordEdit::Other),
        }
    });
    let ttl = section.optional("ttl", whole_seconds);
    let service = section.optional("service", |v| names.service(v));
    Some(Happening::Record { value, ttl, service })
}

/// Reads `fence`.
pub fn fence(item: &Item<'_>, names: &Names<'_>) -> Option<Happening> {
    let section = item.section(&["text", "service"])?;
    let edit = section.required("text", "text: missing", |value: &Value| {
        Ok(match text(value)? {
            "missing" => FenceEdit::Missing,
            other => FenceEdit::Text(other.to_owned()),
        })
    });
    let service = section.optional("service", |v| names.service(v));
    Some(Happening::Fence { edit: edit?, service })
}

/// Reads `resolvers`.
pub fn resolvers(item: &Item<'_>) -> Option<Happening> {
    let section = item.section(&["stale", "for"])?;
    let stale = section.required("stale", "stale: 1", integer(0..=RESOLVERS));
    let lasts = section.required("for", "for: 20m", time);
    Some(Happening::Resolvers { stale: stale? as u32, lasts: lasts? })
}
