//! A record at Amazon Route 53: where it is, and what moves with it in one change.

use std::collections::{BTreeMap, BTreeSet};

use super::checked::Site;
use super::raw::Placed;
use super::read::{Item, Section, Value, Wrong, choice, http_url, integer, named, text, word};
use super::service::dns_target;
use crate::types::{Line, RecordName, RecordType, SiteName};

/// The largest weight that the service takes.
const WEIGHT_MAX: u64 = 255;
/// Most further records of one service; all that moves must fit into one change.
const MORE_RECORDS_MAX: usize = 50;
/// Longest external id, as the token service has it.
const EXTERNAL_ID_BYTES_MAX: usize = 1224;
/// Longest name of a role in full.
const ARN_BYTES_MAX: usize = 2048;
/// Digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;
/// The types of a record, as the file writes them.
pub(super) const KINDS: [(&str, RecordType); 3] =
    [("CNAME", RecordType::Cname), ("A", RecordType::A), ("AAAA", RecordType::Aaaa)];

/// Where the record lives at Route 53, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route53 {
    /// The hosted zone's id.
    pub zone_id: String,
    /// A private zone that holds the same, for the networks that see it instead of the public one.
    pub private_zone_id: Option<String>,
    /// Another endpoint than Amazon's.
    pub endpoint: Option<url::Url>,
    /// The signing region.
    pub region: String,
    /// The role to take on with the credentials that are found.
    pub assume_role: Option<AssumeRole>,
    /// The weight of the active site's set, where every site has a set of its own in a weighted group; the others have 0.
    pub weight: Option<u8>,
    /// What moves with the record.
    pub more_records: Vec<MoreRecord>,
    /// The hosted zones of the sites whose target is written as an alias.
    pub alias_zone_ids: BTreeMap<SiteName, String>,
}

/// A role that the credentials may take on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// Its name in full, `arn:aws:iam::123456789012:role/redrover`.
    pub arn: String,
    /// What its owner asks for besides, against mix-ups between customers.
    pub external_id: Option<String>,
}

/// A further record that moves with the service's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoreRecord {
    /// Its name; may be the service's own, with another type.
    pub name: RecordName,
    /// Its type.
    pub kind: RecordType,
    /// What it holds for each site; one for every site of the service.
    pub targets: Vec<MoreTarget>,
}

/// What a further record holds while a site is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoreTarget {
    /// The site.
    pub site: SiteName,
    /// The value, in the normal form of a record's values.
    pub dns_target: String,
    /// The hosted zone of the target, where it is written as an alias.
    pub alias_zone_id: Option<String>,
}

impl Route53 {
    /// What the record holds while `active` is the active one of `sites`, as lines.
    pub(super) fn values_of(&self, sites: &[Site], active: &SiteName) -> BTreeSet<String> {
        let own = sites.iter().map(|site| {
            let alias = self.alias_zone_ids.get(&site.name).cloned();
            (None, &site.name, Line { alias, ..Line::plain(&site.dns_target) })
        });
        let further = self.more_records.iter().flat_map(|more| {
            let at = || Some((more.name.clone(), more.kind));
            more.targets.iter().map(move |target| {
                let alias = target.alias_zone_id.clone();
                (at(), &target.site, Line { alias, ..Line::plain(&target.dns_target) })
            })
        });
        let line = |(at, site, line): (_, &SiteName, Line)| {
            let is_active = site == active;
            let set = self.weight.map(|weight| (site.to_string(), if is_active { weight } else { 0 }));
            (is_active || set.is_some()).then(|| Line { at, set, ..line }.to_string())
        };
        own.chain(further).filter_map(line).collect()
    }
}

/// A further record as the file has it.
pub(super) struct RawMore {
    pub(super) key: String,
    pub(super) name: Option<RecordName>,
    pub(super) kind: Option<RecordType>,
    pub(super) targets: Vec<Placed<MoreTarget>>,
}

