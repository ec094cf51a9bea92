//! One page of ListResourceRecordSets.

use crate::records::{DnsName, RecordSet, RecordType, Records, SetKey};

/// Where a page starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// The first name.
    pub name: DnsName,
    /// The first type at that name.
    pub kind: Option<RecordType>,
    /// The first identifier of that type.
    pub set_identifier: Option<String>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// The sets.
    pub sets: Vec<RecordSet>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<SetKey>,
}

impl Page {
    /// Cuts a page of at most `sets_max` sets.
    pub fn cut(records: &Records, start: Option<&Start>, sets_max: usize) -> Self {
        let mut sets: Vec<_> = match start {
            None => records.iter().take(sets_max + 1).cloned().collect(),
            Some(start) => {
                let mut key = SetKey::first_of(start.name.clone());
                if let Some(kind) = start.kind {
                    key.kind = kind;
                    key.set_identifier.clone_from(&start.set_identifier);
                }
                records.starting_at(key).take(sets_max + 1).cloned().collect()
            }
        };
        let next = if sets.len() > sets_max { sets.pop().map(|set| set.key) } else { None };
        Self { sets, next }
    }
}
