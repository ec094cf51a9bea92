//! The hosted zone: what the API holds, and what DNS already serves.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::{Now, Stamp};
use crate::records::{DnsName, RecordSet, RecordType, Records, SetKey};

use super::batch::{self, Action, Change, Effect, Ground};
use super::{Page, Refusal, Start};

/// GetChange forgets changes beyond this many, oldest first.
const CHANGES_MAX: usize = 10_000;
const NS_TTL_SECONDS: u32 = 172_800;
const SOA_TTL_SECONDS: u32 = 900;

/// What does not change in the life of a zone.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The zone's name.
    pub name: DnsName,
    /// The id, without `/hostedzone/`.
    pub id: String,
    /// The delegated name servers.
    pub name_servers: Vec<DnsName>,
    /// How long a change stays `PENDING`.
    pub sync_delay: Duration,
    /// Whether a change is refused while another one is `PENDING`.
    pub strict_pending: bool,
    /// Whether it is private: it has an SOA and an NS set, but no name server that everybody reaches.
    pub is_private: bool,
    /// The end of its changes' ids, so that no two zones share one.
    pub tag: String,
}

/// What GetChange answers.
#[derive(Debug, Clone)]
pub struct ChangeInfo {
    /// The id, without `/change/`.
    pub id: String,
    /// Whether all name servers have it.
    pub status: ChangeStatus,
    /// When it was accepted.
    pub submitted_at: Stamp,
    /// The batch's comment.
    pub comment: Option<String>,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStatus {
    /// The API shows it; DNS does not.
    Pending,
    /// DNS shows it.
    Insync,
}

/// A hosted zone.
#[derive(Debug)]
pub struct Zone {
    identity: Identity,
    records: Records,
    served: Records,
    pending: VecDeque<Pending>,
    changes: BTreeMap<u64, ChangeInfo>,
    sequence: u64,
}

#[derive(Debug)]
struct Pending {
    sequence: u64,
    due: Instant,
    effects: Vec<Effect>,
}

impl Zone {
    /// A zone that serves its NS, its SOA and the given sets; `sequence` is the number of its last change.
    pub fn new(identity: Identity, sets: Vec<RecordSet>, sequence: u64) -> Self {
        let mut records = Records::default();
        for set in apex(&identity).into_iter().chain(sets) {
            records.put(set);
        }
        let served = records.clone();
        Self { identity, records, served, pending: VecDeque::new(), changes: BTreeMap::new(), sequence }
    }

    /// The identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the API holds.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The number of the last change.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What DNS serves at this moment.
    pub fn served(&mut self, now: Now) -> &Records {
        self.settle(now);
        &self.served
    }

    /// Applies a batch, all or nothing.
    pub fn submit(
        &mut self,
        changes: &[Change],
        comment: Option<String>,
        now: Now,
    ) -> Result<(ChangeInfo, Vec<Effect>), Refusal> {
        self.settle(now);
        if self.identity.strict_pending && !self.pending.is_empty() {
            return Err(Refusal::PriorRequestNotComplete);
        }
        let ground = Ground { name: &self.identity.name, id: &self.identity.id };
        let (records, effects) =
            batch::evaluate(ground, &self.records, changes).map_err(Refusal::InvalidChangeBatch)?;
        self.records = records;
        Ok((self.propagate(effects.clone(), comment, now), effects))
    }

    /// Sets or deletes one set without any rule, as some other client of the account would.
    pub fn edit(&mut self, key: SetKey, set: Option<RecordSet>, now: Now) -> (ChangeInfo, Vec<Effect>) {
        self.settle(now);
        let before = match &set {
            Some(set) => self.records.put(set.clone()),
            None => self.records.remove(&key),
        };
        let action = if set.is_some() { Action::Upsert } else { Action::Delete };
        let effects = vec![Effect { action, key, before, after: set }];
        (self.propagate(effects.clone(), None, now), effects)
    }

    /// One page of the records.
    pub fn page(&self, start: Option<&Start>, sets_max: usize) -> Page {
        Page::cut(&self.records, start, sets_max)
    }

    /// The state of a change.
    pub fn change(&mut self, id: &str, now: Now) -> Option<ChangeInfo> {
        self.settle(now);
        self.changes.values().find(|info| info.id == id).cloned()
    }

    fn propagate(&mut self, effects: Vec<Effect>, comment: Option<String>, now: Now) -> ChangeInfo {
        self.sequence += 1;
        let due = now.instant + self.identity.sync_delay;
        let info = ChangeInfo {
            id: format!("C{:016}{}", self.sequence, self.identity.tag),
            status: ChangeStatus::Pending,
            submitted_at: now.stamp,
            comment,
        };
        self.pending.push_back(Pending { sequence: self.sequence, due, effects });
        self.changes.insert(self.sequence, info.clone());
        if self.changes.len() > CHANGES_MAX {
            self.changes.pop_first();
        }
        info
    }

