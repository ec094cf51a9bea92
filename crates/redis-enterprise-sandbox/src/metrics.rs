//! The metrics of the second generation: cluster-wide from any node, in the units of the real ones.

use std::fmt::Write as _;

use crate::world::{Cluster, Database, World};

/// The page of a cluster, or of one of its nodes.
pub fn page(world: &World, cluster: usize, only: Option<u32>) -> String {
    let cluster = &world.clusters[cluster];
    let mut page = String::new();
    cluster_part(world, cluster, only, &mut page);
    databases_part(world, cluster, &mut page);
    links_part(world, cluster, &mut page);
    shards_part(world, cluster, only, &mut page);
    page
}

/// One family; a line cannot fail to be written to a text.
fn family(page: &mut String, name: &str, kind: &str, lines: impl Iterator<Item = (String, f64)>) {
    let _ = writeln!(page, "# TYPE {name} {kind}");
    for (labels, value) in lines {
        let _ = writeln!(page, "{name}{{{labels}}} {value}");
    }
}

fn cluster_part(world: &World, cluster: &Cluster, only: Option<u32>, page: &mut String) {
    let fqdn = &cluster.fqdn;
    let up = || cluster.nodes.iter().filter(|node| node.is_up && only.is_none_or(|uid| uid == node.uid));
    let watchdog =
        |uid: u32| format!("cluster=\"{fqdn}\",cluster_wd=\"{uid}\",exporter=\"cluster_wd\",node=\"{uid}\"");
    let has_quorum = f64::from(u8::from(cluster.has_majority()));
    let _ = writeln!(page, "# HELP has_quorum Quorum as seen by the local cluster watchdog");
    let quorum = |uid: u32| format!("{},has_witness_disk=\"False\"", watchdog(uid));
    family(page, "has_quorum", "gauge", up().map(|node| (quorum(node.uid), has_quorum)));
    let leads = |uid: u32| f64::from(u8::from(cluster.master == Some(uid)));
    family(page, "is_primary", "gauge", up().map(|node| (watchdog(node.uid), leads(node.uid))));
    let live = cluster.nodes.iter().filter(|node| node.is_up).count();
    let master = || up().filter(|node| cluster.master == Some(node.uid)).map(|node| watchdog(node.uid));
    family(page, "total_nodes_count", "gauge", master().map(|labels| (labels, cluster.nodes.len() as f64)));
    family(page, "total_live_nodes_count", "gauge", master().map(|labels| (labels, live as f64)));
    let left_ms = cluster.license_until_unix_ms as f64 - world.unix_ms(world.now) as f64;
    let days = (left_ms / 86_400_000.0).floor();
    let license = std::iter::once((format!("cluster=\"{fqdn}\""), days));
    family(page, "license_expiration_days", "gauge", license);
    let node = |uid: u32| format!("cluster=\"{fqdn}\",node=\"{uid}\"");
    let reached = cluster.nodes.iter().map(|n| (node(n.uid), f64::from(u8::from(n.is_up))));
    family(page, "node_metrics_up", "gauge", reached);
}

