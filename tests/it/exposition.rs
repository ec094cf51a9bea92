//! The page of a scrape, as Prometheus and its tools read it.

use std::io::Read as _;
use std::process::Command;

use flate2::read::GzDecoder;
use redrover::monitor::Names;
use serde_json::json;

use super::support::agent::{Metrics, SERVICE};
use super::support::catalog::assert_is_in_the_catalog;
use super::support::http;
use super::support::process::{START_LIMIT, installed, run, wait_for, wait_until};
use super::support::prometheus::Prometheus;
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene};

/// What the page must have, with so many series at least: dashboards, rules and README rest on these.
const NAMES: [(&str, usize); 32] = [
    ("redis_up", 2),
    ("redis_instance_info", 2),
    ("redis_uptime_in_seconds", 2),
    ("redis_connected_clients", 2),
    ("redis_blocked_clients", 2),
    ("redis_memory_used_bytes", 2),
    ("redis_memory_max_bytes", 2),
    ("redis_commands_processed_total", 2),
    ("redis_connections_received_total", 2),
    ("redis_keyspace_hits_total", 2),
    ("redis_keyspace_misses_total", 2),
    ("redis_evicted_keys_total", 2),
    ("redis_connected_slaves", 2),
    ("redis_master_repl_offset", 2),
    ("redis_loading_dump_file", 2),
    ("redrover_signal", 2),
    ("redrover_snapshot_age_seconds", 2),
    ("redrover_health", 10),
    ("redrover_active_datacenter", 2),
    ("redrover_failover_confidence", 1),
    ("redrover_evidence", 1),
    ("redrover_veto", 1),
    ("redrover_service_mode", 3),
    ("redrover_halted", 1),
    ("redrover_paused", 1),
    ("redrover_fence_epoch", 1),
    ("redrover_dns_drift", 1),
    ("redrover_writable_primaries", 1),
    ("redrover_recommendation_pending", 1),
    ("redrover_journal_durable", 1),
    ("redrover_decisions_total", 4),
    ("redrover_alerts_dropped_total", 1),
];

/// An Accept header, the form that it asks for, and whether that form ends with a mark.
const FORMS: [(&str, &str, bool); 4] = [
    ("", "text/plain; version=0.0.4; charset=utf-8", false),
    ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8", false),
    (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        true,
    ),
    ("application/json", "text/plain; version=0.0.4; charset=utf-8", false),
];

#[tokio::test]
async fn both_forms_of_the_page_hold_what_was_promised() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    scene.adopt(SERVICE).await;
    scene.wait_number("redrover_fence_epoch", 1.0).await;
    for (accept, form, has_end) in FORMS {
        let request = http::client().get(scene.agent.url("/metrics")).header("accept", accept);
        let response = request.send().await.expect("the agent answers");
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], form, "{accept}");
        let page = response.text().await.expect("a page");
        assert_eq!(page.ends_with("# EOF\n"), has_end, "{accept}");
        let metrics = Metrics::parse(&page);
        for (name, least) in NAMES {
            assert!(
                metrics.select(name, &[]).count() >= least,
                "{accept}: {name}: fewer than {least}\n{page}"
            );
        }
        assert_eq!(metrics.value("redis_up", &[("datacenter", "dc-a")]), Some(1.0));
        assert_is_in_the_catalog(&page, Names::Clean);
        if !has_end {
            assert_promtool_is_content(&page).await;
        }
    }
}

#[tokio::test]
async fn the_names_of_redis_exporter_come_on_request_only() {
    let mut scene = Scene::start(Holder::Embedded, &[]).await;
    let name = "redis_total_error_replies";
    assert_eq!(scene.agent.metrics().await.select(name, &[]).count(), 0);
    scene.agent.process().kill();
    scene.agent = scene
        .setup
        .start_with(|command| {
            command.arg("--compat.redis-exporter");
        })
        .await;
    wait_until("both Redis to be seen", ROUNDS_LIMIT, async || {
        scene.agent.metrics().await.select(name, &[]).count() == 2
    })
    .await;
    assert_is_in_the_catalog(&scene.agent.get("/metrics").await.body, Names::Compat);
}

