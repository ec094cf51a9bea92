//! `/scrape`: one Redis, asked at that moment; only what is configured, and always in time.

use std::time::Duration;

use redrover::monitor::Names;
use redrover::types::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::support::agent::{Agent, Metrics, SERVICE, Setup, embedded_record};
use super::support::catalog::assert_is_in_the_catalog;
use super::support::http;
use super::support::process::{START_LIMIT, wait_for};
use super::support::prometheus::Prometheus;
use super::support::redis::{RedisOptions, RedisServer};
use super::support::scene::{Holder, Scene};

/// A program that only exports: two groups, no service.
async fn exporter(groups: Value) -> (Setup, Agent) {
    let mut setup = Setup::new(embedded_record("sessions.example.test"), &[]);
    for key in ["/services", "/datacenters", "/webhook"] {
        setup.set(key, Value::Null);
    }
    setup.set("/exporter", json!({"groups": groups}));
    let agent = setup.start().await;
    (setup, agent)
}

async fn scrape(agent: &Agent, target: &str, timeout_seconds: &str) -> http::Response {
    let request = http::client().get(agent.url("/scrape")).query(&[("target", target)]);
    let request = request.header("x-prometheus-scrape-timeout-seconds", timeout_seconds);
    http::send(request).await.expect("the agent answers")
}

#[tokio::test]
async fn only_configured_targets_are_scraped_and_all_of_them_are_discovered() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    let elsewhere = RedisServer::primary().await;
    assert_eq!(scrape(&scene.agent, &elsewhere.target(), "5").await.status, 404);
    assert_eq!(scene.agent.get("/scrape").await.status, 400);
    let connections: Option<String> = elsewhere.info("total_connections_received").await.expect("INFO");
    assert!(connections.is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n < 5)), "nobody was sent there");

    let page = scrape(&scene.agent, &scene.primary.target(), "5").await;
    assert_eq!(page.status, 200);
    assert_is_in_the_catalog(&page.body, Names::Clean);
    let metrics = Metrics::parse(&page.body);
    assert_eq!(metrics.value("redis_up", &[]), Some(1.0));
    assert!(!page.body.contains("datacenter="), "{}", page.body);
    // As an address of the same server is written by other people.
    let bare = scene.primary.target().replace("redis://", "");
    assert_eq!(scrape(&scene.agent, &bare, "5").await.status, 200);

    let found: Value = serde_json::from_str(&scene.agent.get("/discover").await.body).expect("JSON");
    let want = |datacenter: &str, server: &RedisServer| {
        let labels = json!({"redis_service": SERVICE, "datacenter": datacenter});
        json!({"targets": [server.target()], "labels": labels})
    };
    let found = found.as_array().expect("a list");
    assert_eq!(found.len(), 2, "{found:?}");
    for entry in [want("dc-a", &scene.primary), want("dc-b", &scene.standby)] {
        assert!(found.contains(&entry), "{entry} is not in {found:?}");
    }
}

#[tokio::test]
async fn a_hung_redis_is_told_within_prometheus_timeout_and_delays_nobody() {
    let [hung, sibling] = [RedisServer::primary().await, RedisServer::primary().await];
    let groups = json!([{"name": "caches", "targets": [hung.target(), sibling.target()]}]);
    let (_setup, agent) = exporter(groups).await;
    assert!(scrape(&agent, &hung.target(), "5").await.body.contains("\nredis_up 1\n"));
    hung.stop();
    let clock = SystemClock::new();
    let began = clock.now();
    let elapsed = || clock.now().since(began);
    let (target, other) = (hung.target(), sibling.target());
    let (page, beside) = tokio::join!(scrape(&agent, &target, "2"), async {
        let page = scrape(&agent, &other, "2").await;
        (page, elapsed())
    });
    let took = elapsed();
    assert!(page.body.contains("\nredis_up 0\n"), "{}", page.body);
    assert!(page.body.contains("redis_exporter_last_scrape_error{err=\"timeout\"} 1"), "{}", page.body);
    assert!(took < Duration::from_secs(2) && took > Duration::from_secs(1), "{took:?}");
    assert!(beside.0.body.contains("\nredis_up 1\n") && beside.1 < Duration::from_secs(1), "{:?}", beside.1);
}

