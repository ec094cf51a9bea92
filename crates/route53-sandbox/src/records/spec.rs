//! A record set as options, JSON bodies and the state file write it.

use super::{Alias, DnsName, NameError, RecordSet, RecordType, SetKey};

/// A record set as text, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSpec {
    /// The name.
    pub name: String,
    /// `A`, `AAAA`, `CNAME` or `TXT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Time to live.
    #[serde(rename = "ttl", default)]
    pub ttl_seconds: u32,
    /// The values; TXT values carry their quotation marks.
    #[serde(default)]
    pub values: Vec<String>,
    /// The identifier of a weighted set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_identifier: Option<String>,
    /// The weight of a weighted set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
    /// Where an alias leads; it has neither TTL nor values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasSpec>,
}

/// The target of an alias as text, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasSpec {
    /// The hosted zone of the target.
    pub zone_id: String,
    /// The target.
    pub target: String,
    /// Whether the target's health decides.
    #[serde(default)]
    pub evaluates_health: bool,
}

/// Why a text is not a record set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordSpecError {
    /// Fewer than four fields.
    #[error("a record is written 'name type ttl value', not {0:?}")]
    Fields(String),
    /// The third field is no number.
    #[error("{0:?} is not a TTL in seconds")]
    Ttl(String),
    /// The sandbox does not imitate the type.
    #[error("type {0:?} is none of A, AAAA, CNAME, NS, SOA and TXT")]
    Kind(String),
    /// The name is not a domain name.
    #[error("{0}")]
    Name(String),
}

impl RecordSpec {
    /// A set without routing policy.
    #[must_use]
    pub fn simple<V: Into<String>>(
        name: impl Into<String>,
        kind: impl Into<String>,
        ttl_seconds: u32,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self {
            name: name.into(),
            kind: kind.into(),
            ttl_seconds,
            values,
            set_identifier: None,
            weight: None,
            alias: None,
        }
    }

    /// An alias to a name of a hosted zone.
    #[must_use]
    pub fn alias(
        name: impl Into<String>,
        kind: impl Into<String>,
        zone_id: impl Into<String>,
        target: impl Into<String>,
    ) -> Self {
        let alias = AliasSpec { zone_id: zone_id.into(), target: target.into(), evaluates_health: false };
        Self { alias: Some(alias), ..Self::simple(name, kind, 0, Vec::<String>::new()) }
    }

    /// The same set as a member of a weighted group.
    #[must_use]
    pub fn weighted(mut self, set_identifier: impl Into<String>, weight: u8) -> Self {
        self.set_identifier = Some(set_identifier.into());
        self.weight = Some(weight);
        self
    }

    /// Checks name and type; the values are left to the rules of the zone.
    pub(crate) fn to_set(&self) -> Result<RecordSet, RecordSpecError> {
        let parsed = |text: &str| {
            DnsName::parse(text).map_err(|error: NameError| RecordSpecError::Name(error.to_string()))
        };
        let name = parsed(&self.name)?;
        let alias = |alias: &AliasSpec| {
            Ok(Alias {
                zone_id: alias.zone_id.clone(),
                target: parsed(&alias.target)?,
                evaluates_health: alias.evaluates_health,
            })
        };
        let kind = RecordType::parse(&self.kind).ok_or_else(|| RecordSpecError::Kind(self.kind.clone()))?;
        Ok(RecordSet {
            key: SetKey { name, kind, set_identifier: self.set_identifier.clone() },
            weight: self.weight,
            ttl_seconds: self.ttl_seconds,
            values: self.values.clone(),
            alias: self.alias.as_ref().map(alias).transpose()?,
        })
    }
}

impl From<&RecordSet> for RecordSpec {
    fn from(set: &RecordSet) -> Self {
        Self {
            name: set.key.name.to_string(),
            kind: set.key.kind.to_string(),
            ttl_seconds: set.ttl_seconds,
            values: set.values.clone(),
            set_identifier: set.key.set_identifier.clone(),
            weight: set.weight,
            alias: set.alias.as_ref().map(|alias| AliasSpec {
                zone_id: alias.zone_id.clone(),
                target: alias.target.to_string(),
                evaluates_health: alias.evaluates_health,
            }),
        }
    }
}

impl std::str::FromStr for RecordSpec {
    type Err = RecordSpecError;

    /// Reads `name type ttl value [value ..]`; everything after the TTL of a TXT set is one value. An alias is written
    /// `name type alias zone-id target`. At the end ` #identifier=weight` makes a set a member of a weighted group.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields = || RecordSpecError::Fields(text.to_owned());
        let (whole, group) =
            match text.rsplit_once(" #").map(|(front, group)| (front, group.rsplit_once('='))) {
                Some((front, Some((identifier, weight)))) => match weight.parse() {
                    Ok(weight) => (front, Some((identifier, weight))),
                    Err(_) => (text, None),
                },
                Some((_, None)) | None => (text, None),
            };
        let mut rest = whole.trim();
        let mut field = || {
            let (first, tail) = rest.split_once(char::is_whitespace)?;
            rest = tail.trim_start();
            Some(first)
        };
        let name = field().ok_or_else(fields)?;
        let kind = field().ok_or_else(fields)?;
        let ttl = field().ok_or_else(fields)?;
        if rest.is_empty() {
            return Err(fields());
        }
        let grouped = |spec: Self| match group {
            Some((identifier, weight)) => spec.weighted(identifier, weight),
            None => spec,
        };
        if ttl == "alias" {
            let (zone_id, target) = rest.split_once(char::is_whitespace).ok_or_else(fields)?;
            return Ok(grouped(Self::alias(name, kind, zone_id, target.trim_start())));
        }
        let ttl_seconds = ttl.parse().map_err(|_| RecordSpecError::Ttl(ttl.to_owned()))?;
        let values = if kind == "TXT" { vec![rest] } else { rest.split_whitespace().collect() };
        Ok(grouped(Self::simple(name, kind, ttl_seconds, values)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_from_one_line() {
        let table = [
            ("db.a CNAME 5 paris.b", Ok(RecordSpec::simple("db.a", "CNAME", 5, ["paris.b"]))),
            (
                "db.a  A 5 192.0.2.1 192.0.2.2",
                Ok(RecordSpec::simple("db.a", "A", 5, ["192.0.2.1", "192.0.2.2"])),
            ),
            ("db.a TXT 5 \"one two\"", Ok(RecordSpec::simple("db.a", "TXT", 5, ["\"one two\""]))),
            ("db.a A alias Z1 paris.b", Ok(RecordSpec::alias("db.a", "A", "Z1", "paris.b"))),
            (
                "db.a A 5 192.0.2.1 #dc-a=100",
                Ok(RecordSpec::simple("db.a", "A", 5, ["192.0.2.1"]).weighted("dc-a", 100)),
            ),
            (
                "db.a A alias Z1 paris.b #dc-a=0",
                Ok(RecordSpec::alias("db.a", "A", "Z1", "paris.b").weighted("dc-a", 0)),
            ),
            ("db.a TXT 5 \"one #two=x\"", Ok(RecordSpec::simple("db.a", "TXT", 5, ["\"one #two=x\""]))),
            ("db.a A alias Z1", Err(RecordSpecError::Fields("db.a A alias Z1".to_owned()))),
            ("db.a CNAME 5", Err(RecordSpecError::Fields("db.a CNAME 5".to_owned()))),
            ("db.a CNAME five b", Err(RecordSpecError::Ttl("five".to_owned()))),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }
}
