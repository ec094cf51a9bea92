//! Services that come and go while the agent runs.

use serde_json::json;

use super::support::agent::SERVICE;
use super::support::http;
use super::support::scene::{Holder, NAME, Scene, TARGETS};

async fn reload(scene: &Scene) {
    let response = http::send(http::client().post(scene.agent.url("/-/reload"))).await.expect("an answer");
    assert_eq!(response.status, 200, "{}", response.body);
}

/// The service is away for a moment while its switch is under way: only one worker carries it through.
#[tokio::test]
async fn a_service_that_comes_back_has_one_worker() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    scene.sandbox().put_faults(&[json!({"fault": "delay", "delay_ms": 2000})]).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_veto("switching").await;
    scene.setup.set("/services/0/name", json!("elsewhere"));
    reload(&scene).await;
    scene.setup.set("/services/0/name", json!(SERVICE));
    reload(&scene).await;

    let told = scene.wait_switch(SERVICE).await;
    scene.wait_rounds(4).await;
    let then = told["then"].as_array().expect("a list").iter();
    let then: Vec<_> = then.map(|e| e["step"]["step"].as_str().unwrap_or("ended")).collect();
    let steps = ["claimed", "fenced", "promoting", "promoted", "proven", "switched", "verified", "ended"];
    assert_eq!(then, steps, "{told}");
    scene.wait_answer(NAME, TARGETS[1]).await;
    let history = scene.sandbox().history().await;
    assert_eq!((history.applied("api"), history.refused().len()), (3, 0), "{history:?}");
    assert_eq!(scene.decisions(Some("failover")).await, 1.0);
}
