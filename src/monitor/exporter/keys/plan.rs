//! What of a server's keys to look at: the configuration's wishes and a caller's, by database.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{KeyCheck, KeyCheckKind, KeyScope, Keys};
use crate::monitor::info::InfoReply;

/// What to look at.
pub(in crate::monitor::exporter) struct Plan<'a> {
    /// By the number of the database.
    pub databases: BTreeMap<u32, Tasks<'a>>,
    /// The limits, and the groups.
    pub keys: &'a Keys,
    /// Whether the server is a replica in a cluster, which tells of its keys only to those who say that they only read.
    pub is_cluster_replica: bool,
}

/// What to look at in one database, each thing once.
#[derive(Default)]
pub(in crate::monitor::exporter) struct Tasks<'a> {
    /// Single keys and streams, and patterns.
    pub checks: BTreeSet<(KeyCheckKind, &'a str)>,
    /// Whether its keys are counted by group.
    pub groups: bool,
}

impl<'a> Plan<'a> {
    /// The plan for a server with this INFO; `None` where there is nothing to do.
    pub fn new(keys: &'a Keys, more: &'a [KeyCheck], info: &InfoReply) -> Option<Self> {
        let is_replica = info.get("role") == Some("slave");
        let is_meant = match keys.scope {
            KeyScope::Replicas => is_replica,
            KeyScope::All => matches!(info.get("role"), Some("slave" | "master")),
        };
        if !is_meant {
            return None;
        }
        let mut databases: BTreeMap<u32, Tasks<'a>> = BTreeMap::new();
        for check in keys.checks.iter().chain(more) {
            databases.entry(check.database).or_default().checks.insert((check.kind, &check.pattern));
        }
        if !keys.groups.is_empty() {
            for (name, _) in info.section("Keyspace") {
                if let Some(number) = name.strip_prefix("db").and_then(|digits| digits.parse().ok()) {
                    databases.entry(number).or_default().groups = true;
                }
            }
        }
        let is_cluster_replica = is_replica && info.get("cluster_enabled") == Some("1");
        let has_work = !databases.is_empty() || !keys.groups.is_empty();
        has_work.then_some(Self { databases, keys, is_cluster_replica })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KeyGroup;

    fn info(role: &str) -> InfoReply {
        let text = format!("# Server\na:1\n# Replication\nrole:{role}\n# Keyspace\ndb0:keys=1\ndb3:keys=2\n");
        InfoReply::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_replicas_are_looked_at_unless_told_otherwise() {
        let more = KeyCheck::of_parameter("check-keys", "db1=a*,db1=a*,db1=b").unwrap();
        let replicas = Keys::default();
        let all = Keys { scope: KeyScope::All, ..Keys::default() };
        assert!(Plan::new(&replicas, &more, &info("master")).is_none());
        assert!(Plan::new(&all, &more, &info("sentinel")).is_none());
        assert!(Plan::new(&all, &[], &info("master")).is_none(), "nothing is asked for");
        for (keys, role) in [(&replicas, "slave"), (&all, "master"), (&all, "slave")] {
            let info = info(role);
            let plan = Plan::new(keys, &more, &info).unwrap();
            assert_eq!(plan.databases.len(), 1);
            assert_eq!(plan.databases[&1].checks.len(), 2, "each once");
        }
    }

    #[test]
    fn groups_are_counted_in_every_database_that_has_keys() {
        let keys = Keys { groups: vec![KeyGroup::new("^a").unwrap()], ..Keys::default() };
        let info = info("slave");
        let plan = Plan::new(&keys, &[], &info).unwrap();
        assert_eq!(
            plan.databases.iter().map(|(n, t)| (*n, t.groups)).collect::<Vec<_>>(),
            [(0, true), (3, true)]
        );
    }
}