#[tokio::test]
async fn a_page_is_packed_for_whoever_takes_it_so() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    let ask = |coding: &'static str| {
        let request = http::client().get(scene.agent.url("/metrics")).header("accept-encoding", coding);
        async move { request.send().await.expect("the agent answers") }
    };
    let packed = ask("gzip").await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = packed.bytes().await.expect("a body");
    let mut text = String::new();
    GzDecoder::new(&*bytes).read_to_string(&mut text).expect("gzip");
    assert!(text.contains("\nredis_up{") && text.len() > 3 * bytes.len(), "{} {}", text.len(), bytes.len());
    let plain = ask("identity").await;
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert!(plain.text().await.expect("a body").contains("\nredis_up{"));
}

pub(super) async fn assert_promtool_is_content(page: &str) {
    let folder = tempfile::tempdir().expect("a folder for the page");
    let file = folder.path().join("page");
    std::fs::write(&file, page).expect("the page can be written");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" check metrics <\"$1\""]).arg(installed(&["promtool"])).arg(&file);
    let output = run("promtool", &mut command, START_LIMIT).await;
    assert_eq!((output.code, &*output.stdout, &*output.stderr), (0, "", ""), "{page}");
}

/// Until enough was learned fixed limits speak; of a Redis that is gone there is no number.
#[tokio::test]
async fn each_redis_is_held_against_fixed_limits_until_it_was_learned_from() {
    const FAMILIES: [&str; 3] =
        ["redrover_anomaly_score", "redrover_anomaly_threshold", "redrover_anomalous"];
    let mut scene = Scene::start(Holder::Embedded, &[]).await;
    let page = wait_for("a score of each Redis", ROUNDS_LIMIT, async || {
        let page = scene.agent.metrics().await;
        (page.select("redrover_anomaly_score", &[]).count() == 2).then_some(page)
    })
    .await;
    for (datacenter, target) in [("dc-a", scene.primary.target()), ("dc-b", scene.standby.target())] {
        let labels = [("redis_service", SERVICE), ("datacenter", datacenter), ("target", target.as_str())];
        let [score, threshold, anomalous] = FAMILIES.map(|family| page.value(family, &labels).expect(family));
        assert!(score > 0.0 && threshold == 1.0, "{score} {threshold}");
        assert_eq!(anomalous, f64::from(u8::from(score > threshold)));
        assert!(page.select("redrover_anomaly_contribution", &labels).count() > 3, "{datacenter}");
        let basis =
            |name| page.value("redrover_anomaly_basis", &[labels[0], labels[1], labels[2], ("basis", name)]);
        assert_eq!(
            [basis("limits"), basis("young_model"), basis("model")],
            [Some(1.0), Some(0.0), Some(0.0)]
        );
    }
    assert_eq!(page.select("redrover_model_trained_timestamp_seconds", &[]).count(), 0, "there is no model");
    let text = scene.agent.get("/metrics").await.body;
    assert_promtool_is_content(&text).await;

    scene.standby.kill();
    wait_until("the score of the dead Redis to be gone", ROUNDS_LIMIT, async || {
        let page = scene.agent.metrics().await;
        let count = |datacenter| page.select("redrover_anomaly_score", &[("datacenter", datacenter)]).count();
        (count("dc-a"), count("dc-b")) == (1, 0)
    })
    .await;
}

#[tokio::test]
async fn prometheus_scrapes_the_page_without_an_error() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    let config = json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{
            "job_name": "redrover", "static_configs": [{"targets": [scene.agent.address().to_string()]}],
        }],
    });
    let prometheus = Prometheus::start(&config.to_string()).await;
    let up = wait_for("a scrape that saw both Redis", START_LIMIT, async || {
        let seen = prometheus.query("redis_up == 1").await;
        if seen.len() == 2 { prometheus.query("up").await.into_iter().next() } else { None }
    })
    .await;
    assert_eq!(up.1, 1.0);
    // The two that Prometheus would rename if redrover's own clashed with those it adds.
    assert_eq!(prometheus.query("{__name__=~\"redr.*|redis.*\", exported_job!=\"\"}").await, []);
    assert_eq!(prometheus.query("{__name__=~\"redr.*|redis.*\", exported_instance!=\"\"}").await, []);
}

#[tokio::test]
async fn healthy_and_ready_tell_the_truth() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    assert_eq!(scene.agent.get("/-/healthy").await.status, 200);
    wait_for("the agent to be ready", ROUNDS_LIMIT, async || {
        let response = scene.agent.get("/-/ready").await;
        assert!([200, 503].contains(&response.status), "{}", response.body);
        (response.status == 200).then_some(())
    })
    .await;
    assert_eq!(scene.agent.get("/elsewhere").await.status, 404);
}
