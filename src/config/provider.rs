//! Reads who holds a record.

use super::checked::{Provider, Route53};
use super::read::{Section, Value, Wrong, choice, http_url, text, word};
use super::rfc2136;

/// The keys of a record that belong to one provider only.
pub(super) const KEYS: [(&str, &str); 6] = [
    ("zone_id", "route53"),
    ("endpoint", "route53"),
    ("region", "route53"),
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
        Holder::Route53 => {
            let zone_id = section.required("zone_id", "zone_id: Z0123456789", zone_id);
            let endpoint = section.optional("endpoint", http_url);
            let region = section.or("region", "us-east-1".to_owned(), word(32, "-"));
            Some(Provider::Route53(Route53 { zone_id: zone_id?, endpoint, region }))
        }
        Holder::Rfc2136 => rfc2136::read(section).map(Provider::Rfc2136),
        Holder::Embedded => Some(Provider::Embedded),
    }
}

/// The id of a hosted zone: at most 32 capital letters and digits.
fn zone_id(value: &Value) -> Result<String, Wrong> {
    let id = text(value)?;
    let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if id.len() <= 32 && id.chars().all(good) {
        return Ok(id.to_owned());
    }
    let hint = "write the id alone, such as Z0123456789, without /hostedzone/";
    Err(Wrong::new("is not the id of a hosted zone", hint))
}
