//! All sets of a service in a zone, between the service's shape and the normal form of the record. Pure.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::types::{Change, ChangeAction, ResourceRecordSet};

use super::place::{Key, Place};
use crate::act::dns::wire::{self, Kind};
use crate::act::dns::{DnsError, RecordChange};
use crate::types::{Line, RecordName, RecordState, RecordType, ResourceSet};

/// All places of one service in a zone.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The record, and those that move with it; the first is the record itself.
    pub(super) records: Vec<Place>,
    /// The fence.
    pub(super) fence: Place,
    /// The time to live of a record that is all aliases, which have none.
    pub(super) ttl_seconds: u32,
}

/// The sets as the service spelled them at the last read: a DELETE must repeat its spelling, not ours.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spelling {
    /// The sets of each place, in the order of [`Places::records`].
    pub(super) records: Vec<Vec<ResourceRecordSet>>,
    /// The fence.
    pub(super) fence: Option<ResourceRecordSet>,
}

impl Places {
    fn at(&self, position: usize) -> Option<(RecordName, RecordType)> {
        let place = &self.records[position];
        match place.kind {
            Kind::Record(kind) if position > 0 => Some((place.name.clone(), kind)),
            Kind::Record(_) | Kind::Text => None,
        }
    }

    fn position(&self, at: Option<&(RecordName, RecordType)>) -> Option<usize> {
        let Some((name, kind)) = at else { return Some(0) };
        let is_it = |place: &Place| place.name == *name && place.kind == Kind::Record(*kind);
        self.records.iter().skip(1).position(is_it).map(|position| position + 1)
    }

    /// What was read, in normal form.
    pub(super) fn normal(&self, spelling: &Spelling) -> Result<RecordState, DnsError> {
        let (mut lines, mut ttl) = (BTreeSet::new(), None);
        for (position, sets) in spelling.records.iter().enumerate() {
            let at = self.at(position);
            for set in sets {
                let (found, its_ttl) = self.records[position].lines(at.as_ref(), set)?;
                // Clients see the whole move when the slowest set has moved.
                ttl = ttl.max(its_ttl);
                lines.extend(found.into_iter().map(|line| line.to_string()));
            }
        }
        let ttl_seconds = ttl.unwrap_or(self.ttl_seconds);
        let record = (!lines.is_empty()).then_some(ResourceSet { ttl_seconds, values: lines });
        let fence = spelling.fence.as_ref().map(|set| self.fence.fence(set)).transpose()?;
        Ok(RecordState { record, fence })
    }

    /// The batch of a change. Every set is always in it, an unchanged one as DELETE and CREATE of the same, so that the
    /// service compares them all.
    pub(super) fn batch(&self, change: &RecordChange, spelling: &Spelling) -> Result<Vec<Change>, DnsError> {
        let (old, new) = (&change.expected, &change.wanted);
        let seen = self.normal(spelling).ok();
        let mut changes = Vec::new();
        let record =
            seen.as_ref().filter(|seen| seen.record == old.record).map(|_| spelling.records.concat());
        let fence = seen.as_ref().filter(|seen| seen.fence == old.fence);
        let fence = fence.map(|_| spelling.fence.iter().cloned().collect());
        self.pair((old.record.as_ref(), new.record.as_ref()), record, |set| self.sets(set), &mut changes)?;
        let text = |set: &ResourceSet| Ok(vec![self.fence.made(&Key::default(), set)?]);
        self.pair((old.fence.as_ref(), new.fence.as_ref()), fence, text, &mut changes)?;
        if changes.is_empty() {
            return Err(DnsError::Misconfigured { detail: "the change names no set at all".to_owned() });
        }
        Ok(changes)
    }

    /// A batch that needs the right to create and delete every set, and must be refused: the fence that it deletes first
    /// holds a text that nobody has written.
    pub(super) fn trial(&self, nonce: &str) -> Result<Vec<Change>, DnsError> {
        let text = ResourceSet::single(0, format!("trial of a right, never written: {nonce}"));
        let mut sets = vec![self.fence.made(&Key::default(), &text)?];
        for place in &self.records {
            let value = match place.kind {
                Kind::Record(RecordType::Cname) => "trial.invalid",
                Kind::Record(RecordType::A) => "192.0.2.1",
                Kind::Record(RecordType::Aaaa) => "2001:db8::1",
                Kind::Text => continue,
            };
            sets.push(place.made(&Key::default(), &ResourceSet::single(0, value))?);
        }
        let mut changes = Vec::with_capacity(2 * sets.len());
        for set in sets {
            changes.push(change(&ChangeAction::Delete, set.clone())?);
            changes.push(change(&ChangeAction::Create, set)?);
        }
        Ok(changes)
    }

