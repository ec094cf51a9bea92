//! Reads who holds a record.

use super::checked::Provider;
use super::read::{Section, choice, text};
use super::{cloud_dns, rfc2136, route53};

/// The keys of a record that belong to some providers only, and to which.
pub(super) const KEYS: [(&str, &[&str]); 14] = [
    ("zone_id", &[ROUTE53]),
    ("private_zone_id", &[ROUTE53]),
    ("endpoint", &[ROUTE53, CLOUD_DNS]),
    ("region", &[ROUTE53]),
    ("assume_role", &[ROUTE53]),
    ("weight", &[ROUTE53]),
    ("more_records", &[ROUTE53]),
    ("server", &[RFC2136]),
    ("zone", &[RFC2136]),
    ("tsig", &[RFC2136]),
    ("project", &[CLOUD_DNS]),
    ("managed_zone", &[CLOUD_DNS]),
    ("key_file", &[CLOUD_DNS]),
    ("key_env", &[CLOUD_DNS]),
];
const ROUTE53: &str = "route53";
const RFC2136: &str = "rfc2136";
const CLOUD_DNS: &str = "cloud-dns";

#[derive(Clone, Copy)]
enum Holder {
    Route53,
    Rfc2136,
    CloudDns,
    Embedded,
}

/// Reads the provider, and what belongs to it, in a `record` block.
pub(super) fn read(section: &Section<'_>) -> Option<Provider> {
    let holders = [
        (ROUTE53, Holder::Route53),
        (RFC2136, Holder::Rfc2136),
        (CLOUD_DNS, Holder::CloudDns),
        ("embedded", Holder::Embedded),
    ];
    let named = |value| choice(&holders)(value).map(|holder| (holder, text(value).unwrap_or_default()));
    let (holder, name) = section.required("provider", "provider: route53", named)?;
    for (key, owners) in KEYS.iter().filter(|(_, owners)| !owners.contains(&name)) {
        if let Some(item) = section.item(key) {
            let reason = format!("belongs to provider {} only", owners.join(" and "));
            item.sheet.problem(&item.key, reason, "remove it");
        }
    }
    match holder {
        Holder::Route53 => route53::read(section).map(Provider::Route53),
        Holder::Rfc2136 => rfc2136::read(section).map(Provider::Rfc2136),
        Holder::CloudDns => cloud_dns::read(section).map(Provider::CloudDns),
        Holder::Embedded => Some(Provider::Embedded),
    }
}
