//! Nodes and shards.

use super::raw::{Each, NodeStatus, Shard, Stats};
use super::sheet::Sheet;
use crate::monitor::catalog::enterprise as to;

/// Shares of a node's processors, by what they were spent on.
const MODES: [&str; 7] = ["idle", "user", "system", "iowait", "irqs", "nice", "steal"];

/// The states of nodes.
pub(super) fn status(sheet: &mut Sheet, nodes: &Each<NodeStatus>) {
    for (node, status) in nodes {
        let labels = [("node", node.as_str())];
        let is = |text: Option<&str>, word: &str| text.map(|text| text == word);
        sheet.flag(&to::NODE_UP, &labels, is(status.node_status.text(), "active"));
        sheet.flag(&to::NODE_MASTER, &labels, is(status.role.text(), "master"));
        sheet.flag(&to::NODE_MAINTENANCE, &labels, Some(status.maintenance_snapshot.is_there()));
        if let Some(version) = status.software_version.text() {
            sheet.number(&to::NODE_INFO, &[labels[0], ("version", version)], Some(1.0), 1.0);
        }
        sheet.number(&to::NODE_MEMORY, &labels, status.total_memory.number(), 1.0);
        sheet.number(&to::NODE_MEMORY_FREE, &labels, status.free_ram.number(), 1.0);
        sheet.number(&to::NODE_MEMORY_PROVISIONAL, &labels, status.free_provisional_ram.number(), 1.0);
    }
}

/// The latest statistics of nodes. Latency comes in microseconds, and not at all without traffic.
pub(super) fn stats(sheet: &mut Sheet, nodes: &Each<Stats>) {
    for (node, stats) in nodes {
        let node = ("node", node.as_str());
        let said = |name: &str| stats.get(name).and_then(super::raw::Loose::number);
        for mode in MODES {
            sheet.number(&to::NODE_CPU, &[node, ("mode", mode)], said(&format!("cpu_{mode}")), 1.0);
        }
        for kind in ["persistent", "ephemeral"] {
            let free = said(&format!("{kind}_storage_avail"));
            sheet.number(&to::NODE_STORAGE, &[node, ("storage", kind)], free, 1.0);
        }
        for (direction, name) in [("in", "ingress_bytes"), ("out", "egress_bytes")] {
            sheet.number(&to::NODE_NETWORK, &[node, ("direction", direction)], said(name), 1.0);
        }
        sheet.number(&to::NODE_CONNECTIONS, &[node], said("conns"), 1.0);
        sheet.number(&to::NODE_REQUESTS, &[node], said("total_req"), 1.0);
        sheet.number(&to::NODE_LATENCY, &[node], said("avg_latency"), 1e-6);
    }
}

/// The states of shards.
pub(super) fn shards(sheet: &mut Sheet, shards: &[Shard]) {
    for shard in shards {
        let (Some(uid), Some(database)) = (shard.uid.id(), shard.bdb_uid.id()) else { continue };
        let node = shard.node_uid.id().unwrap_or_default();
        let labels = [("shard", uid.as_str()), ("database", database.as_str()), ("node", node.as_str())];
        let is_well =
            shard.detailed_status.text().or(shard.status.text()).map(|s| s == "ok" || s == "active");
        sheet.flag(&to::SHARD_UP, &labels, is_well);
        sheet.flag(&to::SHARD_PRIMARY, &labels, shard.role.text().map(|role| role == "master"));
    }
}

/// The latest statistics of shards.
pub(super) fn shard_stats(sheet: &mut Sheet, shards: &Each<Stats>) {
    for (shard, stats) in shards {
        let labels = [("shard", shard.as_str())];
        let said = |name: &str| stats.get(name).and_then(super::raw::Loose::number);
        sheet.number(&to::SHARD_MEMORY, &labels, said("used_memory"), 1.0);
        sheet.number(&to::SHARD_KEYS, &labels, said("no_of_keys"), 1.0);
        sheet.number(&to::SHARD_REQUESTS, &labels, said("total_req"), 1.0);
        sheet.number(&to::SHARD_BLOCKED, &labels, said("blocked_clients"), 1.0);
    }
}