#[tokio::test]
async fn keys_are_looked_at_where_the_configuration_says_so_and_by_callers_where_it_lets_them() {
    let primary = RedisServer::primary().await;
    for words in
        [&["SET", "n:1", "42"][..], &["RPUSH", "queue", "a", "b"], &["XADD", "orders", "5-1", "a", "1"]]
    {
        primary.command::<redis::Value>(words).await.expect("a write");
    }
    let replica = RedisServer::replica(&primary).await;
    replica.wait_link_up().await;
    let groups = json!([{"name": "caches", "targets": [primary.target(), replica.target()]}]);
    let (mut setup, mut agent) = exporter(groups).await;
    let ask = async |agent: &Agent, server: &RedisServer| {
        let target = server.target();
        let query = [("target", &*target), ("check-single-keys", "queue"), ("count-keys", "n:*")];
        http::send(http::client().get(agent.url("/scrape")).query(&query)).await.expect("the agent answers")
    };
    let refused = ask(&agent, &replica).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("exporter.keys.by_request"), "{}", refused.body);

    setup.set("/exporter/keys", json!({"check_keys": ["n:*"], "check_streams": ["*"], "by_request": true}));
    agent.process().signal("HUP");
    let page = wait_for("the reload", START_LIMIT, async || {
        let page = ask(&agent, &replica).await;
        (page.status == 200).then_some(page.body)
    })
    .await;
    assert_is_in_the_catalog(&page, Names::Clean);
    let of = Metrics::parse(&page);
    assert_eq!(of.value("redis_key_value", &[("db", "db0"), ("key", "n:1")]), Some(42.0));
    assert_eq!(of.value("redis_key_size", &[("key", "queue")]), Some(2.0));
    assert_eq!(of.value("redis_keys_matching", &[("key", "n:*")]), Some(1.0));
    assert_eq!(of.value("redis_stream_length", &[("stream", "orders")]), Some(1.0));
    assert_eq!(of.value("redrover_scrape_keys_complete", &[]), Some(1.0));
    let page = ask(&agent, &primary).await.body;
    assert!(!page.contains("redis_key_size") && page.contains("\nredis_up 1\n"), "the primary is left alone");
}

/// The queries of the two dashboards that redis_exporter publishes and of its mixin, with variables filled in; of an
/// alert, what it looks at. The rules' own recorded series stands with its expression.
const QUERIES: &str = include_str!("../testdata/redis_exporter_queries.txt");

#[tokio::test]
async fn the_published_dashboards_and_rules_of_redis_exporter_find_their_data() {
    let primary = RedisServer::start(RedisOptions::default().line("maxmemory 100mb")).await;
    let replica = RedisServer::replica(&primary).await;
    let node = RedisServer::start(RedisOptions::default().line("cluster-enabled yes")).await;
    let groups = json!([
        {"name": "caches", "targets": [primary.target(), replica.target()]},
        {"name": "cluster", "targets": [node.target()]},
    ]);
    let (_setup, agent) = exporter(groups).await;
    let config = json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{
            "job_name": "redis", "metrics_path": "/scrape",
            "http_sd_configs": [{"url": agent.url("/discover"), "refresh_interval": "5s"}],
            "relabel_configs": [
                {"source_labels": ["__address__"], "target_label": "__param_target"},
                {"source_labels": ["__param_target"], "target_label": "instance"},
                {"target_label": "__address__", "replacement": agent.address().to_string()},
            ],
        }],
    });
    let prometheus = Prometheus::start(&config.to_string()).await;
    wait_for("three scrapes of each target", START_LIMIT, async || {
        let seen = prometheus.query("count_over_time(redis_up[1h]) > 3").await;
        (seen.len() == 3).then_some(())
    })
    .await;
    assert_eq!(prometheus.query("up == 0").await, []);
    let mut silent = Vec::new();
    for query in QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if prometheus.query(query).await.is_empty() {
            silent.push(query);
        }
    }
    assert!(silent.is_empty(), "no data:\n{}", silent.join("\n"));

    // Nothing of a page is lost on the way.
    let page = scrape(&agent, &primary.target(), "5").await.body;
    let written = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    let instance = format!("scrape_samples_scraped{{instance=\"{}\"}}", primary.target());
    let scraped = prometheus.query(&instance).await;
    let scraped = scraped.first().expect("it was scraped").1;
    // Commands that this test is the first to send bring a few more series.
    assert!((scraped - written as f64).abs() < 40.0, "{scraped} of {written}");
}
