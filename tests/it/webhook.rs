//! The way in for alerts: from a real Alertmanager, past every refusal, and durable before it is answered.

use serde_json::{Value, json};

use super::support::agent::{Agent, SERVICE, WEBHOOK_TOKEN, notification};
use super::support::http;
use super::support::process::{START_LIMIT, wait_until};
use super::support::prometheus::{Alertmanager, repository_text};
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene};

async fn counted(agent: &Agent, result: &str) -> f64 {
    let metrics = agent.metrics().await;
    metrics
        .value("redrover_webhook_notifications_total", &[("result", result)])
        .expect("it is there from the start")
}

#[tokio::test]
async fn alertmanager_posts_with_its_token() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    let folder = tempfile::tempdir().expect("a folder for the token");
    let token = folder.path().join("webhook-token");
    std::fs::write(&token, WEBHOOK_TOKEN).expect("the token can be written");
    let config = repository_text(
        "deploy/alertmanager/alertmanager.yml",
        &[
            ("127.0.0.1:9911", &scene.agent.address().to_string()),
            ("/etc/redrover/webhook-token", &token.display().to_string()),
        ],
    );
    let alertmanager = Alertmanager::start(&config).await;
    let alerts = json!([
        {"labels": {"alertname": "RedisDown", "redis_service": SERVICE, "datacenter": "dc-a", "severity": "critical"}},
        {"labels": {"alertname": "RedroverHalted", "redis_service": SERVICE}},
        {"labels": {"alertname": "Elsewhere"}},
    ]);
    let request = http::client().post(format!("{}/api/v2/alerts", alertmanager.url())).json(&alerts);
    let response = http::send(request).await.expect("Alertmanager answers");
    assert_eq!(response.status, 200, "{}", response.body);

    let alert = [("redis_service", SERVICE), ("group", "alert")];
    wait_until("the notification to be taken", START_LIMIT, async || {
        counted(&scene.agent, "accepted").await >= 1.0
    })
    .await;
    scene.adopt(SERVICE).await;
    scene.agent.wait_metric("redrover_evidence", &alert, 1.0, ROUNDS_LIMIT).await;
    let decision = scene.wait_decision("hold", "alert_contradicted").await;
    let terms = decision["confidence"]["terms"].as_array().expect("terms");
    assert!(terms.iter().any(|t| t["because"] == "1 firing: RedisDown"), "only alerts of others: {decision}");
    assert_eq!(counted(&scene.agent, "unauthorized").await, 0.0);
    assert_eq!(counted(&scene.agent, "malformed").await, 0.0);
}

/// Posts bytes with the right token.
async fn post(agent: &Agent, body: Vec<u8>) -> http::Response {
    let request = http::client().post(agent.url("/webhook/alertmanager"));
    let request = request.header("content-type", "application/json").bearer_auth(WEBHOOK_TOKEN).body(body);
    http::send(request).await.unwrap_or_else(|e| panic!("the webhook does not answer: {e}"))
}

fn with(pointer: &str, value: Value) -> Vec<u8> {
    let mut notification = notification("firing", &[("redis_service", SERVICE)]);
    *notification.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}: not there")) = value;
    notification.to_string().into_bytes()
}

