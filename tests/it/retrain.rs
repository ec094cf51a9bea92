//! Models anew on a person's word: over HTTP, and by a command beside a running agent.

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::http;
use super::support::process::wait_until;
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene};

const PATH: &str = "/api/v1/models/retrain";

#[tokio::test]
async fn orders_to_retrain_are_taken_or_refused_with_a_reason() {
    let analysis = json!({"period": "1s", "history": "1h", "history_min": "30m"});
    let scene = Scene::start(Holder::Embedded, &[("/analysis", analysis)]).await;
    let ask = async |query: &str| {
        let url = scene.agent.url(&format!("{PATH}{query}"));
        let response = http::send(http::client().post(url)).await.expect("an answer");
        (response.status, serde_json::from_str::<Value>(&response.body).expect("JSON"))
    };
    // Nothing is kept before the first period is over.
    let models = scene.setup.data_dir().join("models");
    wait_until("a first row", ROUNDS_LIMIT, async || models.exists()).await;
    assert_eq!(ask("").await, (202, json!({"retraining": "all"})));
    assert_eq!(ask(&format!("?service={SERVICE}")).await, (202, json!({"retraining": SERVICE})));
    for query in ["?service=other", "?services=sessions", "?service="] {
        let (status, body) = ask(query).await;
        assert_eq!(status, 400, "{query}");
        assert!(body["error"].is_string(), "{body}");
    }
    let read = http::send(http::client().get(scene.agent.url(PATH))).await.expect("an answer");
    assert_eq!(read.status, 405, "reading orders nothing");

    // By command; the agent takes it with its next row, and strikes it out when it has done what it can.
    let ordered = scene.setup.redrover(&["models", "retrain", SERVICE]).await;
    assert_eq!(ordered.code, 0, "{}", ordered.stderr);
    assert!(ordered.stdout.contains("asked for new models"), "{}", ordered.stdout);
    let stand = || std::fs::read_dir(models.join("orders")).is_ok_and(|mut orders| orders.next().is_some());
    wait_until("all are struck out", ROUNDS_LIMIT, async || !stand()).await;
    let unknown = scene.setup.redrover(&["models", "retrain", "other"]).await;
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
    assert!(!stand());
}
