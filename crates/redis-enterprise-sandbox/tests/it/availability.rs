//! What the availability says, and when it changes its mind.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Rig;

const LAG: &str = "?extend_check=lag&availability_lag_tolerance_ms=100";
const PATIENT_LAG: &str = "?extend_check=lag&availability_lag_tolerance_ms=600000";

fn yes() -> (u16, String) {
    (200, String::new())
}

fn no(code: &str) -> (u16, String) {
    (503, code.to_owned())
}

#[tokio::test]
async fn a_good_database_is_an_empty_answer() {
    let rig = Rig::standard().await;
    assert_eq!(rig.availability("a", 1, "").await, yes());
    assert_eq!(rig.availability("a", 1, LAG).await, yes());
    assert_eq!(rig.availability("a", 99, "").await, (404, "db_not_found".to_owned()));
    let got = rig.get("a", "/v1/bdbs/1/availability?extend_check=bogus").await;
    assert_eq!((got.status, got.text.as_str()), (400, ""));
    // The lag form fails for ever on what is not Active-Active, whatever the limit.
    for uid in [2, 7] {
        assert_eq!(rig.availability("a", uid, "").await, yes());
        assert_eq!(rig.availability("a", uid, PATIENT_LAG).await, no("bdb_unavailable"));
    }
}

#[tokio::test]
async fn the_local_form_speaks_for_the_node_that_is_asked() {
    let rig = Rig::standard().await;
    let path = "/v1/local/bdbs/1/endpoint/availability";
    let serving: u32 =
        rig.address("a", 1).split(':').next().unwrap().rsplit('.').next().unwrap().parse().unwrap();
    for node in 1..=3 {
        let got = rig.get_of("a", node, path).await;
        if node == serving {
            assert_eq!((got.status, got.text.as_str()), (200, ""));
        } else {
            assert_eq!((got.status, got.code().as_str()), (503, "bdb_endpoint_unavailable"));
        }
    }
    let old = Rig::with(json!({"clusters": [{"name": "a", "profile": "7.8", "plain": true,
        "databases": [{"uid": 1, "name": "d"}]}]}))
    .await;
    let statuses = [1, 2, 3].map(|node| old.get_of("a", node, path));
    let statuses: Vec<_> =
        futures_util::future::join_all(statuses).await.iter().map(|got| got.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 500).count(), 2, "{statuses:?}");
}

#[tokio::test]
async fn a_lost_primary_shard_is_an_outage_until_its_replica_leads() {
    let rig = Rig::standard().await;
    rig.change("a/shard/1", json!("down")).await;
    assert_eq!(rig.availability("a", 1, "").await, no("bdb_unavailable"));
    rig.skip(2_100).await;
    assert_eq!(rig.availability("a", 1, "").await, yes());

    // Nothing stands behind a shard without a replica.
    let shard = rig.get("a", "/v1/bdbs/7/shards").await.json()[0]["uid"].as_str().unwrap().to_owned();
    rig.change(&format!("a/shard/{shard}"), json!("down")).await;
    rig.skip(600_000).await;
    assert_eq!(rig.availability("a", 7, "").await, no("bdb_unavailable"));
}

#[tokio::test]
async fn newer_releases_say_why() {
    let rig = Rig::with(json!({"clusters": [{"name": "a", "profile": "8.2", "plain": true,
        "databases": [{"uid": 1, "name": "d", "replication": false}]}]}))
    .await;
    rig.change("a/shard/1", json!("timeout")).await;
    assert_eq!(rig.availability("a", 1, "").await, no("bdb_unavailable_shard_unreachable"));
    let node = rig.get("a", "/v1/bdbs/1?fields=endpoints").await.json();
    let node = node["endpoints"][0]["addr"][0].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
    rig.change(&format!("a/node/{node}"), json!("proxy_down")).await;
    assert_eq!(rig.availability("a", 1, "").await, no("bdb_unavailable_shard_unreachable_port_unbound"));
    rig.change("a/shard/1", json!("ok")).await;
    assert_eq!(rig.availability("a", 1, "").await, no("bdb_unavailable_port_unbound"));
    rig.skip(8_100).await;
    assert_eq!(rig.availability("a", 1, "").await, yes());
}

