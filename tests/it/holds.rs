//! What must not lead to a switch: alerts alone, a fault that passes, no place to go, a person's word.

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::process::wait_until;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS, labels};

/// The health of a site of the service.
async fn wait_health(scene: &Scene, datacenter: &str, state: &str) {
    let labels = [("redis_service", SERVICE), ("datacenter", datacenter), ("state", state)];
    scene.agent.wait_metric("redrover_health", &labels, 1.0, ROUNDS_LIMIT).await;
}

#[tokio::test]
async fn an_alert_about_a_healthy_primary_is_contradicted() {
    let scene = Scene::ready(Holder::Route53, &[]).await;
    for _ in 0..20 {
        scene.agent.post_alert(SERVICE, "firing").await;
    }
    let decision = scene.wait_decision("hold", "alert_contradicted").await;
    assert_eq!(decision["level"], "info", "{decision}");
    let alert = [("redis_service", SERVICE), ("group", "alert")];
    scene.agent.wait_metric("redrover_evidence", &alert, 1.0, ROUNDS_LIMIT).await;
    let because = decision["confidence"]["terms"].as_array().expect("terms").iter();
    let because: Vec<_> = because.filter(|t| t["group"] == "alert").map(|t| &t["because"]).collect();
    assert_eq!(because, ["1 firing: RedisDown"], "twenty times the same is one alert");
    scene.wait_rounds(12).await;
    scene.assert_unmoved(1).await;
    assert_eq!(scene.decisions(Some("recommend")).await, 0.0);
}

#[tokio::test]
async fn an_alert_that_was_over_before_it_began_counts_nothing() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    scene.agent.post_alert(SERVICE, "resolved").await;
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.primary.kill();
    // Without the alert the evidence is enough for a person, and not for the agent.
    let decision = scene.wait_decision("recommend", "below_threshold").await;
    assert!(decision["confidence"]["log_odds"].as_f64().is_some_and(|l| l < 2.0), "{decision}");
    scene.wait_rounds(12).await;
    scene.assert_unmoved(1).await;
}

#[tokio::test]
async fn a_fault_shorter_than_the_window_passes() {
    let window = [
        ("/services/0/policy/confirm_window", json!("20s")),
        ("/services/0/policy/isolation_confirm", json!("20s")),
    ];
    let scene = Scene::ready(Holder::Route53, &window).await;
    scene.agent.post_alert(SERVICE, "firing").await;
    for _ in 0..2 {
        scene.primary.stop();
        wait_health(&scene, "dc-a", "failing").await;
        scene.wait_decision("hold", "confirming").await;
        scene.wait_rounds(4).await;
        scene.primary.cont();
        wait_health(&scene, "dc-a", "healthy").await;
        scene.wait_decision("hold", "alert_contradicted").await;
    }
    scene.assert_unmoved(1).await;
    assert_eq!(scene.decisions(Some("recommend")).await, 0.0);
}

#[tokio::test]
async fn two_dead_sites_are_a_page_and_nothing_else() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    scene.standby.kill();
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    let decision = scene.wait_decision("hold", "no_target").await;
    assert_eq!(decision["level"], "page", "{decision}");
    wait_health(&scene, "dc-a", "failed").await;
    scene.wait_rounds(12).await;
    scene.wait_decision("hold", "no_target").await;
    scene.assert_unmoved(1).await;
}

#[tokio::test]
async fn a_paused_service_is_recommended_at_most_and_goes_on_when_resumed() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    scene.order(&["pause", SERVICE]).await;
    scene.wait_number("redrover_paused", 1.0).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    let decision = scene.wait_decision("recommend", "paused").await;
    assert_eq!(decision["level"], "page", "{decision}");
    scene.wait_rounds(12).await;
    scene.assert_unmoved(1).await;

    scene.order(&["resume", SERVICE]).await;
    let told = scene.wait_switch(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    assert_log_speaks_to_people(&mut scene, &told).await;
    assert_eq!(scene.sandbox().history().await.applied("api"), 3);
}

/// The log of a whole story: what is watched, what people ordered, and how it ended, without a word of Rust.
async fn assert_log_speaks_to_people(scene: &mut Scene, told: &Value) {
    let id = told["decision"]["id"].as_str().expect("an id");
    let explained = scene.order(&["explain", SERVICE, "--decision", id]).await;
    assert!(explained.contains("the old primary was fenced (its process is gone)"), "{explained}");
    assert!(explained.contains("ended: the name points to the target"), "{explained}");

    let log = scene.agent.process().stderr();
    let line = |words: &[&str]| {
        assert!(log.lines().any(|l| words.iter().all(|w| l.contains(w))), "{words:?}: {log}");
    };
    let record = format!("record=\"{NAME} CNAME at route53\"");
    let watched =
        ["mode=\"automatic\"", "topology=\"replication\"", "sites=\"dc-a, dc-b\"", &record, "canary=\"on\""];
    line(&[&["INFO", "watching", "service=sessions"], &watched[..]].concat());
    line(&["INFO", "a person's order was read", "order=pause", "by="]);
    line(&["INFO", "a person's order was read", "order=resume"]);
    line(&["INFO", "the switch ended", "the name points to the target"]);
    for word in ["[Gone]", "Switched", "Abandoned"] {
        assert!(!log.contains(word) && !explained.contains(word), "{word}: {log}{explained}");
    }
}

#[tokio::test]
async fn without_a_promotion_it_is_a_recommendation() {
    let mut scene = Scene::start(Holder::Route53, &[("/services/0/promote", Value::Null)]).await;
    scene.adopt(SERVICE).await;
    wait_until("the warm-up to be over", ROUNDS_LIMIT, async || {
        let metrics = scene.agent.metrics().await;
        metrics.value("redrover_veto", &[("veto", "warming_up")]).is_none() && scene_is_adopted(&metrics)
    })
    .await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    let decision = scene.wait_decision("recommend", "no_promotion").await;
    assert!(labels(&decision["vetoes"]).contains("no_promotion"), "{decision}");
    scene.wait_rounds(12).await;
    scene.assert_unmoved(1).await;
}

fn scene_is_adopted(metrics: &super::support::agent::Metrics) -> bool {
    metrics.value("redrover_fence_epoch", &[("redis_service", SERVICE)]) == Some(1.0)
}
