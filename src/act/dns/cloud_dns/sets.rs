//! Record sets between the service's shape and the normal form. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::act::dns::quoted::{Escapes, quote, unquote};
use crate::act::dns::wire::{self, Kind};
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
            Kind::Text => unquote(raw, Escapes::Decimal),
        }
    }

    /// A set of ours as the service shall hold it.
    fn made(&self, set: &ResourceSet) -> Result<RrSet, DnsError> {
        wire::records(&self.name, self.kind, set)
            .map_err(|error| DnsError::Misconfigured { detail: error.to_string() })?;
        let value = |value: &String| match self.kind {
            Kind::Record(RecordType::Cname) => format!("{value}."),
            Kind::Record(RecordType::A | RecordType::Aaaa) => value.clone(),
            Kind::Text => quote(value, Escapes::Decimal),
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
