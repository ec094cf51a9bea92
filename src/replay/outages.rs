//! The outages that people marked: `[{service: sessions, from: 2026-11-03T10:00:00Z, until: 2026-11-03T10:20:00Z}]`.

use std::path::Path;

use crate::config::read::{Item, Sheet, instant, named, root, source};
use crate::config::{Problems, Service};
use crate::types::ServiceName;

/// Largest accepted file, in bytes: some ten thousand outages.
const OUTAGES_BYTES_MAX: u64 = 1024 * 1024;

/// A time in which a service did not serve, as people remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The service.
    pub service: ServiceName,
    /// Its beginning, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Its end, later than the beginning, Unix milliseconds.
    pub until_unix_ms: i64,
}

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn load(path: &Path, services: &[Service]) -> Result<Vec<Outage>, Problems> {
    let text = source(path, OUTAGES_BYTES_MAX, "name a YAML file with a list of outages")?;
    parse(&text, path, services)
}

fn parse(text: &str, path: &Path, services: &[Service]) -> Result<Vec<Outage>, Problems> {
    let root = root(text, path, "list outages: [{service: …, from: …, until: …}]")?;
    let sheet = Sheet::new(path, &|_| None, &root);
    let items = Item::root(&sheet, &root).items().unwrap_or_default();
    let outages: Vec<Outage> = items.iter().filter_map(|item| outage(item, services)).collect();
    let (problems, _) = sheet.into_notes();
    if problems.is_empty() { Ok(outages) } else { Err(Problems::new(problems)) }
}

fn outage(item: &Item<'_>, services: &[Service]) -> Option<Outage> {
    let section = item.section(&["service", "from", "until"])?;
    let service = section.required("service", "service: sessions", named(|t| ServiceName::new(t)));
    let from = section.required("from", "from: 2026-12-01T22:00:00Z", instant);
    let until = section.required("until", "until: 2026-12-01T22:20:00Z", instant);
    let (service, from_unix_ms, until_unix_ms) = (service?, from?, until?);
    if !services.iter().any(|known| known.name == service) {
        let hint = "name a service of the configuration";
        section.sheet.problem(&section.key_of("service"), "is not configured", hint);
        return None;
    }
    if until_unix_ms <= from_unix_ms {
        section.sheet.problem(&section.key_of("until"), "is not later than from", "exchange the two");
        return None;
    }
    Some(Outage { service, from_unix_ms, until_unix_ms })
}

#[cfg(test)]
mod tests {
    use super::super::tests::service;
    use super::*;

    fn read(text: &str) -> Result<Vec<Outage>, String> {
        parse(text, Path::new("outages.yml"), &[service()]).map_err(|problems| problems.to_string())
    }

    #[test]
    fn outages_are_read_and_every_mistake_is_named() {
        let good = "- {service: sessions, from: 2026-12-01T22:00:00Z, until: 2026-12-01T23:20:00+01:00}";
        let from_unix_ms = 1_796_162_400_000;
        let service = ServiceName::new("sessions").unwrap();
        let want = Outage { service, from_unix_ms, until_unix_ms: from_unix_ms + 1_200_000 };
        assert_eq!(read(good), Ok(vec![want]));
        assert_eq!(read("[]"), Ok(Vec::new()));
        for (text, said) in [
            ("", "is empty"),
            ("service: sessions", "not a list"),
            (
                "- {service: other, from: 2026-12-01T22:00:00Z, until: 2026-12-01T22:01:00Z}",
                "is not configured",
            ),
            ("- {service: sessions, from: 2026-12-01T22:00:00Z}", "until: is missing"),
            ("- {service: sessions, from: yesterday, until: 2026-12-01T22:01:00Z}", "is not a time"),
            (
                "- {service: sessions, from: 2026-12-01T22:00:00Z, until: 2026-12-01T22:00:00Z}",
                "is not later",
            ),
            (
                "- {service: sessions, form: 2026-12-01T22:00:00Z, until: 2026-12-01T22:00:00Z}",
                "did you mean from?",
            ),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.contains(said), "{text}: {found}");
        }
    }
}
