//! Values in normal form to the DNS library's types and back. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{A, AAAA, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType as WireType};

use crate::types::{RecordName, RecordType, ResourceSet};

/// Longest chunk of a TXT record, bytes (RFC 1035, section 3.3).
pub(crate) const TXT_CHUNK_BYTES_MAX: usize = 255;
/// Longest TXT value that is accepted; a fence is far shorter, and the whole set fits into one TCP answer.
pub(crate) const TXT_BYTES_MAX: usize = 4000;
/// Largest TTL (RFC 2181, section 8).
pub(crate) const TTL_SECONDS_MAX: u32 = 0x7fff_ffff;
/// Most values of one set.
pub(crate) const VALUES_MAX: usize = 100;

/// Why a set cannot be put into DNS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// A set without values is no set.
    #[error("the set has no value")]
    Empty,
    /// More values than fit.
    #[error("the set has more than {VALUES_MAX} values")]
    TooMany,
    /// An alias has exactly one target.
    #[error("a CNAME set has {0} values instead of one")]
    Alias(usize),
    /// The TTL does not fit.
    #[error("the TTL {0} is larger than {TTL_SECONDS_MAX}")]
    Ttl(u32),
    /// A value is not what its type asks for, or not in normal form.
    #[error("{value:?} is no value of a {kind} record in normal form")]
    Value {
        /// The type.
        kind: &'static str,
        /// The value's beginning.
        value: String,
    },
    /// A name is none.
    #[error("{0:?} is no name")]
    Name(String),
}

/// The types of the two sets of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The record.
    Record(RecordType),
    /// The fence.
    Text,
}

impl Kind {
    /// The DNS library's type.
    pub(crate) fn wire(self) -> WireType {
        match self {
            Self::Record(RecordType::Cname) => WireType::CNAME,
            Self::Record(RecordType::A) => WireType::A,
            Self::Record(RecordType::Aaaa) => WireType::AAAA,
            Self::Text => WireType::TXT,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Record(kind) => kind.as_str(),
            Self::Text => "TXT",
        }
    }
}

/// The fully qualified name.
pub(crate) fn name(text: &RecordName) -> Result<Name, WireError> {
    Name::from_ascii(format!("{text}.")).map_err(|_| WireError::Name(text.to_string()))
}

/// An error with its causes on one line, for the `detail` of an error that leaves the provider.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

/// A whole set as records, every value checked.
pub(crate) fn records(owner: &RecordName, kind: Kind, set: &ResourceSet) -> Result<Vec<Record>, WireError> {
    match set.values.len() {
        0 => return Err(WireError::Empty),
        1 => {}
        n if n > VALUES_MAX => return Err(WireError::TooMany),
        n if kind == Kind::Record(RecordType::Cname) => return Err(WireError::Alias(n)),
        _ => {}
    }
    if set.ttl_seconds > TTL_SECONDS_MAX {
        return Err(WireError::Ttl(set.ttl_seconds));
    }
    let owner = name(owner)?;
    let record = |value: &String| {
        let bad = || WireError::Value { kind: kind.as_str(), value: value.chars().take(64).collect() };
        let data = rdata(kind, value).filter(|data| value_of(data).as_deref() == Some(value));
        Ok(Record::from_rdata(owner.clone(), set.ttl_seconds, data.ok_or_else(bad)?))
    };
    set.values.iter().map(record).collect()
}

fn rdata(kind: Kind, value: &str) -> Option<RData> {
    Some(match kind {
        Kind::Record(RecordType::Cname) => RData::CNAME(CNAME(name(&RecordName::new(value).ok()?).ok()?)),
        Kind::Record(RecordType::A) => RData::A(A(value.parse::<Ipv4Addr>().ok()?)),
        Kind::Record(RecordType::Aaaa) => RData::AAAA(AAAA(value.parse::<Ipv6Addr>().ok()?)),
        Kind::Text => {
            let fits = (1..=TXT_BYTES_MAX).contains(&value.len());
            let chunks = value.as_bytes().chunks(TXT_CHUNK_BYTES_MAX).collect();
            RData::TXT(fits.then(|| TXT::from_bytes(chunks))?)
        }
    })
}

/// A record's value in normal form; `None` for types that are not ours, and for text that is not UTF-8.
pub(crate) fn value_of(data: &RData) -> Option<String> {
    if let RData::CNAME(target) = data {
        return Some(target.0.to_lowercase().to_ascii().trim_end_matches('.').to_owned());
    }
    if let RData::A(address) = data {
        return Some(address.0.to_string());
    }
    if let RData::AAAA(address) = data {
        return Some(address.0.to_string());
    }
    if let RData::TXT(text) = data {
        return String::from_utf8(text.txt_data.concat()).ok();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_forms_pass() {
        let owner = RecordName::new("db.example.com").unwrap();
        let long = "x".repeat(600);
        for (kind, value, good) in [
            (Kind::Record(RecordType::A), "192.0.2.1", true),
            (Kind::Record(RecordType::A), "192.0.2.256", false),
            (Kind::Record(RecordType::A), "2001:db8::1", false),
            (Kind::Record(RecordType::Aaaa), "2001:db8::1", true),
            (Kind::Record(RecordType::Aaaa), "2001:DB8::1", false),
            (Kind::Record(RecordType::Cname), "a.example.com", true),
            (Kind::Record(RecordType::Cname), "a.example.com.", false),
            (Kind::Record(RecordType::Cname), "A.example.com", false),
            (Kind::Record(RecordType::Cname), "a..b", false),
            (Kind::Text, "v=1;x", true),
            (Kind::Text, "", false),
            (Kind::Text, long.as_str(), true),
        ] {
            let made = records(&owner, kind, &ResourceSet::single(5, value));
            assert_eq!(made.is_ok(), good, "{kind:?} {value:?}: {made:?}");
        }
    }

    #[test]
    fn sets_are_bounded() {
        let owner = RecordName::new("db.example.com").unwrap();
        let set = |values: &[&str]| ResourceSet {
            ttl_seconds: 5,
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        };
        let alias = Kind::Record(RecordType::Cname);
        assert_eq!(records(&owner, alias, &set(&["a.b", "c.d"])), Err(WireError::Alias(2)));
        assert_eq!(records(&owner, alias, &set(&[])), Err(WireError::Empty));
        let mut slow = set(&["a.b"]);
        slow.ttl_seconds = u32::MAX;
        assert_eq!(records(&owner, alias, &slow), Err(WireError::Ttl(u32::MAX)));
    }
}
