//! Databases, and the links by which they receive the writes of others.

use super::raw::{Database, Each, Loose, Source, Stats};
use super::sheet::{Labels, Sheet};
use crate::monitor::catalog::enterprise as to;

/// Kinds of requests.
const KINDS: [&str; 3] = ["read", "write", "other"];
/// Longest time that a link may say it is behind, in milliseconds; what is more is no measurement.
const LAG_MS_MAX: f64 = 30.0 * 86_400_000.0;

/// A database that the cluster names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub uid: u32,
    pub id: String,
    pub name: String,
    /// A member of an Active-Active database: only of those the lag may be asked.
    pub is_member: bool,
}

impl Named {
    /// A database's number and name, if it has a number.
    pub fn of(database: &Database) -> Option<Self> {
        let id = database.uid.id()?;
        let uid = id.parse().ok()?;
        let name = database.name.text().unwrap_or_default().to_owned();
        Some(Self { uid, id, name, is_member: database.crdt.flag() == Some(true) })
    }

    /// Its labels.
    pub fn labels(&self) -> [(&'static str, &str); 2] {
        [("database", &self.id), ("name", &self.name)]
    }
}

/// What a cluster says of a database, its statistics apart.
pub(super) fn database(sheet: &mut Sheet, named: &Named, database: &Database) {
    let labels = named.labels();
    if let Some(status) = database.status.text() {
        sheet.number(&to::DATABASE_STATUS, &[labels[0], labels[1], ("status", status)], Some(1.0), 1.0);
    }
    sheet.number(&to::DATABASE_MEMORY_LIMIT, &labels, database.memory_size.number(), 1.0);
    sheet.number(&to::DATABASE_SHARDS, &labels, database.shards_count.number(), 1.0);
    sheet.flag(&to::DATABASE_REPLICATED, &labels, database.replication.flag());
    sheet.flag(&to::DATABASE_TRAFFIC_STOPPED, &labels, database.traffic_manually_disabled.flag());
    let (kind, state, sources) = if named.is_member {
        ("active-active", &database.crdt_sync, &database.crdt_sources)
    } else {
        ("replica-of", &database.replica_sync, &database.replica_sources)
    };
    let sources = sources.as_deref().unwrap_or_default();
    if sources.is_empty() {
        return;
    }
    let is_wanted = state.text().map(|state| state == "enabled");
    sheet.flag(&to::SYNC_ENABLED, &[labels[0], labels[1], ("kind", kind)], is_wanted);
    for source in sources {
        let uid = source.uid.id().unwrap_or_default();
        link(sheet, &[labels[0], labels[1], ("kind", kind), ("source", &uid)], source);
    }
}

/// One link. Its lag counts only while it is in sync; out of sync, the time of the last change says how old the copy is.
fn link(sheet: &mut Sheet, labels: Labels<'_>, source: &Source) {
    let status = source.status.text();
    let is = |word: &str| status.map(|status| status == word);
    sheet.flag(&to::LINK_IN_SYNC, labels, is("in-sync"));
    sheet.flag(&to::LINK_SYNCING, labels, is("syncing"));
    let lag = source.lag.number().filter(|ms| is("in-sync") == Some(true) && (0.0..=LAG_MS_MAX).contains(ms));
    sheet.number(&to::LINK_LAG, labels, lag, 1e-3);
    sheet.number(&to::LINK_UPDATED, labels, source.last_update.moment(), 1.0);
}

/// The latest statistics of databases. Latency comes in microseconds, and not at all without traffic.
pub(super) fn stats(sheet: &mut Sheet, named: &[Named], databases: &Each<Stats>) {
    for named in named {
        let Some(stats) = databases.get(&named.id) else { continue };
        of_one(sheet, &named.labels(), stats);
    }
}

fn of_one(sheet: &mut Sheet, labels: &[(&'static str, &str); 2], stats: &Stats) {
    let said = |name: &str| stats.get(name).and_then(Loose::number);
    let with = |label| [labels[0], labels[1], label];
    for (spec, name) in [
        (&to::DATABASE_MEMORY, "used_memory"),
        (&to::DATABASE_KEYS, "no_of_keys"),
        (&to::DATABASE_KEYS_EXPIRING, "no_of_expires"),
        (&to::DATABASE_CONNECTIONS, "conns"),
        (&to::DATABASE_CONNECTED, "total_connections_received"),
        (&to::DATABASE_EVICTED, "evicted_objects"),
        (&to::DATABASE_EXPIRED, "expired_objects"),
        (&to::DATABASE_FRAGMENTATION, "mem_frag_ratio"),
    ] {
        sheet.number(spec, labels, said(name), 1.0);
    }
    for kind in KINDS {
        let kind_label = with(("kind", kind));
        sheet.number(&to::DATABASE_REQUESTS, &kind_label, said(&format!("{kind}_req")), 1.0);
        sheet.number(&to::DATABASE_LATENCY, &kind_label, said(&format!("avg_{kind}_latency")), 1e-6);
    }
    for (direction, name) in [("in", "ingress_bytes"), ("out", "egress_bytes")] {
        sheet.number(&to::DATABASE_NETWORK, &with(("direction", direction)), said(name), 1.0);
    }
    for (result, kind) in [("hit", "hits"), ("miss", "misses")] {
        for operation in ["read", "write"] {
            let labels = [labels[0], labels[1], ("operation", operation), ("result", result)];
            sheet.number(&to::DATABASE_LOOKUPS, &labels, said(&format!("{operation}_{kind}")), 1.0);
        }
    }
    for part in ["shard", "main_thread", "fork"] {
        let spent = [format!("{part}_cpu_user"), format!("{part}_cpu_system")].map(|name| said(&name));
        let cores = spent[0].zip(spent[1]).map(|(user, system)| user + system);
        sheet.number(&to::DATABASE_CPU, &with(("part", part)), cores, 1.0);
    }
}