    fn settle(&mut self, now: Now) {
        // Only the first is looked at: changes reach DNS in the order of their submission.
        while self.pending.front().is_some_and(|first| first.due <= now.instant) {
            let Some(first) = self.pending.pop_front() else { return };
            for effect in first.effects {
                match effect.after {
                    Some(set) => self.served.put(set),
                    None => self.served.remove(&effect.key),
                };
            }
            if let Some(info) = self.changes.get_mut(&first.sequence) {
                info.status = ChangeStatus::Insync;
            }
        }
    }
}

/// The two sets with which the service creates a zone.
fn apex(identity: &Identity) -> [RecordSet; 2] {
    let servers: Vec<_> = identity.name_servers.iter().map(ToString::to_string).collect();
    let primary = servers.first().cloned().unwrap_or_else(|| identity.name.to_string());
    let soa = format!("{primary} hostmaster.{} 1 7200 900 1209600 86400", identity.name);
    let set = |kind, ttl_seconds, values| RecordSet {
        key: SetKey { name: identity.name.clone(), kind, set_identifier: None },
        weight: None,
        ttl_seconds,
        values,
        alias: None,
    };
    [set(RecordType::Ns, NS_TTL_SECONDS, servers), set(RecordType::Soa, SOA_TTL_SECONDS, vec![soa])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::RecordSpec;

    #[test]
    fn a_change_is_served_when_it_is_due_and_never_before_an_earlier_one() {
        let mut zone = zone(false);
        let start = Now::read();
        let (first, _) = zone.submit(&[create("a A 5 192.0.2.1")], None, start).unwrap();
        let (second, _) = zone.submit(&[create("b A 5 192.0.2.1")], None, at(start, 300)).unwrap();
        for (millis, served, first_status, second_status) in [
            (499, 2, ChangeStatus::Pending, ChangeStatus::Pending),
            (500, 3, ChangeStatus::Insync, ChangeStatus::Pending),
            (799, 3, ChangeStatus::Insync, ChangeStatus::Pending),
            (800, 4, ChangeStatus::Insync, ChangeStatus::Insync),
        ] {
            let now = at(start, millis);
            assert_eq!(zone.served(now).len(), served, "{millis}");
            assert_eq!(zone.change(&first.id, now).unwrap().status, first_status, "{millis}");
            assert_eq!(zone.change(&second.id, now).unwrap().status, second_status, "{millis}");
        }
    }

    #[test]
    fn strict_pending_refuses_a_second_change() {
        let mut zone = zone(true);
        let start = Now::read();
        zone.submit(&[create("a A 5 192.0.2.1")], None, start).unwrap();
        let second = [create("b A 5 192.0.2.1")];
        assert_eq!(
            zone.submit(&second, None, at(start, 499)).map(|_| ()),
            Err(Refusal::PriorRequestNotComplete)
        );
        assert!(zone.submit(&second, None, at(start, 500)).is_ok());
    }

    #[test]
    fn pages_follow_each_other() {
        let mut zone = zone(false);
        let now = Now::read();
        zone.submit(
            &[create("a A 5 192.0.2.1"), create("a TXT 5 \"x\""), create("b A 5 192.0.2.1")],
            None,
            now,
        )
        .unwrap();
        let first = zone.page(None, 3);
        let next = first.next.unwrap();
        assert_eq!(
            (first.sets.len(), next.name.to_string(), next.kind),
            (3, "a.example.test.".to_owned(), RecordType::Txt)
        );
        let start = Start { name: next.name, kind: Some(next.kind), set_identifier: None };
        let second = zone.page(Some(&start), 3);
        assert_eq!((second.sets.len(), second.next.is_none()), (2, true));
    }

    fn zone(strict_pending: bool) -> Zone {
        let identity = Identity {
            name: DnsName::parse("example.test").unwrap(),
            id: "Z0TEST".to_owned(),
            name_servers: vec![DnsName::parse("ns.example.net").unwrap()],
            sync_delay: Duration::from_millis(500),
            strict_pending,
            is_private: false,
            tag: "SANDBOX".to_owned(),
        };
        Zone::new(identity, Vec::new(), 0)
    }

    fn create(text: &str) -> Change {
        let mut spec: RecordSpec = text.parse().unwrap();
        spec.name.push_str(".example.test");
        Change { action: Action::Create, set: spec.to_set().unwrap() }
    }

    fn at(start: Now, millis: u64) -> Now {
        Now { instant: start.instant + Duration::from_millis(millis), ..start }
    }
}
