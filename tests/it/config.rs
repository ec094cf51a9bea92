//! The configuration: checked as a whole, held against the world on request, and replaced while the agent runs.

use std::fs;

use serde_json::{Value, json};

use super::support::agent::{SERVICE, Setup, embedded_record, site};
use super::support::http;
use super::support::process::{run, wait_until};
use super::support::redis::RedisServer;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

#[tokio::test]
async fn check_lists_every_problem_with_its_line() {
    let primary = RedisServer::primary().await;
    let sites = [site("dc-a", TARGETS[0], &[&primary]), site("dc-b", TARGETS[1], &[])];
    let zone = json!({"listen": "127.0.0.1:0", "zone": "example.test", "name_servers": ["ns1.example.test"]});
    let good = Setup::new(embedded_record(NAME), &sites)
        .with("/embedded_dns", zone)
        .with("/services/0/sites/1/targets", json!(["redis://127.0.0.1:1"]));
    let output = good.redrover(&["check"]).await;
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("the configuration is right (1 service(s))"), "{}", output.stdout);

    // Each problem: its key as a pointer, its value, and what names it.
    let problems = [
        ("/global/probe_timeout", json!("999h"), "global.probe_timeout"),
        ("/agent/name", json!("two words"), "agent.name"),
        ("/services/0/mode", json!("sometimes"), "services[0].mode"),
        ("/services/0/record/ttl", json!("1500ms"), "services[0].record.ttl"),
        ("/services/0/sites/1/targets/0", json!("http://127.0.0.2"), "services[0].sites[1].targets[0]"),
        ("/services/0/policy/theta_auto", json!(1.25), "services[0].policy.theta_auto"),
        ("/services/0/polcy", json!("unknown"), "polcy"),
    ];
    let bad = problems.iter().fold(good, |setup, (pointer, value, _)| setup.with(pointer, value.clone()));
    let text = fs::read_to_string(bad.config_file()).expect("the configuration");
    let output = bad.redrover(&["check"]).await;
    assert_eq!(output.code, 2, "{}{}", output.stdout, output.stderr);
    for (_, value, name) in &problems {
        let line =
            1 + text.lines().position(|l| l.contains(&value.to_string())).expect("the value was written");
        let place = format!("{}:{line}: ", bad.config_file().display());
        let is_told = |told: &str| told.starts_with(&place) && told.contains(name);
        assert!(output.stderr.lines().any(is_told), "{place}{name}\n{}", output.stderr);
    }
    assert_eq!(bad.redrover(&["run"]).await.code, 2, "an agent with a wrong configuration does not start");

    let mut missing = super::support::agent::redrover();
    missing.args(["check", "--config.file", "/nowhere/redrover.yml"]);
    assert_eq!(run("check", &mut missing, ROUNDS_LIMIT).await.code, 2);
    let mut unknown = super::support::agent::redrover();
    unknown.args(["check", "--conect"]);
    assert_eq!(run("check", &mut unknown, ROUNDS_LIMIT).await.code, 2);
}

#[tokio::test]
async fn check_connect_says_what_is_missing() {
    let mut scene = Scene::start(Holder::Route53, &[]).await;
    let connect = ["check", "--connect"];
    let missing = |stdout: &str, words: &[&str]| {
        let is_told = |l: &str| l.contains("MISSING") && words.iter().all(|word| l.contains(word));
        stdout.lines().any(is_told)
    };

    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(missing(&output.stdout, &[NAME, "no fence", "redrover adopt"]), "{}", output.stdout);

    scene.adopt(SERVICE).await;
    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(!output.stdout.contains("MISSING"), "{}", output.stdout);

    let password = scene.setup.data_dir().join("password");
    fs::write(&password, "wrong").expect("the password can be written");
    scene.setup.set("/services/0/redis", json!({"username": "nobody", "password_file": password}));
    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(missing(&output.stdout, &["dc-a", &scene.primary.target(), "auth"]), "{}", output.stdout);
    assert!(missing(&output.stdout, &["dc-b", "auth"]), "{}", output.stdout);

    scene.setup.set("/services/0/redis", Value::Null);
    scene.standby.kill();
    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(missing(&output.stdout, &["dc-b", &scene.standby.target(), "refused"]), "{}", output.stdout);
    assert!(!missing(&output.stdout, &["dc-a"]), "{}", output.stdout);
}

async fn reload(scene: &Scene) -> http::Response {
    http::send(http::client().post(scene.agent.url("/-/reload"))).await.expect("the agent answers")
}

async fn wait_mode(scene: &Scene, mode: &str) {
    let labels = [("redis_service", SERVICE), ("mode", mode)];
    scene.agent.wait_metric("redrover_service_mode", &labels, 1.0, ROUNDS_LIMIT).await;
}

/// Waits for some rounds in which the agent must never have begun anew.
async fn assert_goes_on(scene: &Scene, so_far: f64) {
    wait_until("some more rounds", ROUNDS_LIMIT, async || {
        let metrics = scene.agent.metrics().await;
        assert_eq!(metrics.value("redrover_veto", &[("veto", "warming_up")]), None);
        scene.decisions(None).await >= so_far + 5.0
    })
    .await;
}

#[tokio::test]
async fn a_reload_takes_all_or_nothing_and_forgets_nothing() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    let reloaded = "redrover_config_last_reload_successful";
    let so_far = scene.decisions(None).await;

    scene.setup.set("/services/0/mode", json!("recommend"));
    scene.agent.process().signal("HUP");
    wait_mode(&scene, "recommend").await;
    assert_goes_on(&scene, so_far).await;
    scene.agent.wait_metric(reloaded, &[], 1.0, ROUNDS_LIMIT).await;

    scene.setup.set("/services/0/mode", json!("sometimes"));
    let response = reload(&scene).await;
    assert_eq!(response.status, 500, "{}", response.body);
    assert!(response.body.contains("services[0].mode"), "{}", response.body);
    scene.agent.wait_metric(reloaded, &[], 0.0, ROUNDS_LIMIT).await;
    wait_mode(&scene, "recommend").await;

    let elsewhere = scene.setup.data_dir().join("elsewhere");
    let data_dir = scene.setup.data_dir();
    scene.setup.set("/services/0/mode", json!("automatic"));
    scene.setup.set("/agent/data_dir", json!(elsewhere));
    let response = reload(&scene).await;
    assert_eq!(response.status, 500, "{}", response.body);
    assert!(response.body.contains("agent.data_dir"), "{}", response.body);
    wait_mode(&scene, "recommend").await;

    scene.setup.set("/agent/data_dir", json!(data_dir));
    let so_far = scene.decisions(None).await;
    let response = reload(&scene).await;
    assert_eq!(response.status, 200, "{}", response.body);
    scene.agent.wait_metric(reloaded, &[], 1.0, ROUNDS_LIMIT).await;
    wait_mode(&scene, "automatic").await;
    assert_goes_on(&scene, so_far).await;

    // What was seen before the reloads still counts: the agent may act at once.
    scene.assert_unmoved(1).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_switch(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    assert_eq!(scene.sandbox().history().await.applied("api"), 3);
}
