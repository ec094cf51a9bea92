//! Reads when people work on a service.

use super::around::Maintenance;
use super::raw::Placed;
use super::read::{Item, Section, instant, named};
use crate::types::SiteName;

/// Reads the windows in a service's section.
pub(super) fn read(service: &Section<'_>) -> Vec<Placed<Maintenance>> {
    let items = service.item("maintenance").and_then(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(window).collect()
}

fn window(item: &Item<'_>) -> Option<Placed<Maintenance>> {
    let section = item.section(&["datacenter", "from", "until"])?;
    let site = section.optional("datacenter", named(|t| SiteName::new(t)));
    let from = section.required("from", "from: 2026-12-01T22:00:00Z", instant);
    let until = section.required("until", "until: 2026-12-01T23:00:00Z", instant);
    let (from_unix_ms, until_unix_ms) = (from?, until?);
    if from_unix_ms >= until_unix_ms {
        let hint = "let the window end after it begins";
        section.sheet.problem(&section.key_of("until"), "is not later than from", hint);
    }
    Some(Placed { key: section.key.clone(), value: Maintenance { site, from_unix_ms, until_unix_ms } })
}
