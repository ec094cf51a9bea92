//! One name and type of a service, between the service's shape and lines. Pure.

use aws_sdk_route53::types::{AliasTarget, ResourceRecord, ResourceRecordSet, RrType};

use crate::act::dns::DnsError;
use crate::act::dns::quoted::{Escapes, quote, unquote};
use crate::act::dns::wire::{self, Kind};
use crate::types::{Line, RecordName, RecordType, ResourceSet};

/// Where a record or the fence stands: its name and type, and how to say it to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Whether the service's set is of this name and type.
    pub(super) fn is(&self, set: &ResourceRecordSet) -> bool {
        *set.r#type() == self.rr_type() && RecordName::new(set.name()).is_ok_and(|name| name == self.name)
    }

    /// The service's set as lines of the record `at`, with its time to live, which an alias lacks. Only what can be
    /// compared and swapped as a whole is read.
    pub(super) fn lines(
        &self,
        at: Option<&(RecordName, RecordType)>,
        set: &ResourceRecordSet,
    ) -> Result<(Vec<Line>, Option<u32>), DnsError> {
        let refuse = |why: &str| {
            let detail = format!("the {} set of {} {why}", self.rr_type().as_str(), self.name);
            Err(DnsError::Misconfigured { detail })
        };
        let group = match (set.set_identifier(), set.weight()) {
            (None, _) => None,
            (Some(id), Some(weight)) if !id.contains(' ') => match u8::try_from(weight) {
                Ok(weight) => Some((id.to_owned(), weight)),
                Err(_) => return refuse(&format!("has the weight {weight}")),
            },
            (Some(id), _) => {
                return refuse(&format!("has a routing policy other than weights (set identifier {id:?})"));
            }
        };
        if set.health_check_id().is_some() || set.traffic_policy_instance_id().is_some() {
            return refuse("is tied to a health check or traffic policy; take that away");
        }
        let line =
            |alias: Option<String>, value: String| Line { at: at.cloned(), set: group.clone(), alias, value };
        if let Some(target) = set.alias_target() {
            if target.evaluate_target_health() {
                return refuse("is an alias that evaluates its target's health; switch that off");
            }
            let value = self.normal_name(target.dns_name());
            return Ok((vec![line(Some(target.hosted_zone_id().to_owned()), value)], None));
        }
        let Some(ttl_seconds) = set.ttl().and_then(|ttl| u32::try_from(ttl).ok()) else {
            return refuse("has no TTL");
        };
        let values =
            set.resource_records().iter().map(|record| line(None, self.normal_value(record.value())));
        let values: Vec<Line> = values.collect();
        if values.is_empty() { refuse("has no values") } else { Ok((values, Some(ttl_seconds))) }
    }

    /// The text set of a fence.
    pub(super) fn fence(&self, set: &ResourceRecordSet) -> Result<ResourceSet, DnsError> {
        let (lines, ttl) = self.lines(None, set)?;
        match ttl {
            Some(ttl_seconds) if lines.iter().all(|line| line.set.is_none()) => {
                Ok(ResourceSet { ttl_seconds, values: lines.into_iter().map(|line| line.value).collect() })
            }
            Some(_) | None => {
                Err(DnsError::Misconfigured { detail: format!("{} is no simple text set", self.name) })
            }
        }
    }

    fn normal_name(&self, raw: &str) -> String {
        raw.trim_end_matches('.').to_ascii_lowercase()
    }

    fn normal_value(&self, raw: &str) -> String {
        match self.kind {
            Kind::Record(RecordType::Cname) => self.normal_name(raw),
            Kind::Record(RecordType::A) => {
                raw.parse::<std::net::Ipv4Addr>().map_or_else(|_| raw.to_owned(), |a| a.to_string())
            }
            Kind::Record(RecordType::Aaaa) => {
                raw.parse::<std::net::Ipv6Addr>().map_or_else(|_| raw.to_owned(), |a| a.to_string())
            }
            Kind::Text => unquote(raw, Escapes::Octal),
        }
    }

    /// One set of ours as the service shall hold it.
    pub(super) fn made(&self, key: &Key, set: &ResourceSet) -> Result<ResourceRecordSet, DnsError> {
        let bad = |detail: String| DnsError::Misconfigured { detail };
        let build = ResourceRecordSet::builder().name(self.name.as_str()).r#type(self.rr_type());
        let build = match &key.group {
            Some((id, weight)) => build.set_identifier(id).weight(i64::from(*weight)),
            None => build,
        };
        let build = match &key.alias {
            Some(zone) => build.alias_target(self.alias(zone, set)?),
            None => {
                wire::records(&self.name, self.kind, set).map_err(|error| bad(error.to_string()))?;
                let record = |value: &String| {
                    let value =
                        if self.kind == Kind::Text { quote(value, Escapes::Octal) } else { value.clone() };
                    ResourceRecord::builder().value(value).build().map_err(|error| bad(wire::chain(&error)))
                };
                let records = set.values.iter().map(record).collect::<Result<_, _>>()?;
                build.ttl(i64::from(set.ttl_seconds)).set_resource_records(Some(records))
            }
        };
        build.build().map_err(|error| bad(wire::chain(&error)))
    }

    fn alias(&self, zone: &str, set: &ResourceSet) -> Result<AliasTarget, DnsError> {
        let bad = |detail: String| DnsError::Misconfigured { detail };
        let mut names = set.values.iter();
        let (Some(name), None) = (names.next(), names.next()) else {
            return Err(bad(format!(
                "an alias at {} has {} targets instead of one",
                self.name,
                set.values.len()
            )));
        };
        RecordName::new(name.as_str())
            .map_err(|error| bad(format!("the target of an alias, {name:?}, {error}")))?;
        let target = AliasTarget::builder().hosted_zone_id(zone).dns_name(name).evaluate_target_health(false);
        target.build().map_err(|error| bad(wire::chain(&error)))
    }
}

/// What makes lines of one place lines of one set.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The member of a weighted group, and its weight.
    pub(super) group: Option<(String, u8)>,
    /// The hosted zone of an alias's target.
    pub(super) alias: Option<String>,
}
