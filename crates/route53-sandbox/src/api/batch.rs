//! The document of ChangeResourceRecordSets, from XML to checked changes.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::records::{Alias, DnsName, RecordSet, RecordType, SetKey};
use crate::zone::{Action, Change, Refusal};

use super::reply::NAMESPACE;

const ROOT: &str = "ChangeResourceRecordSetsRequest";
const TTL_SECONDS_MAX: i64 = 2_147_483_647;
const WEIGHT_MAX: i64 = 255;
const SET_IDENTIFIER_CHARACTERS_MAX: usize = 128;

/// A change batch.
#[derive(Debug)]
pub struct Batch {
    /// The comment, kept for GetChange.
    pub comment: Option<String>,
    /// The changes, in the order of the document.
    pub changes: Vec<Change>,
}

impl Batch {
    /// Reads the document.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let malformed = || Refusal::MalformedInput(format!("ChangeBatch is not valid, expected {ROOT}"));
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        if root(text).as_deref() != Some(ROOT) {
            return Err(malformed());
        }
        let document: Document = quick_xml::de::from_str(text)
            .map_err(|error| Refusal::InvalidInput(format!("Invalid XML ; {error}")))?;
        if document.namespace.as_deref() != Some(NAMESPACE) {
            return Err(malformed());
        }
        let raw = document.batch.changes.changes;
        if raw.is_empty() {
            return Err(Refusal::InvalidInput(
                "Invalid XML ; cvc-complex-type.2.4.b: The content of element 'Changes' is not complete."
                    .to_owned(),
            ));
        }
        let changes = raw.into_iter().map(RawChange::check).collect::<Result<_, _>>()?;
        Ok(Self { comment: document.batch.comment, changes })
    }
}

/// The name of the root element.
fn root(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        let event = reader.read_event().ok()?;
        if let Event::Start(start) = &event {
            return String::from_utf8(start.local_name().as_ref().to_vec()).ok();
        }
        if matches!(event, Event::Eof) {
            return None;
        }
    }
}

