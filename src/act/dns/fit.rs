//! What no provider is ever asked for, whatever it would say.

use super::wire::{self, Kind, WireError};
use super::{DnsError, RecordChange};
use crate::types::{RecordName, RecordType, ResourceSet};

/// Refuses a change that leaves a set empty, or holds what cannot stand in DNS.
pub(crate) fn refuse_unfit(
    (name, kind): (&RecordName, RecordType),
    fence: &RecordName,
    change: &RecordChange,
) -> Result<(), DnsError> {
    let (expected, wanted) = (&change.expected, &change.wanted);
    let emptied = (expected.record.is_some() && wanted.record.is_none())
        || (expected.fence.is_some() && wanted.fence.is_none());
    if emptied {
        return Err(DnsError::Misconfigured { detail: "a change may not leave a set empty".to_owned() });
    }
    one(name, Kind::Record(kind), wanted.record.as_ref())
        .and_then(|()| one(fence, Kind::Text, wanted.fence.as_ref()))
        .map_err(|error| DnsError::Misconfigured { detail: error.to_string() })
}

fn one(name: &RecordName, kind: Kind, set: Option<&ResourceSet>) -> Result<(), WireError> {
    set.map_or(Ok(()), |set| wire::records(name, kind, set).map(|_| ()))
}
