//! Record types, and the check of one value against its type.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{CNAME, NS, SOA, TXT};
use hickory_proto::rr::{self, RData};

use super::name::octal;
use super::{DnsName, NameError};

const TEXT_BYTES_MAX: usize = 255;
const VALUE_CHARACTERS_MAX: usize = 4000;

/// The types that the sandbox imitates, in the order of ListResourceRecordSets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// An alias name.
    Cname,
    /// Name servers, at the apex only.
    Ns,
    /// The start of authority, at the apex only.
    Soa,
    /// Quoted texts.
    Txt,
}

impl RecordType {
    const ALL: [Self; 6] = [Self::A, Self::Aaaa, Self::Cname, Self::Ns, Self::Soa, Self::Txt];

    /// The type as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Txt => "TXT",
        }
    }

    /// Reads a type; only upper case is one, as in the API's enumeration.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The type of a DNS question, if the sandbox imitates it.
    pub fn from_wire(wire: rr::RecordType) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.wire() == wire)
    }

    fn wire(self) -> rr::RecordType {
        match self {
            Self::A => rr::RecordType::A,
            Self::Aaaa => rr::RecordType::AAAA,
            Self::Cname => rr::RecordType::CNAME,
            Self::Ns => rr::RecordType::NS,
            Self::Soa => rr::RecordType::SOA,
            Self::Txt => rr::RecordType::TXT,
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a value does not fit its type; the wording is the service's own where it is publicly known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// An A value that is no IPv4 address.
    #[error(
        "FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '{0}'"
    )]
    Ipv4(String),
    /// An AAAA value that is no IPv6 address.
    #[error(
        "FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '{0}'"
    )]
    Ipv6(String),
    /// A TXT value outside quotation marks.
    #[error(
        "FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{0}'"
    )]
    Quotes(String),
    /// A TXT string of more than 255 bytes.
    #[error("FATAL problem: CharacterStringTooLong (Value is too long) encountered with '{0}'")]
    TextTooLong(String),
    /// A value of more than 4000 characters.
    #[error("FATAL problem: ValueTooLong (Value is too long) encountered with '{0}'")]
    TooLong(String),
    /// A CNAME or NS value that is no domain name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An SOA value without its seven fields.
    #[error("FATAL problem: InvalidSOARDATA (Value is not a valid SOA) encountered with '{0}'")]
    Soa(String),
}

/// Reads one value as the data of its type.
pub fn rdata(kind: RecordType, text: &str) -> Result<RData, ValueError> {
    if text.chars().count() > VALUE_CHARACTERS_MAX {
        return Err(ValueError::TooLong(text.to_owned()));
    }
    match kind {
        RecordType::A => {
            let address: Ipv4Addr = text.parse().map_err(|_| ValueError::Ipv4(text.to_owned()))?;
            Ok(RData::A(address.into()))
        }
        RecordType::Aaaa => {
            let address: Ipv6Addr = text.parse().map_err(|_| ValueError::Ipv6(text.to_owned()))?;
            Ok(RData::AAAA(address.into()))
        }
        RecordType::Cname => Ok(RData::CNAME(CNAME(name(text)?))),
        RecordType::Ns => Ok(RData::NS(NS(name(text)?))),
        RecordType::Soa => soa(text).map(RData::SOA),
        RecordType::Txt => {
            let texts = character_strings(text).ok_or_else(|| ValueError::Quotes(text.to_owned()))?;
            if texts.iter().any(|part| part.len() > TEXT_BYTES_MAX) {
                return Err(ValueError::TextTooLong(text.to_owned()));
            }
            Ok(RData::TXT(TXT::from_bytes(texts.iter().map(Vec::as_slice).collect())))
        }
    }
}

/// Whether two lists hold the same set of values: names fold their case and final dot, addresses their spelling.
pub fn same_values(kind: RecordType, left: &[String], right: &[String]) -> bool {
    let holds = |list: &[String], value: &String| {
        list.iter().any(|other| match (rdata(kind, other), rdata(kind, value)) {
            (Ok(other), Ok(value)) => other == value,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => other == value,
        })
    };
    left.len() == right.len()
        && left.iter().all(|value| holds(right, value))
        && right.iter().all(|value| holds(left, value))
}

