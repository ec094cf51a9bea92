//! Followers.

use serde_json::json;

use crate::support::Rig;

#[tokio::test]
async fn a_follower_points_to_where_nobody_gets() {
    let rig = Rig::standard().await;
    for node in [1, 3] {
        let got = rig.get_of("a", node, "/v1/bdbs?fields=uid").await;
        let location = got.headers["location"].to_str().unwrap();
        assert_eq!((got.status, location), (307, "https://10.30.1.2:9443/v1/bdbs?fields=uid"));
        assert_eq!(rig.get_of("a", node, "/v1/bdbs/1/availability").await.status, 200);
        assert_eq!(
            rig.get_of("a", node, "/v1/local/node/master_healthcheck").await.json()["status"],
            "active"
        );
    }
    rig.change("a", json!({"settings": {"handle_redirects": true}})).await;
    assert_eq!(rig.get_of("a", 3, "/v1/bdbs?fields=uid").await.status, 200);
}

#[tokio::test]
async fn older_releases_redirect_the_availability_too() {
    for (profile, want) in
        [("7.4", 404), ("7.8", 307), ("7.22.0", 307), ("7.22.2", 200), ("8.0.2", 307), ("8.0.10", 200)]
    {
        let rig = Rig::with(json!({"clusters": [{"name": "a", "profile": profile, "plain": true,
            "databases": [{"uid": 1, "name": "d"}]}]}))
        .await;
        assert_eq!(rig.get_of("a", 1, "/v1/bdbs/1/availability").await.status, want, "{profile}");
        let of_master = if want == 404 { 404 } else { 200 };
        assert_eq!(rig.get_of("a", 2, "/v1/bdbs/1/availability").await.status, of_master, "{profile}");
    }
}

#[tokio::test]
async fn another_node_leads_after_a_while() {
    let rig = Rig::standard().await;
    rig.change("a/node/2", json!("down")).await;
    assert_eq!(rig.get_of("a", 1, "/v1/bdbs?fields=uid").await.status, 503);
    rig.skip(5_100).await;
    assert_eq!(rig.get_of("a", 1, "/v1/bdbs?fields=uid").await.status, 200);
    let nodes = rig.get_of("a", 1, "/v1/nodes/status").await.json();
    assert_eq!((&nodes["1"]["role"], &nodes["2"]["node_status"]), (&json!("master"), &json!("down")));
}