fn databases_part(world: &World, cluster: &Cluster, page: &mut String) {
    let fqdn = &cluster.fqdn;
    let databases = || cluster.databases.iter();
    let plain = |database: &Database| format!("cluster=\"{fqdn}\",db=\"{}\"", database.uid);
    let status = |d: &Database| f64::from(d.shown_status(world.variants.recovery_is_shown).number());
    family(page, "db_status", "gauge", databases().map(|d| (plain(d), status(d))));
    let limits = databases().map(|d| (plain(d), d.memory_size as f64));
    family(page, "db_memory_limit_bytes", "gauge", limits);
    let proxied = |database: &Database| {
        let node = database.endpoint_node;
        format!("{},exporter=\"proxy\",node=\"{node}\",proxy=\"{node}\"", plain(database))
    };
    // Counters, though their names do not end as those of counters do.
    for (name, count) in [
        ("endpoint_client_connections", (|d| d.counts.connections) as fn(&Database) -> u64),
        ("endpoint_read_requests", |d| d.counts.reads),
        ("endpoint_write_requests", |d| d.counts.writes),
        ("endpoint_other_requests", |d| d.counts.others),
    ] {
        family(page, name, "counter", databases().map(|d| (proxied(d), count(d) as f64)));
    }
    let name = "endpoint_read_requests_latency_histogram";
    let _ = writeln!(page, "# TYPE {name} histogram");
    for database in databases().filter(|database| !database.is_idle) {
        let (labels, reads) = (proxied(database), database.counts.reads);
        for bound in ["64", "256", "+Inf"] {
            let _ = writeln!(page, "{name}_bucket{{{labels},le=\"{bound}\"}} {reads}");
        }
        let _ = writeln!(page, "{name}_sum{{{labels}}} {}", reads * 40);
        let _ = writeln!(page, "{name}_count{{{labels}}} {reads}");
    }
}

fn links_part(world: &World, cluster: &Cluster, page: &mut String) {
    let links = || {
        let of = |database: &'_ Database| {
            let kind = if database.crdt.is_some() { "crdt" } else { "replicaof" };
            let blind_ms =
                if kind == "crdt" { world.timing.link_blind_ms } else { world.timing.copy_blind_ms };
            let each = database.sync.sources.iter().map(move |source| {
                let labels = format!(
                    "cluster=\"{}\",exporter=\"net_store\",node=\"1\",source_id=\"{}\",syncer_type=\"{kind}\",\
                     target_db_id=\"{}\"",
                    cluster.fqdn, source.uid, database.uid
                );
                let is_lost = source.is_lost(world.now, blind_ms);
                (labels, is_lost, source.lag_ms(world.now, world.timing.link_delay_ms) as f64)
            });
            each.collect::<Vec<_>>()
        };
        cluster.databases.iter().flat_map(of)
    };
    let status = links().map(|(labels, is_lost, _)| (labels, f64::from(u8::from(is_lost))));
    family(page, "database_syncer_current_status", "gauge", status);
    // Each series twice, as a real page was seen to have them.
    let lags = links().flat_map(|(labels, _, lag)| [(labels.clone(), lag), (labels, lag)]);
    family(page, "database_syncer_lag_ms", "gauge", lags);
}

fn shards_part(world: &World, cluster: &Cluster, only: Option<u32>, page: &mut String) {
    let shards = || {
        let of = |database: &'_ Database| {
            let database_uid = database.uid;
            let shards = database.shards.iter().filter(|s| only.is_none_or(|uid| uid == s.node));
            let each = shards.map(move |shard| {
                let role = if shard.is_primary { "master" } else { "slave" };
                let labels = format!(
                    "cluster=\"{}\",db=\"{database_uid}\",exporter=\"redis\",node=\"{}\",redis=\"{}\",\
                     role=\"{role}\",slots=\"{}-{}\",status=\"active\"",
                    cluster.fqdn, shard.node, shard.uid, shard.slots.0, shard.slots.1
                );
                let link = match (shard.is_primary, shard.lost_since) {
                    (true, _) => 3.0,
                    (false, None) => 1.0,
                    (false, Some(_)) => 2.0,
                };
                (labels, f64::from(u8::from(shard.lost_since.is_none())), link)
            });
            each.collect::<Vec<_>>()
        };
        cluster.databases.iter().flat_map(of)
    };
    family(page, "redis_server_up", "gauge", shards().map(|(labels, up, _)| (labels, up)));
    let _ = writeln!(page, "# HELP redis_server_master_link_status 1 up 2 down 3 none 99 unknown");
    let links = shards().map(|(labels, _, link)| (labels, link));
    family(page, "redis_server_master_link_status", "gauge", links);
    let _ = writeln!(page, "# sandbox time {}", world.now);
}
