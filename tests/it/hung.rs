//! A Redis that hangs costs its own deadline, and nobody else's time.

use serde_json::json;

use super::support::agent::{SERVICE, route53_record, site};
use super::support::process::wait_until;
use super::support::redis::RedisServer;
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene, TARGETS};
use super::support::{http, sandbox::ZONE};

const INTERVAL_SECONDS: f64 = 1.0;
const TIMEOUT_SECONDS: f64 = 0.8;
/// A decision is written down before the next look.
const WRITING_SECONDS: f64 = 0.5;

/// In each of some rounds, what is known of the healthy Redis is never older than this.
async fn assert_is_seen_in_time(scene: &Scene, age_max: f64) {
    let until = scene.decisions(None).await + 6.0;
    let active = [("redis_service", SERVICE), ("datacenter", "dc-a")];
    wait_until("some rounds", ROUNDS_LIMIT, async || {
        let metrics = scene.agent.metrics().await;
        let age = metrics.value("redrover_snapshot_age_seconds", &active).expect("it was looked at");
        assert!(age < age_max, "{age} s");
        let healthy = [active[0], active[1], ("state", "healthy")];
        assert_eq!(metrics.value("redrover_health", &healthy), Some(1.0));
        scene.decisions(None).await >= until
    })
    .await;
}

async fn wait_hung(scene: &Scene, service: &str, datacenter: &str) {
    let labels = [("redis_service", service), ("datacenter", datacenter), ("reason", "timeout")];
    scene.agent.wait_metric("redrover_target_gap", &labels, 1.0, ROUNDS_LIMIT).await;
}

#[tokio::test]
async fn a_hung_redis_delays_nobody_else() {
    let intervals = [
        ("/global", json!({"probe_interval": "1s", "probe_timeout": "800ms"})),
        ("/services/0/policy/isolation_confirm", json!("5s")),
    ];
    let mut scene = Scene::start(Holder::Route53, &intervals).await;
    scene.adopt(SERVICE).await;
    scene.wait_number("redrover_fence_epoch", 1.0).await;

    // A second service, which a reload adds.
    let carts = [RedisServer::primary().await, RedisServer::primary().await];
    let sites = [site("dc-a", TARGETS[0], &[&carts[0]]), site("dc-b", TARGETS[1], &[&carts[1]])];
    let record = route53_record(scene.sandbox(), &format!("carts.{ZONE}"));
    scene.setup.add_service("carts", record, &sites);
    let response = http::send(http::client().post(scene.agent.url("/-/reload"))).await.expect("an answer");
    assert_eq!(response.status, 200, "{}", response.body);
    let up = [("redis_service", "carts"), ("datacenter", "dc-b")];
    scene.agent.wait_metric("redis_up", &up, 1.0, ROUNDS_LIMIT).await;
    carts.iter().for_each(RedisServer::stop);
    wait_hung(&scene, "carts", "dc-a").await;
    assert_is_seen_in_time(&scene, INTERVAL_SECONDS + WRITING_SECONDS).await;

    // The service's own standby: the round waits for its deadline, once.
    scene.standby.stop();
    wait_hung(&scene, SERVICE, "dc-b").await;
    assert_is_seen_in_time(&scene, INTERVAL_SECONDS + TIMEOUT_SECONDS + WRITING_SECONDS).await;
    scene.assert_unmoved(1).await;
}
