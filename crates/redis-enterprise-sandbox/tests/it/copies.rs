//! What flows between databases, and what is lost on the way.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Rig;

async fn value(rig: &Rig, cluster: &str, uid: u32, key: &str) -> Option<String> {
    rig.skip(50).await;
    let replies = rig.redis(cluster, uid, &[&format!("GET {key}")]).await;
    if replies[0] == "$-1" { None } else { Some(replies[1].clone()) }
}

async fn source(rig: &Rig, uid: u32) -> Value {
    let path = format!("/v1/bdbs/{uid}?fields=replica_sources,replica_sync,status");
    rig.get("a", &path).await.json()
}

#[tokio::test]
async fn members_write_to_each_other() {
    let rig = Rig::standard().await;
    assert_eq!(rig.redis("a", 1, &["SET at-a 1"]).await, ["+OK"]);
    assert_eq!(rig.redis("b", 4, &["SET at-b 2"]).await, ["+OK"]);
    assert_eq!(value(&rig, "b", 4, "at-a").await.as_deref(), Some("1"));
    assert_eq!(value(&rig, "a", 1, "at-b").await.as_deref(), Some("2"));

    // What is written during a cut arrives after it.
    rig.change("link/a/b", json!("cut")).await;
    rig.redis("a", 1, &["SET late 3"]).await;
    assert_eq!(value(&rig, "b", 4, "late").await, None);
    rig.change("link/a/b", json!("heal")).await;
    rig.skip(5_500).await;
    assert_eq!(value(&rig, "b", 4, "late").await.as_deref(), Some("3"));
}

#[tokio::test]
async fn a_copy_follows_its_source_until_it_is_promoted() {
    let rig = Rig::standard().await;
    rig.redis("b", 5, &["SET k old"]).await;
    assert_eq!(value(&rig, "a", 2, "k").await.as_deref(), Some("old"));
    let seen = source(&rig, 2).await;
    let link = &seen["replica_sources"][0];
    assert_eq!((&seen["replica_sync"], &link["status"]), (&json!("enabled"), &json!("in-sync")));
    assert!(link["lag"].as_u64().unwrap() < 1000, "{link}");
    assert!(link["uri"].as_str().unwrap().contains("SANDBOX-SOURCE-SECRET"));

    let put = async |wish: Value| rig.write("a", Method::PUT, "/v1/bdbs/2", wish).await;
    let got = put(json!({"replica_sync": "disabled"})).await;
    assert_eq!(got.status, 200);
    assert!(!got.json()["action_uid"].as_str().unwrap().is_empty());
    assert_eq!(got.json()["status"], "active-change-pending");
    let busy = put(json!({"replica_sync": "enabled"})).await;
    assert_eq!((busy.status, busy.code().as_str()), (409, "db_busy"));
    rig.skip(600).await;
    assert_eq!(source(&rig, 2).await["status"], "active");
    rig.redis("b", 5, &["SET k newer"]).await;
    rig.redis("a", 2, &["SET own 1"]).await;
    assert_eq!(value(&rig, "a", 2, "k").await.as_deref(), Some("old"));

    // Switched on again it begins anew: what was written to it is gone.
    assert_eq!(put(json!({"sync": "enabled"})).await.status, 200);
    assert_eq!(source(&rig, 2).await["replica_sources"][0]["status"], "syncing");
    assert_eq!(value(&rig, "a", 2, "k").await, None);
    rig.skip(3_500).await;
    assert_eq!(source(&rig, 2).await["replica_sources"][0]["status"], "in-sync");
    assert_eq!(value(&rig, "a", 2, "k").await.as_deref(), Some("newer"));
    assert_eq!(value(&rig, "a", 2, "own").await, None);
}

#[tokio::test]
async fn a_copy_can_be_turned_around() {
    let rig = Rig::standard().await;
    rig.redis("b", 5, &["SET k v"]).await;
    rig.skip(50).await;
    let put = async |cluster, path, wish: Value| rig.write(cluster, Method::PUT, path, wish).await;
    assert_eq!(
        put("a", "/v1/bdbs/2", json!({"replica_sync": "disabled", "replica_sources": []})).await.status,
        200
    );
    rig.skip(600).await;
    rig.redis("a", 2, &["SET k after"]).await;
    let name = rig.get("a", "/v1/bdbs/2?fields=endpoints").await.json();
    let endpoint = &name["endpoints"][0];
    let uri = format!("redis://:secret@{}:{}", endpoint["dns_name"].as_str().unwrap(), endpoint["port"]);
    let wish = json!({"replica_sources": [{"uri": uri}], "replica_sync": "enabled"});
    assert_eq!(put("b", "/v1/bdbs/5", wish).await.status, 200);
    rig.skip(4_000).await;
    assert_eq!(value(&rig, "b", 5, "k").await.as_deref(), Some("after"));
}

#[tokio::test]
async fn a_link_of_a_copy_that_is_cut_is_out_of_sync_and_says_since_when() {
    let rig = Rig::standard().await;
    rig.change("link/b/a", json!("cut")).await;
    rig.skip(10_000).await;
    let seen = source(&rig, 2).await;
    let link = &seen["replica_sources"][0];
    assert_eq!((&link["status"], &link["lag"]), (&json!("out-of-sync"), &json!(0)));
    assert!(!link["last_error"].as_str().unwrap().is_empty());
    let before = link["last_update"].clone();
    rig.skip(60_000).await;
    assert_eq!(source(&rig, 2).await["replica_sources"][0]["last_update"], before);
    assert_eq!(rig.availability("a", 2, "").await.0, 200, "the copy itself is available");
    rig.change("a/bdb/2", json!({"sync": "stopped"})).await;
    assert_eq!(source(&rig, 2).await["replica_sync"], "stopped");
}

#[tokio::test]
async fn changes_need_a_licence_and_a_form() {
    let rig = Rig::standard().await;
    let put = async |wish: Value| rig.write("a", Method::PUT, "/v1/bdbs/2", wish).await.status;
    for wish in
        [json!({"replica_sync": "stopped"}), json!({"crdt_sync": "paused"}), json!({"shards": 4}), json!([])]
    {
        assert_eq!(put(wish.clone()).await, 400, "{wish}");
    }
    rig.change("a", json!({"license_days": -1})).await;
    assert_eq!(put(json!({"replica_sync": "disabled"})).await, 403);
    assert_eq!(rig.get("a", "/v1/license").await.json()["expired"], true);
    assert_eq!(rig.availability("a", 2, "").await.0, 200);
    let missing = rig.write("b", Method::PUT, "/v1/bdbs/99", json!({"replica_sync": "disabled"})).await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "bdb_not_exist"));
}

#[tokio::test]
async fn a_read_only_copy_stays_one() {
    let rig = Rig::with(json!({"clusters": [
        {"name": "a", "plain": true, "databases": [
            {"uid": 2, "name": "c", "read_only": true, "replica_of": [{"cluster": "b", "database": 5}]}]},
        {"name": "b", "plain": true, "databases": [{"uid": 5, "name": "c"}]}]}))
    .await;
    assert!(rig.redis("a", 2, &["SET k v"]).await[0].starts_with("-READONLY"));
    assert_eq!(
        rig.write("a", Method::PUT, "/v1/bdbs/2", json!({"replica_sync": "disabled"})).await.status,
        200
    );
    rig.skip(600).await;
    assert!(rig.redis("a", 2, &["SET k v"]).await[0].starts_with("-READONLY"));
}
