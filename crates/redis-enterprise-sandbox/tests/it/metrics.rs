//! The metrics.

use serde_json::json;

use crate::support::Rig;

#[tokio::test]
async fn metrics_tell_the_same_state() {
    let rig = Rig::with(json!({"clusters": [
        {"name": "a", "plain": true, "databases": [{"uid": 1, "name": "s", "crdt": "g", "replica_id": 1}]},
        {"name": "b", "plain": true, "databases": [{"uid": 4, "name": "s", "crdt": "g", "replica_id": 2}]}]}))
    .await;
    let url = format!("{}/v2", rig.running.hello()["clusters"]["a"]["metrics"].as_str().unwrap());
    let page = async || rig.fetch(&url).await.text;
    let good = page().await;
    for line in [
        "total_live_nodes_count{cluster=\"rc-a.sandbox.test\",cluster_wd=\"2\",exporter=\"cluster_wd\",node=\"2\"} 3",
        "db_status{cluster=\"rc-a.sandbox.test\",db=\"1\"} 0",
        "license_expiration_days{cluster=\"rc-a.sandbox.test\"} 299",
    ] {
        assert!(good.lines().any(|l| l == line), "{line}\n{good}");
    }
    let lag = good.lines().filter(|line| line.starts_with("database_syncer_lag_ms{")).count();
    assert_eq!(lag, 2, "the same series twice");
    rig.change("a/node/3", json!("down")).await;
    rig.change("link/a/b", json!("cut")).await;
    rig.skip(61_000).await;
    let bad = page().await;
    assert!(bad.contains("node_metrics_up{cluster=\"rc-a.sandbox.test\",node=\"3\"} 0"), "{bad}");
    let down = bad.lines().find(|line| line.starts_with("database_syncer_current_status{")).unwrap();
    assert!(down.ends_with(" 1"), "{down}");
    rig.change("a", json!({"settings": {"metrics_auth": true}})).await;
    assert_eq!(rig.fetch(&url).await.status, 401);
}
