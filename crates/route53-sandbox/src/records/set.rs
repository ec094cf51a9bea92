//! One resource record set, its key, and the table of a zone.

use std::collections::BTreeMap;

use super::{DnsName, RecordType, same_values};

/// What makes a set the same set: name, type and SetIdentifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetKey {
    /// The name.
    pub name: DnsName,
    /// The type.
    pub kind: RecordType,
    /// The identifier among weighted sets; `None` for a simple set.
    pub set_identifier: Option<String>,
}

impl SetKey {
    /// The key before all others of a name.
    pub fn first_of(name: DnsName) -> Self {
        Self { name, kind: RecordType::A, set_identifier: None }
    }
}

/// Where an alias leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The hosted zone of the target.
    pub zone_id: String,
    /// The target.
    pub target: DnsName,
    /// Whether the target's health decides; the sandbox keeps it and does nothing about it.
    pub evaluates_health: bool,
}

/// One resource record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// The identity.
    pub key: SetKey,
    /// The weight of a weighted set.
    pub weight: Option<u8>,
    /// Time to live, seconds; 0 for an alias, which has none.
    pub ttl_seconds: u32,
    /// The values as they were submitted; none for an alias.
    pub values: Vec<String>,
    /// Where the set leads, if it is an alias.
    pub alias: Option<Alias>,
}

impl RecordSet {
    /// Whether a DELETE that carries `self` names the set `current` in all its properties.
    pub fn matches(&self, current: &Self) -> bool {
        self.key == current.key
            && self.weight == current.weight
            && self.ttl_seconds == current.ttl_seconds
            && self.alias == current.alias
            && same_values(self.key.kind, &self.values, &current.values)
    }
}

/// The sets of a zone, in the order of ListResourceRecordSets.
#[derive(Debug, Clone, Default)]
pub struct Records(BTreeMap<SetKey, RecordSet>);

impl Records {
    /// The set of a key.
    pub fn get(&self, key: &SetKey) -> Option<&RecordSet> {
        self.0.get(key)
    }

    /// Puts a set, and gives back what it replaced.
    pub fn put(&mut self, set: RecordSet) -> Option<RecordSet> {
        self.0.insert(set.key.clone(), set)
    }

    /// Takes a set out.
    pub fn remove(&mut self, key: &SetKey) -> Option<RecordSet> {
        self.0.remove(key)
    }

    /// All sets from a key on.
    pub fn starting_at(&self, key: SetKey) -> impl Iterator<Item = &RecordSet> {
        self.0.range(key..).map(|(_, set)| set)
    }

    /// All sets.
    pub fn iter(&self) -> impl Iterator<Item = &RecordSet> {
        self.0.values()
    }

    /// The sets of one name.
    pub fn at<'a>(&'a self, name: &'a DnsName) -> impl Iterator<Item = &'a RecordSet> {
        self.starting_at(SetKey::first_of(name.clone())).take_while(move |set| set.key.name == *name)
    }

    /// Whether the name holds a set, or some name below it does.
    pub fn exists(&self, name: &DnsName) -> bool {
        self.starting_at(SetKey::first_of(name.clone())).next().is_some_and(|set| set.key.name.is_in(name))
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
