//! Every query of every dashboard has an answer, in a Prometheus that scrapes a real agent.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::process::wait_until;
use super::support::prometheus::{Prometheus, repository_path};
use super::support::redis::RedisServer;
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene};

/// What Grafana puts in place of its variables when all is chosen.
const VARIABLES: [(&str, &str); 5] = [
    ("$__rate_interval", "20s"),
    ("$agent", ".*"),
    ("$redis_service", ".*"),
    ("$datacenter", ".*"),
    ("$target", ".*"),
];
/// Words of a query that begin like a metric's name and are labels.
const LABELS: [&str; 1] = ["redis_service"];

/// The title of a panel, and one query of it.
fn queries() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let folder = fs::read_dir(repository_path("dashboards")).expect("there are dashboards");
    for entry in folder {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a dashboard can be read");
        let board: Value = serde_json::from_str(&text).expect("a dashboard is JSON");
        for panel in board["panels"].as_array().expect("it has panels") {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expr = target["expr"].as_str().expect("a query").to_owned();
                let expr = VARIABLES.iter().fold(expr, |expr, (name, value)| expr.replace(name, value));
                assert!(!expr.contains('$'), "{expr}");
                found.push((format!("{}: {}", board["title"], panel["title"]), expr));
            }
        }
    }
    assert!(found.len() > 50, "{}", found.len());
    found
}

/// The metrics that a query names.
fn metrics(expr: &str) -> BTreeSet<&str> {
    let words = expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_ours =
        |word: &&str| ["redis_", "redrover_", "process_"].iter().any(|start| word.starts_with(start));
    words.filter(is_ours).filter(|word| !LABELS.contains(word)).collect()
}

#[tokio::test]
async fn every_query_of_every_dashboard_has_an_answer() {
    // Three of one role, so that each has peers, and a period in which the test can see some.
    let primary = RedisServer::primary().await;
    let standby = RedisServer::replica(&primary).await;
    let further = [RedisServer::replica(&primary).await, RedisServer::replica(&primary).await];
    let standbys = json!([standby.target(), further[0].target(), further[1].target()]);
    let analysis = json!({"period": "1s", "history": "1d", "history_min": "1h"});
    let changes = [("/services/0/sites/1/targets", standbys), ("/analysis", analysis)];
    let scene = Scene::start_with(Holder::Embedded, primary, standby, &changes).await;
    scene.adopt(SERVICE).await;
    let config = json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{
            "job_name": "redrover", "static_configs": [{"targets": [scene.agent.address().to_string()]}],
        }],
    });
    let prometheus = Prometheus::start(&config.to_string()).await;
    let mut waiting = queries();
    wait_until("every query to have an answer", ROUNDS_LIMIT, async || {
        // What a service does all day: hits, misses, keys with a time to live, and an error.
        let _: () = scene.primary.command(&["SET", "a", "1", "EX", "1000"]).await.expect("an answer");
        let _: () = scene.primary.command(&["GET", "a"]).await.expect("an answer");
        let _: Option<String> = scene.primary.command(&["GET", "none"]).await.expect("an answer");
        assert!(scene.primary.command::<()>(&["LPUSH", "a", "1"]).await.is_err());
        let before = waiting.len();
        let mut left = Vec::new();
        for (panel, expr) in waiting.drain(..) {
            if prometheus.query(&expr).await.is_empty() {
                left.push((panel, expr));
            }
        }
        waiting = left;
        if waiting.len() < before {
            eprintln!("without an answer yet: {waiting:#?}");
        }
        waiting.is_empty()
    })
    .await;

    let page = scene.agent.get("/metrics").await.body;
    let families: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for (panel, expr) in queries() {
        for metric in metrics(&expr) {
            let is_known = families.contains(metric.trim_end_matches("_bucket"));
            assert!(is_known, "{panel}: {metric} is not exported");
        }
    }
}