#[derive(Debug, Deserialize)]
struct Document {
    #[serde(rename = "@xmlns")]
    namespace: Option<String>,
    #[serde(rename = "ChangeBatch")]
    batch: RawBatch,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawBatch {
    comment: Option<String>,
    changes: RawChanges,
}

#[derive(Debug, Deserialize)]
struct RawChanges {
    #[serde(rename = "Change", default)]
    changes: Vec<RawChange>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawChange {
    action: String,
    resource_record_set: RawSet,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawSet {
    name: String,
    r#type: String,
    set_identifier: Option<String>,
    weight: Option<i64>,
    #[serde(rename = "TTL")]
    ttl_seconds: Option<i64>,
    resource_records: Option<RawValues>,
    alias_target: Option<RawAlias>,
    cidr_routing_config: Option<IgnoredAny>,
    failover: Option<IgnoredAny>,
    geo_location: Option<IgnoredAny>,
    geo_proximity_location: Option<IgnoredAny>,
    health_check_id: Option<IgnoredAny>,
    multi_value_answer: Option<IgnoredAny>,
    region: Option<IgnoredAny>,
    traffic_policy_instance_id: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawAlias {
    hosted_zone_id: String,
    #[serde(rename = "DNSName")]
    dns_name: String,
    evaluate_target_health: bool,
}

#[derive(Debug, Deserialize)]
struct RawValues {
    #[serde(rename = "ResourceRecord", default)]
    records: Vec<RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawValue {
    value: String,
}

impl RawChange {
    fn check(self) -> Result<Change, Refusal> {
        let place = format!(
            "Change with [Action={}, Name={}, Type={}, SetIdentifier={}]",
            self.action,
            self.resource_record_set.name,
            self.resource_record_set.r#type,
            self.resource_record_set.set_identifier.as_deref().unwrap_or("null"),
        );
        let invalid = |problem: &str| Refusal::InvalidInput(format!("Invalid request: {problem} in {place}"));
        let action = Action::parse(&self.action).ok_or_else(|| invalid("Unknown value of field 'Action'"))?;
        let raw = self.resource_record_set;
        if let Some(field) = raw.not_imitated() {
            return Err(invalid(&format!("route53-sandbox does not imitate field '{field}'")));
        }
        let kind = RecordType::parse(&raw.r#type).ok_or_else(|| {
            invalid("route53-sandbox imitates A, AAAA, CNAME, NS, SOA and TXT only, not the type")
        })?;
        let name = DnsName::parse(&raw.name)
            .map_err(|error| Refusal::InvalidChangeBatch(vec![error.to_string()]))?;
        let weight = match raw.weight {
            None => None,
            Some(weight @ 0..=WEIGHT_MAX) => u8::try_from(weight).ok(),
            Some(_) => return Err(invalid("Field 'Weight' is not between 0 and 255")),
        };
        match (&raw.set_identifier, weight) {
            (None, Some(_)) => return Err(invalid("Missing field 'SetIdentifier'")),
            (Some(_), None) => {
                return Err(invalid(
                    "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, \
                     CidrRoutingConfig, or GeoProximityLocation], but found none",
                ));
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        if raw
            .set_identifier
            .as_ref()
            .is_some_and(|text| text.is_empty() || text.chars().count() > SET_IDENTIFIER_CHARACTERS_MAX)
        {
            return Err(invalid("Field 'SetIdentifier' is not 1 to 128 characters long"));
        }
        let values: Vec<_> = raw
            .resource_records
            .map_or_else(Vec::new, |raw| raw.records)
            .into_iter()
            .map(|raw| raw.value)
            .collect();
        let alias = raw.alias_target.map(RawAlias::check).transpose()?;
        let ttl = match (raw.ttl_seconds, values.is_empty(), &alias) {
            (Some(ttl), false, None) => ttl,
            (None, true, Some(_)) => 0,
            (None | Some(_), _, None) => return Err(invalid(&expected("none"))),
            (None | Some(_), _, Some(_)) => return Err(invalid(&expected("more than one"))),
        };
        let ttl_seconds = match ttl {
            0..=TTL_SECONDS_MAX => u32::try_from(ttl).unwrap_or(u32::MAX),
            _ => return Err(invalid("Field 'TTL' is not between 0 and 2147483647")),
        };
        let key = SetKey { name, kind, set_identifier: raw.set_identifier };
        Ok(Change { action, set: RecordSet { key, weight, ttl_seconds, values, alias } })
    }
}

/// What makes a set a set: values, or a target.
fn expected(found: &str) -> String {
    format!(
        "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but \
         found {found}"
    )
}

impl RawAlias {
    fn check(self) -> Result<Alias, Refusal> {
        let target = DnsName::parse(&self.dns_name)
            .map_err(|error| Refusal::InvalidChangeBatch(vec![error.to_string()]))?;
        Ok(Alias { zone_id: self.hosted_zone_id, target, evaluates_health: self.evaluate_target_health })
    }
}

impl RawSet {
    /// Names a field that means something to the service and nothing to the sandbox: ignoring it would be a lie.
    fn not_imitated(&self) -> Option<&'static str> {
        [
            ("CidrRoutingConfig", self.cidr_routing_config.is_some()),
            ("Failover", self.failover.is_some()),
            ("GeoLocation", self.geo_location.is_some()),
            ("GeoProximityLocation", self.geo_proximity_location.is_some()),
            ("HealthCheckId", self.health_check_id.is_some()),
            ("MultiValueAnswer", self.multi_value_answer.is_some()),
            ("Region", self.region.is_some()),
            ("TrafficPolicyInstanceId", self.traffic_policy_instance_id.is_some()),
        ]
        .into_iter()
        .find_map(|(field, present)| present.then_some(field))
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
