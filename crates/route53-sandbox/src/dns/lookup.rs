//! What the zone says to a question.

use std::collections::BTreeMap;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, Record};

use crate::records::{DnsName, RecordSet, RecordType, Records, SetKey, rdata};

/// Longer chains of aliases are cut, as a resolver would.
const ALIASES_MAX: usize = 8;

/// The sections of an answer.
#[derive(Debug, PartialEq)]
pub struct Lookup {
    /// `NOERROR`, `NXDOMAIN` or `REFUSED`.
    pub code: ResponseCode,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section: the SOA of an empty answer.
    pub authorities: Vec<Record>,
}

/// How often each weighted group was asked for; the turn decides which member answers.
#[derive(Debug, Default)]
pub struct Turns(BTreeMap<(DnsName, RecordType), u64>);

/// Answers a question; a `kind` of `None` is a type that the zone cannot hold.
pub fn lookup(
    records: &Records,
    zone: &DnsName,
    turns: &mut Turns,
    name: &DnsName,
    kind: Option<RecordType>,
) -> Lookup {
    if !name.is_in(zone) {
        return Lookup { code: ResponseCode::Refused, answers: Vec::new(), authorities: Vec::new() };
    }
    let mut answers = Vec::new();
    let mut asked = name.clone();
    for _ in 0..=ALIASES_MAX {
        let Some(owner) = owner(records, zone, &asked) else {
            return Lookup { code: ResponseCode::NXDomain, answers, authorities: soa(records, zone) };
        };
        if let Some(found) = kind.and_then(|kind| choose(records, turns, &owner, kind)) {
            answers.extend(followed(records, turns, &asked, found));
            if answers.is_empty() {
                return Lookup { code: ResponseCode::NoError, answers, authorities: soa(records, zone) };
            }
            return Lookup { code: ResponseCode::NoError, answers, authorities: Vec::new() };
        }
        let alias = choose(records, turns, &owner, RecordType::Cname);
        let chain = alias.map(|set| wire(&asked, set)).unwrap_or_default();
        let target = chain.first().and_then(alias_target);
        answers.extend(chain);
        match target {
            Some(target) if target.is_in(zone) => asked = target,
            // The resolver follows a target outside the zone itself.
            Some(_) => return Lookup { code: ResponseCode::NoError, answers, authorities: Vec::new() },
            None => return Lookup { code: ResponseCode::NoError, answers, authorities: soa(records, zone) },
        }
    }
    Lookup { code: ResponseCode::NoError, answers, authorities: Vec::new() }
}

/// The name whose sets answer: the name itself, or the wildcard of its closest existing ancestor.
fn owner(records: &Records, zone: &DnsName, name: &DnsName) -> Option<DnsName> {
    if records.exists(name) {
        return Some(name.clone());
    }
    let mut ancestor = name.parent()?;
    while ancestor.is_in(zone) && !records.exists(&ancestor) {
        ancestor = ancestor.parent()?;
    }
    let wildcard = ancestor.wildcard();
    let found = ancestor.is_in(zone) && records.at(&wildcard).next().is_some();
    found.then_some(wildcard)
}

/// The set that answers: the only one, or the member of the weighted group whose turn it is.
fn choose<'a>(
    records: &'a Records,
    turns: &mut Turns,
    name: &DnsName,
    kind: RecordType,
) -> Option<&'a RecordSet> {
    let start = SetKey { name: name.clone(), kind, set_identifier: None };
    let group: Vec<_> =
        records.starting_at(start).take_while(|set| set.key.name == *name && set.key.kind == kind).collect();
    if group.len() < 2 {
        return group.first().copied();
    }
    // A group of zeros is a group of equals; beside other weights a zero is never chosen.
    let all_zero = group.iter().all(|set| set.weight.unwrap_or(0) == 0);
    let weight = |set: &RecordSet| if all_zero { 1 } else { u64::from(set.weight.unwrap_or(0)) };
    let total: u64 = group.iter().map(|set| weight(set)).sum();
    let turn = turns.0.entry((name.clone(), kind)).or_default();
    let mut position = *turn % total;
    *turn = turn.wrapping_add(1);
    for set in group {
        let weight = weight(set);
        if position < weight {
            return Some(set);
        }
        position -= weight;
    }
    None
}

/// The records of a set. An alias of the service answers, under its own name, what its target holds; a target outside the
/// zone has nothing here.
fn followed(records: &Records, turns: &mut Turns, owner: &DnsName, set: &RecordSet) -> Vec<Record> {
    let mut set = set.clone();
    for _ in 0..=ALIASES_MAX {
        let Some(alias) = &set.alias else { return wire(owner, &set) };
        match choose(records, turns, &alias.target, set.key.kind) {
            Some(target) => set = target.clone(),
            None => return Vec::new(),
        }
    }
    Vec::new()
}

fn wire(owner: &DnsName, set: &RecordSet) -> Vec<Record> {
    let Some(name) = owner.to_wire() else { return Vec::new() };
    // A foreign edit may have put a value that no message can carry.
    let data = set.values.iter().filter_map(|value| rdata(set.key.kind, value).ok());
    data.map(|data| Record::from_rdata(name.clone(), set.ttl_seconds, data)).collect()
}

fn alias_target(record: &Record) -> Option<DnsName> {
    if let RData::CNAME(target) = &record.data { Some(DnsName::from_wire(&target.0)) } else { None }
}

fn soa(records: &Records, zone: &DnsName) -> Vec<Record> {
    let key = SetKey { name: zone.clone(), kind: RecordType::Soa, set_identifier: None };
    records.get(&key).map(|set| wire(zone, set)).unwrap_or_default()
}

#[cfg(test)]
#[path = "lookup_tests.rs"]
mod tests;
