//! Record sets between the service's shape and the normal form. Pure.

use std::collections::BTreeSet;

use aws_sdk_route53::types::{Change, ChangeAction, ResourceRecord, ResourceRecordSet, RrType};

use crate::act::dns::wire::{self, Kind, TXT_CHUNK_BYTES_MAX};
use crate::act::dns::{DnsError, RecordChange};
use crate::types::{RecordName, RecordType, ResourceSet};

/// One of the two sets: its name and type, and how to say it to the service.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The name.
    pub(super) name: RecordName,
    /// The type.
    pub(super) kind: Kind,
}

impl Place {
    /// The service's word for the type.
    pub(super) fn rr_type(&self) -> RrType {
        match self.kind {
            Kind::Record(RecordType::Cname) => RrType::Cname,
            Kind::Record(RecordType::A) => RrType::A,
            Kind::Record(RecordType::Aaaa) => RrType::Aaaa,
            Kind::Text => RrType::Txt,
        }
    }

    /// Whether the service's set is this one.
    pub(super) fn is(&self, set: &ResourceRecordSet) -> bool {
        *set.r#type() == self.rr_type() && RecordName::new(set.name()).is_ok_and(|name| name == self.name)
    }

    /// The service's set in normal form. Only a simple set can be compared and swapped.
    pub(super) fn normal(&self, set: &ResourceRecordSet) -> Result<ResourceSet, DnsError> {
        let refuse = |why: &str| {
            let detail = format!("the {} set of {} {why}", self.rr_type().as_str(), self.name);
            Err(DnsError::Misconfigured { detail })
        };
        if set.alias_target().is_some() {
            return refuse("is an alias of Route 53, which holds no values; make it a simple set");
        }
        if let Some(id) = set.set_identifier() {
            return refuse(&format!("has a routing policy (set identifier {id:?}); make it a simple set"));
        }
        if set.health_check_id().is_some() || set.traffic_policy_instance_id().is_some() {
            return refuse("is tied to a health check or traffic policy; make it a simple set");
        }
        let Some(ttl_seconds) = set.ttl().and_then(|ttl| u32::try_from(ttl).ok()) else {
            return refuse("has no TTL");
        };
        let values: BTreeSet<String> =
            set.resource_records().iter().map(|record| self.normal_value(record.value())).collect();
        if values.is_empty() { refuse("has no values") } else { Ok(ResourceSet { ttl_seconds, values }) }
    }

    fn normal_value(&self, raw: &str) -> String {
        match self.kind {
            Kind::Record(RecordType::Cname) => raw.trim_end_matches('.').to_ascii_lowercase(),
            Kind::Record(RecordType::A) => {
                raw.parse::<std::net::Ipv4Addr>().map_or_else(|_| raw.to_owned(), |a| a.to_string())
            }
            Kind::Record(RecordType::Aaaa) => {
                raw.parse::<std::net::Ipv6Addr>().map_or_else(|_| raw.to_owned(), |a| a.to_string())
            }
            Kind::Text => unquote(raw),
        }
    }

    /// A set of ours as the service shall hold it.
    pub(super) fn made(&self, set: &ResourceSet) -> Result<ResourceRecordSet, DnsError> {
        let bad = |detail: String| DnsError::Misconfigured { detail };
        wire::records(&self.name, self.kind, set).map_err(|error| bad(error.to_string()))?;
        let record = |value: &String| {
            let value = if self.kind == Kind::Text { quote(value) } else { value.clone() };
            ResourceRecord::builder().value(value).build().map_err(|error| bad(wire::chain(&error)))
        };
        ResourceRecordSet::builder()
            .name(self.name.as_str())
            .r#type(self.rr_type())
            .ttl(i64::from(set.ttl_seconds))
            .set_resource_records(Some(set.values.iter().map(record).collect::<Result<_, _>>()?))
            .build()
            .map_err(|error| bad(wire::chain(&error)))
    }
}

/// The sets as the service spelled them at the last read: a DELETE must repeat its spelling, not ours.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spelling {
    /// The record.
    pub(super) record: Option<ResourceRecordSet>,
    /// The fence.
    pub(super) fence: Option<ResourceRecordSet>,
}

/// The batch of a change. Both sets are always in it, an unchanged one as DELETE and CREATE of the same, so that
/// the service compares both.
pub(super) fn batch(
    record: &Place,
    fence: &Place,
    change: &RecordChange,
    spelling: &Spelling,
) -> Result<Vec<Change>, DnsError> {
    let (old, new) = (&change.expected, &change.wanted);
    let mut changes = Vec::with_capacity(4);
    pair(record, old.record.as_ref(), new.record.as_ref(), spelling.record.as_ref(), &mut changes)?;
    pair(fence, old.fence.as_ref(), new.fence.as_ref(), spelling.fence.as_ref(), &mut changes)?;
    if changes.is_empty() {
        return Err(DnsError::Misconfigured { detail: "the change names no set at all".to_owned() });
    }
    Ok(changes)
}

fn pair(
    place: &Place,
    old: Option<&ResourceSet>,
    new: Option<&ResourceSet>,
    seen: Option<&ResourceRecordSet>,
    changes: &mut Vec<Change>,
) -> Result<(), DnsError> {
    let change = |action: ChangeAction, set: ResourceRecordSet| {
        let built = Change::builder().action(action).resource_record_set(set).build();
        built.map_err(|error| DnsError::Misconfigured { detail: wire::chain(&error) })
    };
    let spelled = |set: &ResourceSet| match seen {
        Some(seen) if place.normal(seen).is_ok_and(|normal| normal == *set) => Ok(seen.clone()),
        Some(_) | None => place.made(set),
    };
    match (old, new) {
        (None, None) => return Ok(()),
        (Some(_), None) => {
            return Err(DnsError::Misconfigured { detail: "a change may not leave a set empty".to_owned() });
        }
        (None, Some(new)) => changes.push(change(ChangeAction::Create, place.made(new)?)?),
        (Some(old), Some(new)) => {
            changes.push(change(ChangeAction::Delete, spelled(old)?)?);
            let made = if old == new { spelled(old)? } else { place.made(new)? };
            changes.push(change(ChangeAction::Create, made)?);
        }
    }
    Ok(())
}

/// A TXT value as the service wants it: quoted chunks, special and unprintable bytes as octal escapes.
pub(super) fn quote(text: &str) -> String {
    let chunk = |bytes: &[u8]| {
        let mut quoted = String::from("\"");
        for byte in bytes {
            match byte {
                b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
                0x20..=0x7e => quoted.push(char::from(*byte)),
                _ => quoted.push_str(&format!("\\{byte:03o}")),
            }
        }
        quoted.push('"');
        quoted
    };
    text.as_bytes().chunks(TXT_CHUNK_BYTES_MAX).map(chunk).collect::<Vec<_>>().join(" ")
}

/// The text of a TXT value; one without quotes is taken as it is.
pub(super) fn unquote(raw: &str) -> String {
    if !raw.trim_start().starts_with('"') {
        return raw.to_owned();
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut is_inside = false;
    let mut rest = raw.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => is_inside = !is_inside,
            b'\\' if is_inside => {
                let octal = after.get(..3).and_then(|d| std::str::from_utf8(d).ok());
                match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &after[3..];
                    }
                    None => {
                        bytes.extend(after.first());
                        rest = after.get(1..).unwrap_or_default();
                    }
                }
            }
            _ if is_inside => bytes.push(*byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
