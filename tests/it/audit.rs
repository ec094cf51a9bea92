//! What the agent as a whole writes down: its configuration and who was turned away. Seen by `redrover history`.

use serde_json::{Value, json};

use crate::support::agent::{SERVICE, notification};
use crate::support::http;
use crate::support::process::{wait_for, wait_until};
use crate::support::scene::{Holder, ROUNDS_LIMIT, Scene};

/// The entries of one kind, oldest first.
async fn entries(scene: &Scene, kind: &str) -> Vec<Value> {
    let output = scene.setup.redrover(&["history", "--kind", kind, "--output", "json"]).await;
    assert_eq!(output.code, 0, "{}", output.stderr);
    output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
}

async fn wait_entries(scene: &Scene, kind: &str, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} entries {kind}"), ROUNDS_LIMIT, async || {
        let found = entries(scene, kind).await;
        (found.len() >= count).then_some(found)
    })
    .await
}

async fn reload(scene: &Scene) -> u16 {
    let url = scene.agent.url("/-/reload");
    http::send(http::client().post(url)).await.expect("an answer").status
}

#[tokio::test]
async fn every_configuration_is_written_down_with_what_is_different() {
    let mut scene = Scene::start(Holder::Embedded, &[]).await;
    let first = wait_entries(&scene, "configured", 1).await;
    assert_eq!(first[0]["entry"]["configured"]["occasion"], "start");
    assert_eq!(
        (&first[0]["service"], &first[0]["entry"]["configured"]["changes"]),
        (&json!("*"), &json!([]))
    );

    scene.setup.set("/services/0/mode", json!("recommend"));
    scene.setup.set("/services/0/policy/theta_auto", json!(0.97));
    assert_eq!(reload(&scene).await, 200);
    let second = wait_entries(&scene, "configured", 2).await[1]["entry"]["configured"].take();
    assert_eq!((&second["occasion"], &second["by"]), (&json!("request"), &json!("127.0.0.1")));
    let changes = json!([
        {"key": "services[sessions].mode", "what": "changed", "from": "automatic", "to": "recommend"},
        {"key": "services[sessions].policy.theta_auto", "what": "added", "to": "0.97"},
    ]);
    assert_eq!(second["changes"], changes);

    // The file stays the same, but the secret that it leads to is another.
    let token = scene.setup.config_file().with_file_name("webhook-token");
    std::fs::write(&token, "another-token").expect("it can be written");
    scene.agent.process().signal("HUP");
    let third = wait_entries(&scene, "configured", 3).await[2]["entry"]["configured"].take();
    assert_eq!((&third["occasion"], &third["is_secret_changed"]), (&json!("signal"), &json!(true)));
    assert!(!third.to_string().contains("another-token"));

    scene.setup.set("/agent/name", json!("agent-2"));
    assert_eq!(reload(&scene).await, 500);
    let refused = wait_entries(&scene, "configured", 4).await[3]["entry"]["configured"].take();
    assert!(refused["refused"].as_str().is_some_and(|why| why.contains("agent.name")), "{refused}");

    // What changed while the agent was down is told by the next start.
    scene.setup.set("/agent/name", json!("agent-1"));
    scene.setup.set("/services/0/mode", json!("observe"));
    scene.agent.process().kill();
    scene.agent = scene.setup.start().await;
    let fifth = wait_entries(&scene, "configured", 5).await[4]["entry"]["configured"].take();
    assert_eq!((&fifth["occasion"], &fifth["changes"][0]["to"]), (&json!("start"), &json!("observe")));
    let text = scene.order(&["history", "--kind", "configured"]).await;
    assert!(text.contains("services[sessions].mode: recommend -> observe"), "{text}");
    let verified = scene.order(&["history", "--verify"]).await;
    assert!(verified.contains("newest seal of kept"), "{verified}");
}

#[tokio::test]
async fn whoever_shows_a_wrong_token_is_written_down() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    let alert = notification("firing", &[("alertname", "RedisDown"), ("redis_service", SERVICE)]);
    for token in [Some("not-the-token"), None, Some("guess")] {
        assert_eq!(scene.agent.post_webhook_as(&alert, token).await.status, 401);
    }
    wait_until("a denial", ROUNDS_LIMIT, async || !entries(&scene, "denied").await.is_empty()).await;
    let denied = entries(&scene, "denied").await;
    let denial = &denied[0]["entry"]["denial"];
    assert_eq!((&denial["door"], &denial["client"]), (&json!("webhook"), &json!("127.0.0.1")));
    let all = serde_json::to_string(&denied).expect("JSON");
    assert!(!all.contains("not-the-token") && !all.contains("guess"), "{all}");
    // A right token leaves no trace here.
    assert_eq!(scene.agent.post_webhook(&alert).await.status, 200);
    let adopted = scene.order(&["adopt", SERVICE, "--yes", "--active", "dc-a"]).await;
    let by = entries(&scene, "adopted").await[0]["entry"]["by"].take();
    assert!(by.as_str().is_some_and(|who| !who.is_empty()), "{adopted}");
}
