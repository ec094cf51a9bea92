//! Services that come and go while the agent runs.

use serde_json::json;

use super::support::agent::{SERVICE, embedded_record, site};
use super::support::http;
use super::support::process::wait_until;
use super::support::redis::RedisServer;
use super::support::sandbox::ZONE;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

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

/// What a switch rests on changes while a hook keeps it: it stops before anything that cannot be undone.
#[tokio::test]
async fn a_switch_under_way_hears_that_its_target_has_another_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let script = format!("touch {}; while [ ! -e {} ]; do sleep 0.05; done", file("called"), file("go"));
    let hooks = json!({"before": [{"exec": ["/bin/sh", "-c", script], "timeout": "50s"}]});
    let primary = RedisServer::primary().await;
    let standby = RedisServer::replica(&primary).await;
    let mut scene =
        Scene::ready_with(Holder::Embedded, primary, standby, &[("/services/0/hooks", hooks)]).await;
    scene.order(&["failover", SERVICE, "--to", "dc-b"]).await;
    wait_until("the hook to be called", ROUNDS_LIMIT, async || folder.path().join("called").exists()).await;
    scene.setup.set("/services/0/sites/1/dns_target", json!("redis.dc-c.example.net"));
    reload(&scene).await;
    std::fs::write(file("go"), "").expect("a file");

    let told = scene.wait_switch(SERVICE).await;
    let ended = told["then"].as_array().expect("entries").last().expect("an end");
    assert_eq!(ended["outcome"]["outcome"], "abandoned", "{told}");
    let why = "the configuration has changed: the record would hold something else for dc-b now";
    assert_eq!(ended["outcome"]["why"], why, "{told}");
    assert_eq!(scene.standby.info("role").await.expect("an answer").as_deref(), Some("slave"));
    let _: () = scene.primary.command(&["SET", "k", "v"]).await.expect("it takes writes");
    assert_eq!(scene.answer().await, [TARGETS[0]]);
}

#[tokio::test]
async fn the_embedded_name_server_takes_the_record_of_a_new_service() {
    let mut scene = Scene::start(Holder::Embedded, &[]).await;
    scene.adopt(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[0]).await;
    let servers = [RedisServer::primary().await, RedisServer::primary().await];
    let sites = [site("dc-a", TARGETS[0], &[&servers[0]]), site("dc-b", TARGETS[1], &[&servers[1]])];
    let name = format!("carts.{ZONE}");
    scene.setup.add_service("carts", embedded_record(&name), &sites);

    // A file with another mistake takes no effect, in the zone neither.
    let mistake = "/services/1/policy/theta_auto";
    scene.setup.set(mistake, json!(2.0));
    let response = http::send(http::client().post(scene.agent.url("/-/reload"))).await.expect("an answer");
    assert_eq!(response.status, 500, "{}", response.body);
    assert_eq!(scene.answer_for(&name).await, [""; 0]);

    scene.setup.set(mistake, json!(0.9));
    reload(&scene).await;
    scene.adopt("carts").await;
    scene.wait_answer(&name, TARGETS[0]).await;
    let epoch = [("redis_service", "carts")];
    scene.agent.wait_metric("redrover_fence_epoch", &epoch, 1.0, ROUNDS_LIMIT).await;

    scene.setup.set("/services", json!([scene.setup.service(0)]));
    reload(&scene).await;
    wait_until("the name to be gone", ROUNDS_LIMIT, async || scene.answer_for(&name).await.is_empty()).await;
    scene.wait_answer(NAME, TARGETS[0]).await;
}
