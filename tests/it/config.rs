//! The configuration: checked as a whole, held against the world on request, and replaced while the agent runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::support::agent::{SERVICE, Setup, embedded_record, route53_record, site};
use super::support::http;
use super::support::ports::free_port;
use super::support::process::{run, wait_until};
use super::support::redis::{RedisOptions, RedisServer};
use super::support::sandbox::Route53Sandbox;
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

/// Whether a line of the report begins with the word and holds the others.
fn is_told(stdout: &str, word: &str, others: &[&str]) -> bool {
    stdout.lines().any(|l| l.trim_start().starts_with(word) && others.iter().all(|other| l.contains(other)))
}

#[tokio::test]
async fn check_connect_says_what_is_missing_and_what_fails() {
    let mut scene = Scene::start(Holder::Route53, &[]).await;
    let connect = ["check", "--connect"];

    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(is_told(&output.stdout, "MISSING", &[NAME, "no fence", "redrover adopt"]), "{}", output.stdout);
    assert!(output.stderr.contains("1 missing"), "{}", output.stderr);

    scene.adopt(SERVICE).await;
    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(!output.stdout.contains("MISSING") && !output.stdout.contains("FAILED"), "{}", output.stdout);

    let password = scene.setup.data_dir().join("password");
    fs::write(&password, "wrong").expect("the password can be written");
    scene.setup.set("/services/0/redis", json!({"username": "nobody", "password_file": password}));
    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    let primary = scene.primary.target();
    assert!(is_told(&output.stdout, "MISSING", &["dc-a", &primary, "auth"]), "{}", output.stdout);
    assert!(is_told(&output.stdout, "MISSING", &["dc-b", "auth"]), "{}", output.stdout);

    scene.setup.set("/services/0/redis", Value::Null);
    scene.standby.kill();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    scene.setup.set("/alertmanager", json!({"url": nobody}));
    let output = scene.setup.redrover(&connect).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    let standby = scene.standby.target();
    assert!(is_told(&output.stdout, "FAILED", &["dc-b", &standby, "refused"]), "{}", output.stdout);
    assert!(is_told(&output.stdout, "FAILED", &["Alertmanager", &nobody, "refused"]), "{}", output.stdout);
    assert!(!output.stdout.contains("MISSING"), "{}", output.stdout);
    assert!(!is_told(&output.stdout, "FAILED", &["dc-a"]), "{}", output.stdout);
    assert!(output.stderr.contains("2 failed"), "{}", output.stderr);
}

#[tokio::test]
async fn check_connect_proves_the_rights_that_a_switch_needs() {
    // As the README asks for, with and without its second line.
    let looks = "user looker on >pw ~redrover:canary:* -@all +ping +info +set +get";
    let acts = "user actor on >pw ~redrover:canary:* -@all +ping +info +set +get +role +client|pause +client|unpause +replicaof";
    let options = RedisOptions::default().line(looks).line(acts);
    let primary = RedisServer::start(options.clone()).await;
    let standby = RedisServer::start(options.replica_of(&primary)).await;
    let sandbox = Route53Sandbox::start(&[&format!("{NAME} CNAME 5 {}", TARGETS[0])]).await;
    let sites = [site("dc-a", TARGETS[0], &[&primary]), site("dc-b", TARGETS[1], &[&standby])];
    let setup = Setup::new(route53_record(&sandbox, NAME), &sites);
    let password = setup.data_dir().join("password");
    fs::write(&password, "pw").expect("the password can be written");
    let login = |user: &str| json!({"username": user, "password_file": password});

    let mut setup = setup.with("/services/0/redis", login("looker"));
    let output = setup.redrover(&["check", "--connect"]).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    for (datacenter, server) in [("dc-a", &primary), ("dc-b", &standby)] {
        for rule in ["+client|pause", "+replicaof", "+role"] {
            let told = is_told(&output.stdout, "MISSING", &[datacenter, &server.target(), rule]);
            assert!(told, "{rule}: {}", output.stdout);
        }
    }

    setup.set("/services/0/redis", login("actor"));
    let output = setup.redrover(&["check", "--connect"]).await;
    for datacenter in ["dc-a", "dc-b"] {
        assert!(
            is_told(&output.stdout, "ok", &[datacenter, "pause writes and promote"]),
            "{}",
            output.stdout
        );
    }
    assert!(!is_told(&output.stdout, "MISSING", &["redis://"]), "{}", output.stdout);

    // A service that is never promoted needs no more than to look.
    setup.set("/services/0/redis", login("looker"));
    setup.set("/services/0/promote", Value::Null);
    let output = setup.redrover(&["check", "--connect"]).await;
    assert!(!is_told(&output.stdout, "MISSING", &["redis://"]), "{}", output.stdout);

    // All that was tried changed nothing.
    assert_eq!(primary.info("role").await.expect("an answer").as_deref(), Some("master"));
    assert_eq!(standby.info("role").await.expect("an answer").as_deref(), Some("slave"));
    assert_eq!(standby.info("master_link_status").await.expect("an answer").as_deref(), Some("up"));
    let _: () = primary.command(&["SET", "still", "written"]).await.expect("no write is paused");
}

#[tokio::test]
async fn check_connect_creates_nothing() {
    let servers = [RedisServer::primary().await, RedisServer::primary().await];
    let sites = [site("dc-a", TARGETS[0], &[&servers[0]]), site("dc-b", TARGETS[1], &[&servers[1]])];
    let zone = json!({"listen": format!("127.0.0.1:{}", free_port()), "zone": "example.test", "name_servers": ["ns1.example.test"]});
    let mut setup = Setup::new(embedded_record(NAME), &sites).with("/embedded_dns", zone);
    let names = |folder: &Path| {
        let names = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name());
        names.collect::<BTreeSet<_>>()
    };
    let data_dir = setup.data_dir();
    let nowhere = data_dir.join("nowhere");
    setup.set("/agent/data_dir", json!(nowhere));
    let output = setup.redrover(&["check", "--connect"]).await;
    assert!(is_told(&output.stdout, "MISSING", &[NAME, "no such record", "--active"]), "{}", output.stdout);
    assert!(!nowhere.exists(), "no folder for an agent that never ran");

    setup.set("/agent/data_dir", json!(data_dir));
    let adopted = setup.redrover(&["adopt", SERVICE, "--active", "dc-a", "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    let before = names(&data_dir);
    let output = setup.redrover(&["check", "--connect"]).await;
    assert!(is_told(&output.stdout, "ok", &[NAME, "dc-a is active, epoch 1"]), "{}", output.stdout);
    assert_eq!(names(&data_dir), before);

    // Beside a running agent, whose changes may stand in the log only.
    let agent = setup.start().await;
    let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    let before = names(&data_dir);
    let output = setup.redrover(&["check", "--connect"]).await;
    assert!(is_told(&output.stdout, "ok", &[NAME, "dc-a is active, epoch 2"]), "{}", output.stdout);
    assert_eq!(names(&data_dir), before);
    assert_eq!(agent.get("/-/healthy").await.status, 200);
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
