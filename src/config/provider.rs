//! Reads who holds a record.

use super::checked::Provider;
use super::read::{Section, choice, text};
use super::{rfc2136, route53};

/// The keys of a record that belong to one provider only.
pub(super) const KEYS: [(&str, &str); 10] = [
    ("zone_id", "route53"),
    ("private_zone_id", "route53"),
    ("endpoint", "route53"),
    ("region", "route53"),
    ("assume_role", "route53"),
    ("weight", "route53"),
    ("more_records", "route53"),
    ("server", "rfc2136"),
    ("zone", "rfc2136"),
    ("tsig", "rfc2136"),
];

#[derive(Clone, Copy)]
enum Holder {
    Route53,
    Rfc2136,
    Embedded,
}

/// Reads the provider, and what belongs to it, in a `record` block.
pub(super) fn read(section: &Section<'_>) -> Option<Provider> {
    let holders =
        [("route53", Holder::Route53), ("rfc2136", Holder::Rfc2136), ("embedded", Holder::Embedded)];
    let named = |value| choice(&holders)(value).map(|holder| (holder, text(value).unwrap_or_default()));
    let (holder, name) = section.required("provider", "provider: route53", named)?;
    for (key, owner) in KEYS.iter().filter(|(_, owner)| *owner != name) {
        if let Some(item) = section.item(key) {
            item.sheet.problem(&item.key, format!("belongs to provider {owner} only"), "remove it");
        }
    }
    match holder {
        Holder::Route53 => route53::read(section).map(Provider::Route53),
        Holder::Rfc2136 => rfc2136::read(section).map(Provider::Rfc2136),
        Holder::Embedded => Some(Provider::Embedded),
    }
}
