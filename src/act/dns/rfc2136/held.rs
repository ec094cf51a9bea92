//! What the primary holds under a name, in its own spelling. Pure.

use std::collections::BTreeSet;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, Record, RecordType as WireType};

use super::outcome;
use crate::act::dns::DnsError;
use crate::act::dns::wire::{self, Kind};
use crate::types::{RecordName, RecordState, ResourceSet};

/// One of the two names of a service, with its type.
#[derive(Debug)]
pub(super) struct Place {
    /// The name as configured.
    pub(super) name: RecordName,
    /// The name on the wire.
    pub(super) owner: Name,
    /// The type.
    pub(super) kind: Kind,
}

impl Place {
    /// A name and its type.
    pub(super) fn new(name: RecordName, kind: Kind) -> Result<Self, DnsError> {
        let owner = wire::name(&name).map_err(outcome::unfit)?;
        Ok(Self { name, owner, kind })
    }
}

/// A set of the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    /// Its records, spelled as the primary does: a prerequisite repeats them.
    pub(super) records: Vec<Record>,
    /// The same in normal form.
    pub(super) normal: ResourceSet,
}

/// Record and fence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) record: Option<Set>,
    pub(super) fence: Option<Set>,
}

impl Held {
    /// Both in normal form.
    pub(super) fn state(&self) -> RecordState {
        let normal = |set: &Option<Set>| set.as_ref().map(|set| set.normal.clone());
        RecordState { record: normal(&self.record), fence: normal(&self.fence) }
    }
}

/// Reads the answer of a name server of the zone; `None` where it says that there is no such set.
///
/// # Errors
/// The server does not say what the set is, or the set is not one that this program could have written.
pub(super) fn set(place: &Place, answer: &Message) -> Result<Option<Set>, DnsError> {
    let code = answer.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(outcome::unread(code));
    }
    let wrong = |text: String| Err(DnsError::Misconfigured { detail: format!("{} {text}", place.name) });
    if !answer.metadata.authoritative {
        return wrong("is not in a zone that the server has authority for".to_owned());
    }
    let here = |record: &&Record| record.name == place.owner && record.dns_class == DNSClass::IN;
    let records =
        |kind: WireType| answer.answers.iter().filter(here).filter(move |r| r.record_type() == kind);
    let found: Vec<Record> = records(place.kind.wire()).cloned().collect();
    let Some(ttl_seconds) = found.iter().map(|record| record.ttl).min() else {
        return match records(WireType::CNAME).next() {
            Some(_) => wrong(format!("is an alias, not a {} record", place.kind.wire())),
            None => Ok(None),
        };
    };
    let values: Option<BTreeSet<String>> = found.iter().map(|record| wire::value_of(&record.data)).collect();
    match values {
        Some(values) => Ok(Some(Set { records: found, normal: ResourceSet { ttl_seconds, values } })),
        None => wrong("holds a value that is no text".to_owned()),
    }
}