/// Reads what belongs to this provider in a `record` block, but for the further records.
pub(super) fn read(record: &Section<'_>) -> Option<Route53> {
    let public = record.required("zone_id", "zone_id: Z0123456789", zone_id);
    let private = record.optional("private_zone_id", zone_id);
    if public.is_some() && public == private {
        let key = record.key_of("private_zone_id");
        record.sheet.problem(&key, "is the public zone itself", "name the private zone, or remove it");
    }
    let endpoint = record.optional("endpoint", http_url);
    let region = record.or("region", "us-east-1".to_owned(), word(32, "-"));
    let role = record.item("assume_role").map(|item| assume_role(&item));
    let weight = record.optional("weight", integer(1..=WEIGHT_MAX));
    Some(Route53 {
        zone_id: public?,
        private_zone_id: private,
        endpoint,
        region,
        assume_role: role.flatten(),
        weight: weight.and_then(|weight| u8::try_from(weight).ok()),
        more_records: Vec::new(),
        alias_zone_ids: BTreeMap::new(),
    })
}

fn assume_role(item: &Item<'_>) -> Option<AssumeRole> {
    let section = item.section(&["arn", "external_id"])?;
    let arn = section.required("arn", "arn: arn:aws:iam::123456789012:role/redrover", role_arn);
    let external_id = section.optional("external_id", word(EXTERNAL_ID_BYTES_MAX, "_+=,.@:/-"));
    Some(AssumeRole { arn: arn?, external_id })
}

/// The name of a role: partition, account and path.
fn role_arn(value: &Value) -> Result<String, Wrong> {
    let arn = text(value)?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_good = match parts[..] {
        ["arn", partition, "iam", "", account, role] => {
            partition.starts_with("aws")
                && account.len() == ACCOUNT_DIGITS
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
                && arn.len() <= ARN_BYTES_MAX
                && !arn.contains(char::is_whitespace)
        }
        _ => false,
    };
    let hint = "write it as arn:aws:iam::123456789012:role/redrover";
    if is_good { Ok(arn.to_owned()) } else { Err(Wrong::new("is not the ARN of a role", hint)) }
}

/// Reads the further records of a `record` block.
pub(super) fn more_records(record: &Section<'_>) -> Vec<RawMore> {
    let Some(item) = record.item("more_records") else { return Vec::new() };
    let items = item.items().unwrap_or_default();
    if items.len() > MORE_RECORDS_MAX {
        let reason = format!("has more than {MORE_RECORDS_MAX} records");
        record.sheet.problem(&item.key, reason, "describe them as services of their own");
        return Vec::new();
    }
    items.iter().filter_map(more_record).collect()
}

fn more_record(item: &Item<'_>) -> Option<RawMore> {
    let section = item.section(&["name", "type", "sites"])?;
    let name = section.required("name", "name: cache.example.com", named(|t| RecordName::new(t)));
    let kind = section.required("type", "type: CNAME", choice(&KINDS));
    let example = "sites: [{datacenter: dc-a, dns_target: …}, …]";
    let items = section.required_item("sites", example).and_then(|item| item.items());
    let targets = items.unwrap_or_default().iter().filter_map(|item| more_target(item, kind)).collect();
    Some(RawMore { key: section.key.clone(), name, kind, targets })
}

fn more_target(item: &Item<'_>, kind: Option<RecordType>) -> Option<Placed<MoreTarget>> {
    let section = item.section(&["datacenter", "dns_target", "alias_zone_id"])?;
    let alias_zone_id = alias_zone_id(&section);
    let site = section.required("datacenter", "datacenter: dc-a", named(|t| SiteName::new(t)));
    let is_alias = section.item("alias_zone_id").is_some();
    let dns_target = section
        .required("dns_target", "dns_target: redis-a.example.com", |value| dns_target(value, kind, is_alias));
    let value = MoreTarget { site: site?, dns_target: dns_target?, alias_zone_id };
    Some(Placed { key: section.key.clone(), value })
}

/// Reads the hosted zone of a target that is written as an alias.
pub(super) fn alias_zone_id(section: &Section<'_>) -> Option<String> {
    section.optional("alias_zone_id", zone_id)
}

/// The id of a hosted zone: at most 32 capital letters and digits.
fn zone_id(value: &Value) -> Result<String, Wrong> {
    let id = text(value)?;
    let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if id.len() <= 32 && id.chars().all(good) {
        return Ok(id.to_owned());
    }
    let hint = "write the id alone, such as Z0123456789, without /hostedzone/";
    Err(Wrong::new("is not the id of a hosted zone", hint))
}
