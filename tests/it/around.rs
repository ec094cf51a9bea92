//! What is around the Redis, with a real Prometheus: it reaches the evidence, and `check --connect` tries all of it.

use serde_json::json;
use tokio::net::TcpListener;

use super::support::agent::SERVICE;
use super::support::ports::free_port;
use super::support::process::{START_LIMIT, wait_until};
use super::support::prometheus::Prometheus;
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene};

/// Whether a line of the report begins with the word and holds the others.
fn is_told(stdout: &str, word: &str, others: &[&str]) -> bool {
    stdout.lines().any(|l| l.trim_start().starts_with(word) && others.iter().all(|other| l.contains(other)))
}

async fn prometheus() -> Prometheus {
    let prometheus = Prometheus::start("global: {scrape_interval: 1s}").await;
    wait_until("a first answer", START_LIMIT, async || !prometheus.query("vector(1)").await.is_empty()).await;
    prometheus
}

#[tokio::test]
async fn a_query_of_prometheus_arrives_as_client_errors() {
    let prometheus = prometheus().await;
    let url = json!({"url": prometheus.url()});
    let share = json!({"promql": "vector(1) / 4"});
    let changes = [("/prometheus", url), ("/services/0/client_errors", share)];
    let mut scene = Scene::start(Holder::Embedded, &changes).await;
    let client = [("redis_service", SERVICE), ("group", "client")];
    let gaps = "redrover_collector_gaps_total";
    let silent = [("collector", "client"), ("reason", "protocol")];
    wait_until("the share to become evidence", ROUNDS_LIMIT, async || {
        scene.agent.metrics().await.value("redrover_evidence", &client).is_some_and(|share| share > 0.0)
    })
    .await;
    assert_eq!(scene.agent.metrics().await.value(gaps, &silent), None);
    let output = scene.setup.redrover(&["check", "--connect"]).await;
    assert!(is_told(&output.stdout, "ok", &["client errors", "0.25"]), "{}", output.stdout);

    // No requests: nothing is known, and nothing is no evidence.
    scene.setup.set("/services/0/client_errors", json!({"promql": "vector(0) / vector(0)"}));
    scene.agent.process().signal("HUP");
    wait_until("the evidence to be gone", ROUNDS_LIMIT, async || {
        let metrics = scene.agent.metrics().await;
        metrics.value(gaps, &silent) > Some(0.0) && metrics.value("redrover_evidence", &client).is_none()
    })
    .await;
    for (promql, words) in [
        ("vector(0) / vector(0)", "the value is NaN"),
        ("nobody_exports_this", "found nothing"),
        ("label_replace(vector(1), \"a\", \"b\", \"\", \"\") or vector(0)", "2 series"),
        ("nobody_exports_this[1m]", "neither a scalar nor an instant vector"),
        ("1 +", "bad_data"),
    ] {
        scene.setup.set("/services/0/client_errors", json!({"promql": promql}));
        let output = scene.setup.redrover(&["check", "--connect"]).await;
        assert!(is_told(&output.stdout, "FAILED", &["client errors", words]), "{promql}: {}", output.stdout);
    }
}

#[tokio::test]
async fn check_connect_tries_what_is_around_the_services() {
    let mut scene = Scene::start(Holder::Embedded, &[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let open = listener.local_addr().expect("an address").to_string();
    let closed = format!("127.0.0.1:{}", free_port());
    let password = scene.setup.data_dir().join("password");
    std::fs::write(&password, "hunter2").expect("the password can be written");
    let url = format!("http://{closed}");
    scene.setup.set("/self_check", json!([{"tcp": open}, {"tcp": closed}, {"dns": "localhost"}]));
    scene.setup.set("/datacenters/0/domain_checks", json!([{"tcp": open}, {"http": url}]));
    let enterprise = json!({"url": url, "username": "redrover", "password_file": password});
    scene.setup.set("/datacenters/1/enterprise", enterprise);
    scene.setup.set("/services/0/sites/1/database", json!(7));
    scene.setup.set("/prometheus", json!({"url": url}));
    scene.setup.set("/services/0/client_errors", json!({"promql": "up"}));
    let output = scene.setup.redrover(&["check", "--connect"]).await;
    assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
    for (word, others) in [
        ("ok", ["self-check", open.as_str(), "ms"]),
        ("ok", ["self-check", "localhost", "ms"]),
        ("FAILED", ["self-check", &closed, "refused"]),
        ("ok", ["dc-a", &open, "ms"]),
        ("FAILED", ["dc-a", &url, "refused"]),
        ("FAILED", ["dc-b", "control plane", "refused"]),
        ("FAILED", ["client errors", "no value", "refused"]),
    ] {
        assert!(is_told(&output.stdout, word, &others), "{word} {others:?}: {}", output.stdout);
    }
    assert!(!format!("{}{}", output.stdout, output.stderr).contains("hunter2"));
}
