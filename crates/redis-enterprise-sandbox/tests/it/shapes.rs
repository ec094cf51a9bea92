//! The oddities of the documents that a client must cope with, and secrets where the real answers have them.

use serde_json::{Value, json};

use crate::support::Rig;

#[tokio::test]
async fn numbers_and_texts_are_mixed_as_in_the_real_answers() {
    let rig = Rig::standard().await;
    let shards = rig.get("a", "/v1/shards").await.json();
    let replica = shards.as_array().unwrap().iter().find(|shard| shard["role"] == "slave").unwrap();
    assert!(replica["uid"].is_string() && replica["node_uid"].is_string() && replica["bdb_uid"].is_u64());
    assert_eq!(replica["sync"]["status"], "idle");
    assert!(rig.get("a", "/v1/nodes").await.json()[0]["uid"].is_u64());
    assert!(rig.get("a", "/v1/nodes/status").await.json()["1"]["node_status"].is_string());
    assert_eq!(rig.get("a", "/v1/bdbs/stats").await.json()[0]["uid"], "1");
    assert_eq!(rig.get("a", "/v1/nodes/stats").await.json()[0]["uid"], 1);
    let alerts = rig.get("a", "/v1/bdbs/alerts").await.json();
    assert_eq!(alerts["7"]["bdb_size"]["state"], "off");
    assert!(alerts["1"]["bdb_size"]["threshold"].is_string());
    let crdbs = rig.get("a", "/v1/crdbs").await.json();
    assert_eq!(
        (&crdbs[0]["instances"][0]["db_uid"], &crdbs[0]["instances"][1]["db_uid"]),
        (&json!("1"), &Value::Null)
    );
    assert_eq!(rig.get("a", "/v1/bdbs/7?fields=port").await.json(), json!({"port": 0}));
}

#[tokio::test]
async fn a_database_without_traffic_has_no_latency_and_gaps() {
    let rig = Rig::standard().await;
    rig.skip(20_000).await;
    let last = rig.get("a", "/v1/bdbs/stats/last").await.json();
    assert!(last["1"]["avg_latency"].is_f64() && last["7"].get("avg_latency").is_none());
    assert_eq!(last["7"]["last_req_time"], "1970-01-01T00:00:00Z");
    let one = rig.get("a", "/v1/bdbs/stats/last/1?metrics=used_memory").await.json();
    assert_eq!(one["1"].as_object().unwrap().len(), 3, "{one}");
    let all = rig.get("a", "/v1/bdbs/stats?interval=1sec").await.json();
    let count = |i: usize| all[i]["intervals"].as_array().unwrap().len();
    assert_eq!((count(0), count(2)), (10, 3));
    assert_eq!(rig.get("a", "/v1/bdbs/stats/last/99").await.status, 404);
    rig.change("a/bdb/7", json!({"status": "creation-failed"})).await;
    assert_eq!(rig.get("a", "/v1/bdbs/stats/last/7").await.status, 406);
    rig.change("a/bdb/7", json!("await_recovery")).await;
    assert_eq!(rig.get("a", "/v1/bdbs/stats/7").await.status, 503);
}

#[tokio::test]
async fn only_named_fields_keep_secrets_out() {
    let rig = Rig::standard().await;
    for path in ["/v1/bdbs", "/v1/bdbs/2", "/v1/crdbs"] {
        assert!(rig.get("a", path).await.text.contains("SANDBOX-"), "{path}");
    }
    let fields = rig.get("a", "/v1/bdbs?fields=uid,name,status,endpoints").await;
    assert!(!fields.text.contains("SANDBOX-"));
    assert_eq!(fields.json()[0].as_object().unwrap().len(), 4);
    rig.change("a", json!({"settings": {"mask_bdb_credentials": true}})).await;
    assert!(!rig.get("a", "/v1/bdbs/1").await.text.contains("SANDBOX-DATABASE"));
}

#[tokio::test]
async fn links_are_told_by_those_who_have_them() {
    let rig = Rig::standard().await;
    assert_eq!(rig.get("a", "/v1/bdbs/2/peer_stats").await.status, 406);
    assert_eq!(rig.get("a", "/v1/bdbs/1/peer_stats").await.json()["peer_stats"][0]["uid"], "2");
    assert_eq!(rig.get("a", "/v1/bdbs/2/sync_source_stats").await.json()["sync_source_stats"][0]["uid"], "1");
    let guid =
        rig.get("a", "/v1/bdbs/1?fields=crdt_guid").await.json()["crdt_guid"].as_str().unwrap().to_owned();
    let path = format!("/v1/crdbs/{guid}/health_report");
    let link = async || rig.get("a", &path).await.json()[0]["connections"][0]["replication_links"][0].clone();
    assert_eq!(link().await, json!({"link_uid": "1:2", "status": "up"}));
    rig.change("link/a/b", json!("cut")).await;
    rig.skip(60_500).await;
    assert_eq!(link().await["status"], "down");
    assert!(rig.get("a", &path).await.json()[1]["connection_error"].is_string());
}

#[tokio::test]
async fn every_document_is_there() {
    let rig = Rig::with(json!({"clusters": [{"name": "a", "profile": "8.0.22", "plain": true,
        "databases": [{"uid": 1, "name": "d"}]}]}))
    .await;
    for path in [
        "/v1/cluster",
        "/v1/cluster/policy",
        "/v1/cluster/check",
        "/v1/cluster/alerts",
        "/v1/cluster/stats/last",
        "/v1/license",
        "/v1/nodes/1",
        "/v1/nodes/1/status",
        "/v1/nodes/alerts",
        "/v1/nodes/stats/last/1",
        "/v1/shards/1",
        "/v1/shards/stats/last",
        "/v1/actions",
        "/v1/bdbs/alerts/1",
        "/v4/cluster/health",
        "/v4/db/1/health",
    ] {
        let got = rig.get("a", path).await;
        assert_eq!((got.status, got.headers["server"].as_bytes()), (200, &b"envoy"[..]), "{path}");
        assert!(got.headers.contains_key("cluster-state-id") && !got.json().is_null(), "{path}");
    }
    assert_eq!(rig.get("a", "/v1/nothing").await.status, 404);
    rig.change("a/node/3", json!("maintenance_on")).await;
    let status = rig.get("a", "/v1/nodes/status").await.json();
    assert_eq!(status["3"]["maintenance_snapshot"]["node_uid"], "3");
    rig.skip(20_500).await;
    let status = rig.get("a", "/v1/nodes/status").await.json();
    assert_eq!(status["3"]["master_shards"], json!([]));
}
