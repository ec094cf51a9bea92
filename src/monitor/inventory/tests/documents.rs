//! Documents of the API: what is said becomes series in base units, what is not said becomes nothing.

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::monitor::inventory::databases::{Named, database, stats};
use crate::monitor::inventory::raw::{Alert, Cluster, Database, Each, License, NodeStatus, Shard, Stats};
use crate::monitor::inventory::sheet::Sheet;
use crate::monitor::inventory::{nodes, whole};

fn read<T: DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("a document")
}

/// What a part of the collector writes, one text for each sample.
fn written(write: impl FnOnce(&mut Sheet)) -> Vec<String> {
    let mut sheet = Sheet::default();
    write(&mut sheet);
    let (samples, _) = sheet.finish();
    let labels = |s: &crate::types::Sample| {
        s.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    };
    let short = |metric: &'static str| metric.trim_start_matches("redis_enterprise_");
    samples.iter().map(|s| format!("{}{{{}}} {}", short(s.metric), labels(s), s.value)).collect()
}

#[test]
fn units_are_converted_and_silence_stays_silence() {
    let one: Database = read(json!({"uid": 1, "name": "d"}));
    let named = Named::of(&one).expect("it has a number");
    let said: Each<Stats> =
        read(json!({"1": {"avg_read_latency": 188.0, "avg_write_latency": null, "used_memory": 5.0,
        "shard_cpu_user": 0.25, "shard_cpu_system": 0.5, "fork_cpu_user": 0.1, "new_in_9": {"a": 1},
        "last_req_time": "1970-01-01T00:00:00Z", "conns": "7"}}));
    let found = written(|sheet| stats(sheet, std::slice::from_ref(&named), &said));
    assert_eq!(
        found,
        [
            "database_memory_used_bytes{database=1,name=d} 5",
            "database_connections{database=1,name=d} 7",
            "database_latency_seconds{database=1,name=d,kind=read} 0.000188",
            "database_cpu_cores{database=1,name=d,part=shard} 0.75",
        ]
    );
    let cluster: Cluster =
        read(json!({"name": "rc", "availability_lag_tolerance_ms": 100, "upgrade_in_progress": "off"}));
    let found = written(|sheet| whole::cluster(sheet, &cluster));
    let tolerance = "availability_lag_tolerance_seconds{} 0.1";
    assert_eq!(found, ["cluster_info{cluster=rc} 1", tolerance, "upgrade_in_progress{} 0"]);
    assert_eq!(written(|sheet| whole::cluster(sheet, &Cluster::default())), Vec::<String>::new());
    let license: License =
        read(json!({"expired": false, "expiration_date": "2027-03-02T08:14:55Z", "shards_limit": null}));
    let found = written(|sheet| whole::license(sheet, &license));
    assert_eq!(found, ["license_expired{} 0", "license_expiry_timestamp_seconds{} 1803975295"]);
}

#[test]
fn a_lag_counts_only_while_its_link_is_in_sync() {
    let source = |status: &str, lag: f64| json!({"uid": 2, "status": status, "lag": lag, "uri": "redis://:SECRET@h:1"});
    let of = |crdt: bool, state: &str, source: serde_json::Value| {
        let kind = if crdt { "crdt" } else { "replica" };
        let mut body = json!({"uid": "1", "name": "d", "crdt": crdt});
        body[format!("{kind}_sync")] = json!(state);
        body[format!("{kind}_sources")] = json!([source]);
        let one: Database = read(body);
        let named = Named::of(&one).expect("it has a number");
        written(|sheet| database(sheet, &named, &one))
    };
    let link = |name: &str, kind: &str, value: &str| {
        format!("{name}{{database=1,name=d,kind={kind},source=2}} {value}")
    };
    let found = of(true, "enabled", source("in-sync", 250.0));
    assert_eq!(found[0], "sync_enabled{database=1,name=d,kind=active-active} 1");
    let kind = "active-active";
    let wanted = [
        link("link_in_sync", kind, "1"),
        link("link_syncing", kind, "0"),
        link("link_lag_seconds", kind, "0.25"),
    ];
    assert_eq!(found[1..], wanted);
    let kind = "replica-of";
    for (state, status, enabled, in_sync, syncing) in
        [("enabled", "syncing", 1, 0, 1), ("stopped", "out-of-sync", 0, 0, 0)]
    {
        let found = of(false, state, source(status, 0.0));
        let wanted = [
            format!("sync_enabled{{database=1,name=d,kind={kind}}} {enabled}"),
            link("link_in_sync", kind, &in_sync.to_string()),
            link("link_syncing", kind, &syncing.to_string()),
        ];
        assert_eq!(found, wanted);
    }
    assert!(of(false, "enabled", source("in-sync", -1.0)).iter().all(|line| !line.contains("lag_seconds")));
    let text = format!("{:?}", of(false, "enabled", source("in-sync", 1.0)));
    assert!(!text.contains("SECRET"), "{text}");
}

#[test]
fn numbers_and_texts_are_taken_as_they_come() {
    let shards: Vec<Shard> = read(json!([
        {"uid": "3", "bdb_uid": 1, "node_uid": "2", "role": "master", "status": "active", "detailed_status": "loading"},
        {"uid": 4, "bdb_uid": "1", "role": "slave", "status": "active"}, {"role": "slave"}]));
    let found = written(|sheet| nodes::shards(sheet, &shards));
    assert_eq!(
        found,
        [
            "shard_up{shard=3,database=1,node=2} 0",
            "shard_up{shard=4,database=1,node=} 1",
            "shard_primary{shard=3,database=1,node=2} 1",
            "shard_primary{shard=4,database=1,node=} 0",
        ]
    );
    let status: Each<NodeStatus> =
        read(json!({"3": {"node_status": "down", "role": "slave", "software_version": "8",
        "maintenance_snapshot": {"node_uid": "3"}}}));
    let found = written(|sheet| nodes::status(sheet, &status));
    let wanted = [
        "node_up{node=3} 0",
        "node_info{node=3,version=8} 1",
        "node_leads{node=3} 0",
        "node_maintenance{node=3} 1",
    ];
    assert_eq!(found, wanted);
    let alerts: Each<Alert> = read(json!({
        "bdb_size": {"enabled": true, "state": "off", "severity": "INFO", "threshold": "80"},
        "bdb_high_latency": {"enabled": true, "state": true, "severity": "WARNING"},
        "bdb_low_throughput": {"enabled": false, "state": true, "severity": "INFO"}}));
    let found = written(|sheet| whole::alerts(sheet, "database", "7", &alerts));
    assert_eq!(
        found,
        [
            "alert{kind=database,id=7,alert=bdb_high_latency,severity=warning} 1",
            "alert{kind=database,id=7,alert=bdb_size,severity=info} 0",
        ]
    );
}

#[test]
fn labels_are_cut_and_a_series_is_written_once() {
    let long = "x".repeat(500);
    let one: Database =
        read(json!({"uid": 1, "name": format!("a\nb{long}"), "status": "active", "memory_size": 1}));
    let named = Named::of(&one).expect("it has a number");
    let found = written(|sheet| {
        database(sheet, &named, &one);
        database(sheet, &named, &one);
    });
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("name=a?bx") && found[0].len() < 250, "{found:?}");
    let none: Database = read(json!({"name": "d"}));
    assert_eq!(Named::of(&none), None);
}