#[tokio::test]
async fn a_stale_member_fails_the_lag_form_only() {
    let rig = Rig::standard().await;
    rig.change("a/bdb/1", json!({"sync": "paused"})).await;
    assert_eq!(rig.availability("a", 1, PATIENT_LAG).await, yes());
    rig.skip(2_100).await;
    assert_eq!(rig.availability("a", 1, PATIENT_LAG).await, no("bdb_unavailable"));
    assert_eq!(rig.availability("a", 1, "").await, yes());
    assert_eq!(rig.availability("b", 4, LAG).await, yes(), "the other member is not stale");
    rig.change("a/bdb/1", json!({"sync": "enabled"})).await;
    assert_eq!(rig.availability("a", 1, LAG).await, no("bdb_unavailable"));
    rig.skip(5_100).await;
    assert_eq!(rig.availability("a", 1, LAG).await, yes());

    rig.change("link/b/a", json!({"behind_ms": 2_000})).await;
    rig.skip(2_000).await;
    assert_eq!(rig.availability("a", 1, LAG).await, no("bdb_unavailable"));
    assert_eq!(rig.availability("a", 1, PATIENT_LAG).await, yes());
    assert_eq!(rig.availability("b", 4, LAG).await, yes());
}

#[tokio::test]
async fn a_cut_link_is_noticed_after_a_minute_and_on_both_sides() {
    let rig = Rig::standard().await;
    rig.change("link/a/b", json!("cut")).await;
    rig.skip(58_000).await;
    let both = async || [rig.availability("a", 1, LAG).await, rig.availability("b", 4, LAG).await];
    assert_eq!(both().await, [yes(), yes()]);
    rig.skip(2_500).await;
    assert_eq!(both().await, [no("bdb_unavailable"), no("bdb_unavailable")]);
    assert_eq!([rig.availability("a", 1, "").await, rig.availability("b", 4, "").await], [yes(), yes()]);
    rig.change("link/a/b", json!("heal")).await;
    rig.skip(5_500).await;
    assert_eq!(both().await, [yes(), yes()]);
}

#[tokio::test]
async fn a_cluster_without_a_majority_says_so() {
    let rig = Rig::standard().await;
    rig.change("a/node/1", json!("down")).await;
    rig.change("a/node/3", json!("down")).await;
    rig.skip(3_100).await;
    for query in ["", LAG] {
        assert_eq!(rig.availability("a", 1, query).await, no("no_quorum"));
    }
    let health = rig.get("a", "/v1/local/node/master_healthcheck").await;
    assert_eq!((health.status, &health.json()["status"]), (503, &json!("inactive")));
    assert_eq!(rig.get("a", "/v1/bdbs?fields=uid").await.status, 503);
    let refused = rig.write("a", Method::PUT, "/v1/bdbs/2", json!({"replica_sync": "disabled"})).await;
    assert_eq!(refused.status, 503, "nothing is changed without a majority");
    rig.change("a/node/1", json!("up")).await;
    rig.skip(5_100).await;
    assert_eq!(rig.availability("a", 1, "").await, yes());
}

#[tokio::test]
async fn states_that_nobody_documents_are_switches() {
    let rig = Rig::standard().await;
    for (change, variant) in [
        (json!("stop_traffic"), "stopped_traffic_status"),
        (json!({"status": "delete-pending"}), "deleting_status"),
    ] {
        rig.change("a/bdb/7", change).await;
        for status in [200, 503] {
            let variants = Value::Object([(variant.to_owned(), json!(status))].into_iter().collect());
            assert_eq!(rig.control(Method::PUT, "variants", variants).await.status, 200);
            assert_eq!(rig.availability("a", 7, "").await.0, status, "{variant}");
        }
        rig.change("a/bdb/7", json!("resume_traffic")).await;
        rig.change("a/bdb/7", json!("recover")).await;
    }
    for (status, want) in
        [("import-pending", 200), ("pending", 200), ("creation-failed", 503), ("recovery", 503)]
    {
        rig.change("a/bdb/7", json!({"status": status})).await;
        assert_eq!(rig.availability("a", 7, "").await.0, want, "{status}");
    }
}
