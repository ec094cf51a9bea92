//! The rules of a change batch: every change is checked against the state that the changes before it leave, and the
//! result is used only when all of them passed.

use std::collections::BTreeMap;
use std::fmt;

use crate::records::{DnsName, RecordSet, RecordType, Records, SetKey, rdata, same_values};

use super::limits;

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Makes a set that must not exist.
    Create,
    /// Removes a set that must be exactly as stated.
    Delete,
    /// Makes or replaces a set.
    Upsert,
}

impl Action {
    /// The action as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Upsert => "UPSERT",
        }
    }

    /// Reads an action.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Delete, Self::Upsert].into_iter().find(|action| action.as_str() == text)
    }
}

/// One change of a batch.
#[derive(Debug, Clone)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// With which set.
    pub set: RecordSet,
}

/// What one change did to the zone.
#[derive(Debug, Clone)]
pub struct Effect {
    /// What was asked.
    pub action: Action,
    /// The set's identity.
    pub key: SetKey,
    /// The set before.
    pub before: Option<RecordSet>,
    /// The set after.
    pub after: Option<RecordSet>,
}

/// Which zone a batch is for.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Its name.
    pub name: &'a DnsName,
    /// Its id.
    pub id: &'a str,
}

/// Applies a batch to a copy of the records: the new records and the effects, or every complaint.
pub fn evaluate(
    zone: Ground<'_>,
    records: &Records,
    changes: &[Change],
) -> Result<(Records, Vec<Effect>), Vec<String>> {
    if let Some(limit) = limits::passed(changes) {
        return Err(vec![limit]);
    }
    let mut working = records.clone();
    let mut earlier: BTreeMap<&SetKey, Action> = BTreeMap::new();
    let (mut effects, mut complaints) = (Vec::new(), Vec::new());
    for change in changes {
        let sequence = earlier.insert(&change.set.key, change.action);
        let found = complaint(zone, &working, change).or_else(|| bad_sequence(sequence, change));
        if let Some(complaint) = found {
            complaints.push(complaint);
            continue;
        }
        let (before, after) = match change.action {
            Action::Create | Action::Upsert => (working.put(change.set.clone()), Some(change.set.clone())),
            Action::Delete => (working.remove(&change.set.key), None),
        };
        effects.push(Effect { action: change.action, key: change.set.key.clone(), before, after });
    }
    complaints.extend(changes.iter().filter_map(|change| other_ttl(&working, change)));
    if complaints.is_empty() { Ok((working, effects)) } else { Err(complaints) }
}

/// A set may occur once in a batch, or twice as DELETE and then CREATE.
fn bad_sequence(earlier: Option<Action>, change: &Change) -> Option<String> {
    let allowed = match (earlier, change.action) {
        (None, _) | (Some(Action::Delete), Action::Create) => true,
        (Some(Action::Create | Action::Upsert), _)
        | (Some(Action::Delete), Action::Delete | Action::Upsert) => false,
    };
    (!allowed).then(|| {
        let SetKey { name, kind, .. } = &change.set.key;
        format!("The request contains an invalid set of changes for a resource record set '{kind} {name}'")
    })
}

fn complaint(ground: Ground<'_>, records: &Records, change: &Change) -> Option<String> {
    let (name, zone) = (&change.set.key.name, ground.name);
    if !name.is_in(zone) {
        return Some(format!("RRSet with DNS name {name} is not permitted in zone {zone}"));
    }
    bad_type(zone, change).or_else(|| bad_values(&change.set)).or_else(|| {
        let current = records.get(&change.set.key);
        let tried = Tried(&change.set.key);
        match (change.action, current) {
            (Action::Delete, None) => Some(format!("Tried to delete resource record set {tried} but it was not found")),
            (Action::Delete, Some(current)) => (!change.set.matches(current)).then(|| {
                format!("Tried to delete resource record set {tried} but the values provided do not match the current values")
            }),
            (Action::Create, Some(_)) => {
                Some(format!("Tried to create resource record set {tried} but it already exists"))
            }
            (Action::Create, None) | (Action::Upsert, _) => {
                conflict(zone, records, &change.set.key).or_else(|| bad_alias(ground, records, &change.set))
            }
        }
    })
}