fn name(text: &str) -> Result<rr::Name, ValueError> {
    let name = DnsName::parse(text)?;
    name.to_wire().ok_or_else(|| ValueError::Name(NameError::TooLong(text.to_owned())))
}

fn soa(text: &str) -> Result<SOA, ValueError> {
    let bad = || ValueError::Soa(text.to_owned());
    let fields: Vec<_> = text.split_whitespace().collect();
    let &[mname, rname, serial, refresh, retry, expire, minimum] = fields.as_slice() else {
        return Err(bad());
    };
    let seconds = |field: &str| field.parse::<i32>().map_err(|_| bad());
    let counter = |field: &str| field.parse::<u32>().map_err(|_| bad());
    Ok(SOA::new(
        name(mname)?,
        name(rname)?,
        counter(serial)?,
        seconds(refresh)?,
        seconds(retry)?,
        seconds(expire)?,
        counter(minimum)?,
    ))
}

/// Reads `"one" "two"`; inside the quotes `\"`, `\\` and `\ooo` are escapes.
fn character_strings(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = text.trim().as_bytes();
    let mut strings = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix(b"\"")?;
        let mut string = Vec::new();
        loop {
            let (&byte, tail) = rest.split_first()?;
            rest = tail;
            match byte {
                b'"' => break,
                b'\\' => {
                    if let Some((byte, tail)) = octal(rest) {
                        string.push(byte);
                        rest = tail;
                    } else {
                        let (&byte, tail) = rest.split_first()?;
                        string.push(byte);
                        rest = tail;
                    }
                }
                _ => string.push(byte),
            }
        }
        strings.push(string);
        rest = rest.trim_ascii_start();
    }
    (!strings.is_empty()).then_some(strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_types_or_are_refused() {
        let long = format!("\"{}\"", "x".repeat(256));
        let table = [
            (RecordType::A, "192.0.2.1", true),
            (RecordType::A, "192.0.2.256", false),
            (RecordType::A, "2001:db8::1", false),
            (RecordType::Aaaa, "2001:db8::1", true),
            (RecordType::Aaaa, "192.0.2.1", false),
            (RecordType::Cname, "paris.example.net", true),
            (RecordType::Cname, "paris..example.net", false),
            (RecordType::Txt, "\"v=1;epoch=3\"", true),
            (RecordType::Txt, "\"one\" \"two\"", true),
            (RecordType::Txt, "\"a \\\" b\"", true),
            (RecordType::Txt, "v=1", false),
            (RecordType::Txt, "\"open", false),
            (RecordType::Txt, "\"a\" b", false),
            (RecordType::Txt, "", false),
            (RecordType::Txt, &long, false),
            (RecordType::Soa, "ns.a. host.a. 1 2 3 4 5", true),
            (RecordType::Soa, "ns.a. host.a. 1 2 3 4", false),
        ];
        for (kind, text, good) in table {
            assert_eq!(rdata(kind, text).is_ok(), good, "{kind} {text}");
        }
    }

    #[test]
    fn values_are_compared_as_a_set() {
        let list = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let table = [
            (RecordType::A, list(&["192.0.2.1", "192.0.2.2"]), list(&["192.0.2.2", "192.0.2.1"]), true),
            (RecordType::A, list(&["192.0.2.1"]), list(&["192.0.2.1", "192.0.2.2"]), false),
            (RecordType::Aaaa, list(&["2001:db8::1"]), list(&["2001:0db8::0:1"]), true),
            (RecordType::Cname, list(&["Paris.example.net"]), list(&["paris.example.net."]), true),
            (RecordType::Cname, list(&["paris.example.net"]), list(&["tokyo.example.net"]), false),
            (RecordType::Txt, list(&["\"Epoch\""]), list(&["\"epoch\""]), false),
        ];
        for (kind, left, right, same) in table {
            assert_eq!(same_values(kind, &left, &right), same, "{left:?} {right:?}");
        }
    }
}
