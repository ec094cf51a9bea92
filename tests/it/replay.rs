//! What was recorded is decided again: from the journal of a real agent, and from a real Prometheus.

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::process::wait_until;
use super::support::prometheus::Prometheus;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

/// What `redrover replay` tells of the service.
async fn replay(scene: &Scene, words: &[&str]) -> Value {
    let words = [&["replay", SERVICE, "--since", "1h", "--output", "json"], words].concat();
    let json: Value = serde_json::from_str(&scene.order(&words).await).expect("the report is JSON");
    json["services"][0].clone()
}

/// The verdicts of one side that are more than hold, each with its first time.
fn marks(account: &Value, side: &str) -> Vec<(String, i64)> {
    let marks = account[side].as_array().expect("marks").iter();
    marks
        .map(|mark| {
            let verdict = mark["verdict"].as_str().expect("a verdict").to_owned();
            (verdict, mark["from_unix_ms"].as_i64().expect("a time"))
        })
        .collect()
}

fn count(marks: &[(String, i64)], verdict: &str) -> usize {
    marks.iter().filter(|(found, _)| found == verdict).count()
}

#[tokio::test]
async fn a_recorded_failover_is_decided_again_and_otherwise_by_another_policy() {
    let mut scene = Scene::ready(Holder::Embedded, &[]).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_switch(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    scene.wait_rounds(10).await;

    // The same policy: the same verdicts, at the same times.
    let html = scene.setup.data_dir().join("replay.html");
    let account = replay(&scene, &["--html", html.to_str().expect("a path of text")]).await;
    let [then, would] = ["then", "would"].map(|side| marks(&account, side));
    assert_eq!(count(&then, "failover"), 1, "{account:#}");
    assert_eq!(then, would, "{account:#}");
    let coverage = &account["coverage"];
    assert_eq!(coverage["same"], coverage["compared"], "{account:#}");
    assert_eq!(coverage["without_evidence"], 0, "{account:#}");
    assert!(coverage["rounds"].as_u64().is_some_and(|rounds| rounds > 25), "{account:#}");
    let page = std::fs::read_to_string(&html).expect("the report was written");
    assert!(page.contains("<svg") && page.contains("failover after"), "{page}");

    // A window that the outage did not last for: held, and cut short by the switch that there was.
    scene.setup.set("/services/0/policy/isolation_confirm", json!("5m"));
    scene.setup.set("/services/0/policy/confirm_window", json!("5m"));
    let account = replay(&scene, &[]).await;
    assert_eq!(marks(&account, "then"), then);
    assert_eq!(count(&marks(&account, "would"), "failover"), 0, "{account:#}");
    let incidents = account["incidents"].as_array().expect("incidents");
    assert!(incidents.iter().any(|incident| incident["is_cut_short"] == true), "{account:#}");

    // The outage as people remember it.
    scene.setup.set("/services/0/policy/confirm_window", json!("1s"));
    let (_, switched) = then.iter().find(|(verdict, _)| verdict == "failover").expect("a failover");
    let time = |seconds: i64| {
        let since =
            std::time::Duration::from_millis(u64::try_from(switched + seconds * 1000).expect("a time"));
        humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since).to_string()
    };
    let outages = scene.setup.data_dir().join("outages.yml");
    let text = json!([
        {"service": SERVICE, "from": time(-3), "until": time(5)},
        {"service": SERVICE, "from": time(-1800), "until": time(-1700)},
    ]);
    std::fs::write(&outages, text.to_string()).expect("the outages can be written");
    let account = replay(&scene, &["--outages", outages.to_str().expect("a path of text")]).await;
    let score = &account["score_would"];
    assert_eq!(score["outages"][0]["verdict"], "failover", "{score:#}");
    assert_eq!(score["outages"][0]["seconds"], 3.0, "{score:#}");
    assert_eq!(score["outages"][1]["is_unseen"], true, "{score:#}");
    assert_eq!(score["needless_failovers"], 0, "{score:#}");
}

#[tokio::test]
async fn a_service_that_nobody_recorded_says_so_and_a_wrong_question_is_refused() {
    let scene = Scene::start(Holder::Embedded, &[]).await;
    scene.adopt(SERVICE).await;
    let told =
        scene.order(&["replay", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"]).await;
    assert!(told.contains("nothing was recorded in that time"), "{told}");
    for words in [
        &["replay", "no-such-service"][..],
        &["replay", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"],
        &["replay", "--from", "yesterday"],
        &["replay", "--step", "5s"],
        &["replay", "--prometheus.url", "ftp://127.0.0.1"],
    ] {
        let output = scene.setup.redrover(words).await;
        assert_eq!(output.code, 2, "{words:?}: {}{}", output.stdout, output.stderr);
    }
}

#[tokio::test]
async fn prometheus_remembers_enough_to_decide_again() {
    let mut scene = Scene::ready(Holder::Embedded, &[]).await;
    let config = json!({
        "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
        "scrape_configs": [{
            "job_name": "redrover", "static_configs": [{"targets": [scene.agent.address().to_string()]}],
        }],
    });
    let prometheus = Prometheus::start(&config.to_string()).await;
    let holds = async |promql: &str| {
        wait_until(promql, ROUNDS_LIMIT, async || !prometheus.query(promql).await.is_empty()).await;
    };
    // The replay has to see 25 rounds as well before anything may move.
    holds("sum_over_time(redis_up{datacenter=\"dc-a\"}[1h]) > 40").await;
    scene.primary.kill();
    // Nobody posts an alert: the agent recommends.
    scene.wait_decision("recommend", "below_threshold").await;
    holds("sum_over_time(redrover_recommendation_pending[1h]) > 8").await;

    let account = replay(&scene, &["--prometheus.url", prometheus.url()]).await;
    let [then, would] = ["then", "would"].map(|side| marks(&account, side));
    assert_eq!((count(&then, "recommend"), count(&then, "failover")), (1, 0), "{account:#}");
    assert_eq!((count(&would, "recommend"), count(&would, "failover")), (1, 0), "{account:#}");
    assert!((then[0].1 - would[0].1).abs() <= 2000, "at about the same time: {then:?} {would:?}");

    // What a policy with a lower threshold would have done.
    scene.setup.set("/services/0/policy/theta_auto", json!(0.7));
    let account = replay(&scene, &["--prometheus.url", prometheus.url()]).await;
    assert_eq!(count(&marks(&account, "would"), "failover"), 1, "{account:#}");
    assert_eq!(marks(&account, "then"), then);

    // A Prometheus that is not there is asked again, and then named.
    let output = scene.setup.redrover(&["replay", "--prometheus.url", "http://127.0.0.1:1"]).await;
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stderr.contains("Prometheus does not answer redis_up"), "{}", output.stderr);
    assert!(output.stderr.contains("asked 5 times"), "{}", output.stderr);
}