#[tokio::test]
async fn what_is_refused_is_told_so_and_counted() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    let agent = &scene.agent;
    let good = notification("firing", &[("redis_service", SERVICE)]);
    for token in [None, Some(""), Some("another"), Some("a-token-for-test")] {
        assert_eq!(agent.post_webhook_as(&good, token).await.status, 401, "{token:?}");
    }
    assert_eq!(counted(agent, "unauthorized").await, 4.0);

    let malformed = [
        b"".to_vec(),
        b"{\"version\": \"4\", ".to_vec(),
        b"[]".to_vec(),
        b"\xff\xfe{}".to_vec(),
        with("/version", json!("3")),
        with("/version", json!(4)),
        with("/alerts/0/status", json!("burning")),
        with("/alerts/0/fingerprint", json!("not hexadecimal")),
    ];
    for body in &malformed {
        let response = post(agent, body.clone()).await;
        let text = String::from_utf8_lossy(body);
        assert_eq!(response.status, 400, "{text}: {}", response.body);
        let told: Value = serde_json::from_str(&response.body).expect("a refusal is JSON");
        assert!(told["error"].as_str().is_some_and(|e| !e.is_empty()), "{text}: {}", response.body);
    }
    assert_eq!(counted(agent, "malformed").await, malformed.len() as f64);

    // Well formed, and as large as it is: JSON may be followed by spaces.
    let mut large = good.to_string().into_bytes();
    large.resize(10 * 1024 * 1024, b' ');
    for _ in 0..5 {
        assert_eq!(post(agent, large.clone()).await.status, 413);
    }
    assert_eq!(counted(agent, "too_large").await, 5.0);

    assert_eq!(counted(agent, "accepted").await, 0.0);
    assert_eq!(agent.post_webhook(&good).await.status, 200);
    assert_eq!(counted(agent, "accepted").await, 1.0);
    assert_eq!(agent.get("/webhook/alertmanager").await.status, 405);
}

#[tokio::test]
async fn what_cannot_be_made_durable_is_asked_for_again() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    scene.adopt(SERVICE).await;
    let good = notification("firing", &[("redis_service", SERVICE)]);
    let journal = scene.setup.data_dir().join("journal.db");
    let mut other = rusqlite::Connection::open(journal).expect("the journal can be opened");
    other.busy_timeout(START_LIMIT).expect("a time to wait");
    let lock = other
        .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
        .expect("the journal can be locked");

    let response = scene.agent.post_webhook(&good).await;
    assert_eq!(response.status, 503, "{}", response.body);
    assert!(counted(&scene.agent, "unavailable").await >= 1.0);
    assert_eq!(counted(&scene.agent, "accepted").await, 0.0);
    scene.wait_number("redrover_journal_durable", 0.0).await;
    scene.wait_number("redrover_halted", 1.0).await;

    drop(lock);
    scene.wait_number("redrover_journal_durable", 1.0).await;
    let response = scene.agent.post_webhook(&good).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert_eq!(counted(&scene.agent, "accepted").await, 1.0);
    scene.wait_number("redrover_halted", 0.0).await;
}

#[tokio::test]
async fn alerts_beyond_what_is_remembered_are_counted_and_told() {
    const REMEMBERED: usize = 1000;
    let mut scene = Scene::start(Holder::Embedded, &[]).await;
    scene.wait_rounds(1).await;
    let many = |alerts: std::ops::Range<usize>| {
        let mut notification = notification("firing", &[("redis_service", SERVICE)]);
        let one = notification["alerts"][0].clone();
        let alert = |number: usize| {
            let mut alert = one.clone();
            alert["fingerprint"] = json!(format!("{number:016x}"));
            alert
        };
        notification["alerts"] = alerts.map(alert).collect();
        notification
    };
    for (alerts, dropped, total) in [
        (0..REMEMBERED, 0, 0),
        // A repeated one is no new one.
        (REMEMBERED - 5..REMEMBERED + 10, 10, 10),
        (REMEMBERED + 10..REMEMBERED + 11, 1, 11),
    ] {
        let posted = alerts.len();
        let response = scene.agent.post_webhook(&many(alerts)).await;
        let answer: Value = serde_json::from_str(&response.body).expect("the answer is JSON");
        let told = json!({"result": "accepted", "alerts": posted, "unmatched": 0, "dropped": dropped});
        assert_eq!((response.status, answer), (200, told));
        scene.wait_number("redrover_alerts_dropped_total", f64::from(total)).await;
        // The next answer is as of a round that has read this notification.
        scene.wait_rounds(2).await;
    }
    let log = scene.agent.process().stderr();
    let lines = log.lines().filter(|line| line.contains("more alerts fire than are remembered")).count();
    assert_eq!(lines, 1, "{log}");
}
