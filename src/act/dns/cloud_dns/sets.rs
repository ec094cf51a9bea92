//! Record sets between the service's shape and the normal form. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::act::dns::wire::{self, Kind, TXT_CHUNK_BYTES_MAX};
use crate::act::dns::{DnsError, RecordChange};
use crate::types::{RecordName, RecordState, RecordType, ResourceSet};

/// A set as the service writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RrSet {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) ttl: Option<u32>,
    #[serde(default)]
    pub(super) rrdatas: Vec<String>,
    /// A policy that chooses among several answers; such a set moves by itself.
    #[serde(rename = "routingPolicy", default, skip_serializing_if = "Option::is_none")]
    pub(super) routing_policy: Option<serde_json::Value>,
}

/// A change, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) deletions: Vec<RrSet>,
    pub(super) additions: Vec<RrSet>,
}

/// One of the two sets: its name and type.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: RecordName,
    pub(super) kind: Kind,
}

/// The sets as the service spelled them at the last read: a deletion repeats its spelling, not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) record: Option<RrSet>,
    pub(super) fence: Option<RrSet>,
}

impl Place {
    /// The name with its final dot, as the service wants it.
    pub(super) fn absolute(&self) -> String {
        format!("{}.", self.name)
    }

    /// The type as the service writes it.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Record(kind) => kind.as_str(),
            Kind::Text => "TXT",
        }
    }

    /// Whether the service's set is this one.
    pub(super) fn is(&self, set: &RrSet) -> bool {
        set.kind == self.type_name() && RecordName::new(set.name.as_str()).is_ok_and(|name| name == self.name)
    }

    /// The service's set in normal form.
    pub(super) fn normal(&self, set: &RrSet) -> Result<ResourceSet, DnsError> {
        let refuse = |why: &str| {
            let detail = format!("the {} set of {} {why}", self.type_name(), self.name);
            Err(DnsError::Misconfigured { detail })
        };
        if set.routing_policy.is_some() {
            return refuse("has a routing policy; make it a simple set");
        }
        let values: BTreeSet<String> = set.rrdatas.iter().map(|raw| self.normal_value(raw)).collect();
        match set.ttl {
            Some(ttl_seconds) if !values.is_empty() => Ok(ResourceSet { ttl_seconds, values }),
            Some(_) => refuse("has no values"),
            None => refuse("has no TTL"),
        }
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
    fn made(&self, set: &ResourceSet) -> Result<RrSet, DnsError> {
        wire::records(&self.name, self.kind, set)
            .map_err(|error| DnsError::Misconfigured { detail: error.to_string() })?;
        let value = |value: &String| match self.kind {
            Kind::Record(RecordType::Cname) => format!("{value}."),
            Kind::Record(RecordType::A | RecordType::Aaaa) => value.clone(),
            Kind::Text => quote(value),
        };
        Ok(RrSet {
            name: self.absolute(),
            kind: self.type_name().to_owned(),
            ttl: Some(set.ttl_seconds),
            rrdatas: set.values.iter().map(value).collect(),
            routing_policy: None,
        })
    }
}

/// What was read, in normal form.
pub(super) fn normal(record: &Place, fence: &Place, spelling: &Spelling) -> Result<RecordState, DnsError> {
    Ok(RecordState {
        record: spelling.record.as_ref().map(|set| record.normal(set)).transpose()?,
        fence: spelling.fence.as_ref().map(|set| fence.normal(set)).transpose()?,
    })
}

/// The change. Both sets are always in it, an unchanged one deleted and added as it is, so that the service compares both.
pub(super) fn change(
    record: &Place,
    fence: &Place,
    wanted: &RecordChange,
    spelling: &Spelling,
) -> Result<Change, DnsError> {
    let mut change = Change { deletions: Vec::new(), additions: Vec::new() };
    for (place, old, new, seen) in [
        (record, &wanted.expected.record, &wanted.wanted.record, &spelling.record),
        (fence, &wanted.expected.fence, &wanted.wanted.fence, &spelling.fence),
    ] {
        let spelled = |set: &ResourceSet| match seen {
            Some(seen) if place.normal(seen).is_ok_and(|normal| normal == *set) => Ok(seen.clone()),
            Some(_) | None => place.made(set),
        };
        match (old, new) {
            (None, None) => {}
            (Some(_), None) => {
                return Err(DnsError::Misconfigured {
                    detail: "a change may not leave a set empty".to_owned(),
                });
            }
            (None, Some(new)) => change.additions.push(place.made(new)?),
            (Some(old), Some(new)) => {
                change.deletions.push(spelled(old)?);
                change.additions.push(if old == new { spelled(old)? } else { place.made(new)? });
            }
        }
    }
    if change.additions.is_empty() {
        return Err(DnsError::Misconfigured { detail: "the change names no set at all".to_owned() });
    }
    Ok(change)
}

/// A text in quoted strings of at most 255 bytes, as in a zone file; what is not printable is a decimal escape.
pub(super) fn quote(text: &str) -> String {
    let chunk = |bytes: &[u8]| {
        let mut quoted = String::from("\"");
        for byte in bytes {
            match byte {
                b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
                0x20..=0x7e => quoted.push(char::from(*byte)),
                _ => quoted.push_str(&format!("\\{byte:03}")),
            }
        }
        quoted.push('"');
        quoted
    };
    text.as_bytes().chunks(TXT_CHUNK_BYTES_MAX).map(chunk).collect::<Vec<_>>().join(" ")
}

/// The text of quoted strings; one without quotes is taken as it is.
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
                let digits = after.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit));
                let digits = digits.and_then(|d| std::str::from_utf8(d).ok());
                match digits.and_then(|digits| digits.parse::<u8>().ok()) {
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