    fn pair(
        &self,
        (old, new): (Option<&ResourceSet>, Option<&ResourceSet>),
        spelled: Option<Vec<ResourceRecordSet>>,
        made: impl Fn(&ResourceSet) -> Result<Vec<ResourceRecordSet>, DnsError>,
        changes: &mut Vec<Change>,
    ) -> Result<(), DnsError> {
        let held = match (old, new) {
            (None, None) => return Ok(()),
            (Some(_), None) => {
                return Err(DnsError::Misconfigured {
                    detail: "a change may not leave a set empty".to_owned(),
                });
            }
            (None, Some(_)) => Vec::new(),
            (Some(old), Some(_)) => spelled.map_or_else(|| made(old), Ok)?,
        };
        let wanted = match new {
            Some(_) if old == new => held.clone(),
            Some(new) => made(new)?,
            None => Vec::new(),
        };
        for set in held {
            changes.push(change(&ChangeAction::Delete, set)?);
        }
        for set in wanted {
            changes.push(change(&ChangeAction::Create, set)?);
        }
        Ok(())
    }

    /// The lines of a record as the service's sets.
    fn sets(&self, set: &ResourceSet) -> Result<Vec<ResourceRecordSet>, DnsError> {
        if set.values.is_empty() {
            // The check of the values says so.
            return self.records[0].made(&Key::default(), set).map(|set| vec![set]);
        }
        let grouped = self.grouped(set)?;
        let made = |(place, sets): (&Place, &BTreeMap<Key, ResourceSet>)| {
            sets.iter().map(|(key, set)| place.made(key, set)).collect::<Vec<_>>()
        };
        self.records.iter().zip(&grouped).flat_map(made).collect()
    }

    /// The sets of each place.
    fn grouped(&self, set: &ResourceSet) -> Result<Vec<BTreeMap<Key, ResourceSet>>, DnsError> {
        let mut sets: Vec<BTreeMap<Key, ResourceSet>> = vec![BTreeMap::new(); self.records.len()];
        for text in &set.values {
            let line = Line::parse(text);
            let position = self.position(line.at.as_ref()).ok_or_else(|| DnsError::Misconfigured {
                detail: format!("{text:?} is not of a record of this service"),
            })?;
            let key = Key { group: line.set, alias: line.alias };
            let empty = ResourceSet { ttl_seconds: set.ttl_seconds, values: BTreeSet::new() };
            sets[position].entry(key).or_insert(empty).values.insert(line.value);
        }
        Ok(sets)
    }

    /// What a name server can answer for each place while the zone holds `held`: of a weighted group one of those that
    /// have weight, and of a group without any weight each.
    pub(super) fn members(&self, held: &ResourceSet) -> Vec<Vec<Member>> {
        let grouped = self.grouped(held).unwrap_or_default();
        let weight = |key: &Key| key.group.as_ref().map_or(1, |(_, weight)| *weight);
        let of_place = |sets: BTreeMap<Key, ResourceSet>| {
            let has_weight = sets.keys().any(|key| weight(key) > 0);
            let answers = sets.into_iter().filter(|(key, _)| weight(key) > 0 || !has_weight);
            answers.map(|(key, set)| Member { alias: key.alias, values: set.values }).collect()
        };
        grouped.into_iter().map(of_place).collect()
    }

    /// A value that a name server answers for a place, as a line.
    pub(super) fn line(&self, position: usize, value: String) -> Line {
        Line { at: self.at(position), ..Line::plain(value) }
    }
}

fn change(action: &ChangeAction, set: ResourceRecordSet) -> Result<Change, DnsError> {
    let built = Change::builder().action(action.clone()).resource_record_set(set).build();
    built.map_err(|error| DnsError::Misconfigured { detail: wire::chain(&error) })
}

/// A set that a name server can answer.
pub(super) struct Member {
    /// The hosted zone of its target, which is answered for, where it is an alias.
    pub(super) alias: Option<String>,
    /// Its values.
    pub(super) values: BTreeSet<String>,
}