/// The apex sets belong to the zone; delegations are outside what the sandbox imitates.
fn bad_type(zone: &DnsName, change: &Change) -> Option<String> {
    let SetKey { name, kind, .. } = &change.set.key;
    match (kind, change.action) {
        (RecordType::Soa, _) => Some("A HostedZone must contain exactly one SOA record.".to_owned()),
        (RecordType::Ns, Action::Delete) if name == zone => {
            Some("A HostedZone must contain at least one NS record for the zone itself.".to_owned())
        }
        (RecordType::Ns, _) => Some("route53-sandbox does not imitate changes of NS records".to_owned()),
        (RecordType::Cname, Action::Create | Action::Upsert) if name == zone => {
            Some(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"))
        }
        (RecordType::A | RecordType::Aaaa | RecordType::Cname | RecordType::Txt, _) => None,
    }
}

fn bad_values(set: &RecordSet) -> Option<String> {
    let SetKey { name, kind, .. } = &set.key;
    if let Some(error) = set.values.iter().find_map(|value| rdata(*kind, value).err()) {
        return Some(format!("Invalid Resource Record: {error}"));
    }
    let repeated = set.values.iter().enumerate().find(|(index, value)| {
        set.values[..*index]
            .iter()
            .any(|earlier| same_values(*kind, std::slice::from_ref(earlier), std::slice::from_ref(*value)))
    });
    if let Some((_, value)) = repeated {
        return Some(format!("Duplicate Resource Record: '{value}'"));
    }
    (*kind == RecordType::Cname && set.values.len() > 1)
        .then(|| format!("RRSet of type CNAME with DNS name {name} contains more than one resource record"))
}

/// An alias to a name of its own zone leads to a set of its own type. Other zones are not known here.
fn bad_alias(zone: Ground<'_>, records: &Records, set: &RecordSet) -> Option<String> {
    let alias = set.alias.as_ref().filter(|alias| alias.zone_id == zone.id)?;
    let why = if !alias.target.is_in(zone.name) {
        "the alias target name does not lie within the target zone"
    } else if !records.at(&alias.target).any(|target| target.key.kind == set.key.kind) {
        "that target was not found"
    } else {
        return None;
    };
    let (target, kind, id) = (&alias.target, set.key.kind, zone.id);
    Some(format!("Tried to create an alias that targets {target}, type {kind} in zone {id}, but {why}"))
}

/// What else at the name forbids the set.
fn conflict(zone: &DnsName, records: &Records, key: &SetKey) -> Option<String> {
    let SetKey { name, kind, set_identifier } = key;
    for other in records.at(name).map(|set| &set.key) {
        if other.kind != *kind && *kind == RecordType::Cname {
            return Some(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with \
                 the same DNS name in zone {zone}"
            ));
        }
        if other.kind != *kind && other.kind == RecordType::Cname {
            return Some(format!(
                "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type \
                 CNAME with the same DNS name already exists in zone {zone}"
            ));
        }
        if other.kind != *kind {
            continue;
        }
        match (set_identifier, &other.set_identifier) {
            (None, Some(_)) => {
                return Some(format!(
                    "RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same \
                     name and type."
                ));
            }
            (Some(identifier), None) => {
                return Some(format!(
                    "RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} cannot be created as a \
                     non-weighted set exists with the same name and type."
                ));
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
    None
}

/// All sets of a weighted group share one TTL; checked at the end, so that one batch may move the whole group.
fn other_ttl(records: &Records, change: &Change) -> Option<String> {
    let SetKey { name, kind, set_identifier } = &change.set.key;
    let identifier = set_identifier.as_ref().filter(|_| change.set.alias.is_none())?;
    // An alias has no TTL.
    let differs = |set: &RecordSet| {
        set.key.kind == *kind && set.alias.is_none() && set.ttl_seconds != change.set.ttl_seconds
    };
    let present = records.get(&change.set.key) == Some(&change.set);
    (present && records.at(name).any(differs)).then(|| {
        format!(
            "RRSet with DNS name {name} and type {kind}, SetIdentifier {identifier} cannot be created as weighted \
             sets must contain the same TTL."
        )
    })
}

/// `[name='db.example.test.', type='CNAME']`
struct Tried<'a>(&'a SetKey);

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SetKey { name, kind, set_identifier } = self.0;
        write!(f, "[name='{name}', type='{kind}'")?;
        if let Some(identifier) = set_identifier {
            write!(f, ", set identifier='{identifier}'")?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
