//! What the rounds measure is kept for people who plan, in a file that nothing else needs.

use std::fs;

use serde_json::{Value, json};

use super::support::agent::{SERVICE, redrover};
use super::support::process::{run, wait_for};
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene};

#[tokio::test]
async fn measurements_are_kept_and_a_damaged_file_harms_nothing() {
    let metrics = json!({"metrics": {"resolution": "10s", "retention": "1d", "size_max_mib": 16}});
    let mut scene = Scene::start(Holder::Embedded, &[("/history", metrics)]).await;
    // A file that cannot be read is begun anew; the agent does not mind.
    scene.agent.process().kill();
    let file = scene.setup.data_dir().join("metrics.db");
    fs::write(&file, "no database ".repeat(1_000)).expect("it can be written");
    scene.agent = scene.setup.start().await;
    scene.adopt(SERVICE).await;
    let words = ["--metric", "redis_memory_used_bytes", "--output", "json"];
    let points = wait_for("points", ROUNDS_LIMIT, async || {
        let told = history_metrics(&scene, &words).await;
        let lines = told.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        Some(lines.collect::<Vec<_>>()).filter(|points| points.len() >= 2)
    })
    .await;
    let sites: Vec<_> = points.iter().map(|point| point["datacenter"].as_str().expect("a name")).collect();
    assert!(sites.contains(&"dc-a") && sites.contains(&"dc-b"), "{points:?}");
    assert!(points.iter().all(|point| point["mean"].as_f64() > Some(100_000.0)), "{points:?}");
    let told = history_metrics(&scene, &["--since", "1h"]).await;
    for metric in
        ["redis_connected_clients", "redis_commands_processed_total, per second", "redrover_ping_seconds"]
    {
        assert!(told.contains(metric), "{told}");
    }
    assert!(scene.agent.process().stderr().contains("the history of measurements is damaged"));
    scene.agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;
}

async fn history_metrics(scene: &Scene, words: &[&str]) -> String {
    let mut command = redrover();
    command.args(["history", "metrics", SERVICE, "--config.file"]).arg(scene.setup.config_file()).args(words);
    run("redrover history metrics", &mut command, ROUNDS_LIMIT).await.stdout
}
