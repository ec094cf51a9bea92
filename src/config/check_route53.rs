//! The rules between the keys of a record at Route 53, and of what moves with it.

use std::collections::BTreeSet;

use super::checked::Provider;
use super::raw::{RawConfig, RawRecord, RawService, RawSite};
use super::read::Sheet;
use super::route53::RawMore;
use crate::types::{RecordName, RecordType, SiteName};

/// Notes every broken rule.
pub(super) fn check(sheet: &Sheet<'_>, raw: &RawConfig) {
    for service in &raw.services {
        let Some(record) = &service.record else { continue };
        check_aliases(sheet, service, record);
        check_more(sheet, service, record);
    }
    check_names(sheet, raw);
}

fn check_aliases(sheet: &Sheet<'_>, service: &RawService, record: &RawRecord) {
    let is_route53 = matches!(record.provider, Some(Provider::Route53(_)) | None);
    let own = service.sites.iter().filter(|site| site.alias_zone_id.is_some());
    for site in own {
        let key = format!("{}.alias_zone_id", site.key);
        if !is_route53 {
            sheet.problem(&key, "belongs to provider route53 only", "remove it");
        } else if record.kind == Some(RecordType::Cname) {
            sheet.problem(&key, NO_ALIAS, ALIAS_HINT);
        }
    }
    for more in record.more_records.iter().filter(|more| more.kind == Some(RecordType::Cname)) {
        for target in more.targets.iter().filter(|target| target.value.alias_zone_id.is_some()) {
            sheet.problem(&format!("{}.alias_zone_id", target.key), NO_ALIAS, ALIAS_HINT);
        }
    }
}

const NO_ALIAS: &str = "makes an alias of a CNAME record";
const ALIAS_HINT: &str = "write type: A or AAAA, or remove it";

fn check_more(sheet: &Sheet<'_>, service: &RawService, record: &RawRecord) {
    for more in &record.more_records {
        if let Some(name) = &more.name {
            check_name(sheet, more, name);
        }
        check_sites(sheet, more, &service.sites);
    }
    check_kinds(sheet, record);
}

fn check_name(sheet: &Sheet<'_>, more: &RawMore, name: &RecordName) {
    if name.as_str().starts_with("_redrover.") {
        let key = format!("{}.name", more.key);
        sheet.problem(&key, "begins with _redrover, where fences live", "choose another name");
    }
    for target in more.targets.iter().filter(|_| more.kind == Some(RecordType::Cname)) {
        if target.value.dns_target == name.as_str() {
            let key = format!("{}.dns_target", target.key);
            sheet.problem(&key, "is the record itself, an alias to nowhere", "name the site's own address");
        }
    }
}

/// A further record holds one target for each site of the service: what does not move would be left behind.
fn check_sites(sheet: &Sheet<'_>, more: &RawMore, sites: &[RawSite]) {
    let key = format!("{}.sites", more.key);
    let known: BTreeSet<&SiteName> = sites.iter().filter_map(|site| site.datacenter.as_ref()).collect();
    let mut named = BTreeSet::new();
    for target in &more.targets {
        let site = &target.value.site;
        let key = format!("{}.datacenter", target.key);
        if !known.contains(site) {
            sheet.problem(&key, format!("{site} is no site of this service"), "name a site, or remove it");
        } else if !named.insert(site) {
            sheet.problem(&key, format!("{site} is named twice"), "keep one of the two");
        }
    }
    let missing: Vec<&str> = known.difference(&named).map(|site| site.as_str()).collect();
    if !missing.is_empty() && sheet.is_sound(&key) {
        let reason = format!("has no target for {}", missing.join(", "));
        sheet.problem(&key, reason, "add one for every site: this record moves with the others");
    }
}

/// Within a service every name and type is there once, and a CNAME is alone at its name.
fn check_kinds(sheet: &Sheet<'_>, record: &RawRecord) {
    let mut seen: Vec<(&RecordName, RecordType)> = record.name.iter().zip(record.kind).collect();
    for more in &record.more_records {
        let (Some(name), Some(kind)) = (&more.name, more.kind) else { continue };
        let beside = seen.iter().filter(|(other, _)| *other == name).map(|(_, kind)| *kind);
        let kinds: Vec<RecordType> = beside.collect();
        if kinds.contains(&kind) {
            let reason = format!("{name} {} is there already", kind.as_str());
            sheet.problem(&format!("{}.name", more.key), reason, "give each its own");
        } else if !kinds.is_empty() && (kind == RecordType::Cname || kinds.contains(&RecordType::Cname)) {
            let reason = format!("{name} would hold a CNAME beside another record");
            sheet.problem(&format!("{}.type", more.key), reason, "use A and AAAA there");
        }
        seen.push((name, kind));
    }
}

/// No name belongs to two services: each would undo what the other does.
fn check_names(sheet: &Sheet<'_>, raw: &RawConfig) {
    for (position, service) in raw.services.iter().enumerate() {
        for more in service.record.iter().flat_map(|record| &record.more_records) {
            let Some(name) = &more.name else { continue };
            let others = raw.services.iter().enumerate().filter(|(other, _)| *other != position);
            // Two further records of one name are noted once, at the second.
            let taken = others.filter_map(|(other, service)| Some((other, service.record.as_ref()?)));
            let owner = taken.into_iter().find(|(other, record)| {
                let further = record.more_records.iter().any(|more| more.name.as_ref() == Some(name));
                record.name.as_ref() == Some(name) || (further && *other < position)
            });
            if let Some((other, _)) = owner {
                let reason = format!("{name} belongs to services[{other}] too");
                sheet.problem(&format!("{}.name", more.key), reason, "give each service its own names");
            }
        }
    }
}
