//! A real Prometheus and a real Alertmanager.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http;
use super::ports::free_port;
use super::process::{Process, START_LIMIT, installed, wait_until};

/// A file of the repository, with texts replaced; panics where one is not there, so that no replacement is void.
pub fn repository_text(path: &str, replacements: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(repository_path(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    replacements.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{path} does not contain {from}");
        text.replace(from, to)
    })
}

/// The full path of a file of the repository.
pub fn repository_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// One sample: its labels with `__name__`, and its value.
pub type Series = (BTreeMap<String, String>, f64);

/// A running Prometheus.
pub struct Prometheus {
    url: String,
    _process: Process,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts Prometheus with this configuration and waits until it is ready.
    pub async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for Prometheus");
        let (file, data) = (folder.path().join("prometheus.yml"), folder.path().join("data"));
        fs::write(&file, config).expect("prometheus.yml can be written");
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let mut command = Command::new(installed(&["prometheus"]));
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--web.external-url={url}"))
            .arg("--web.enable-lifecycle");
        let mut process = Process::start("prometheus", &mut command);
        process.wait_ready(async || http::is_ok(&format!("{url}/-/ready")).await).await;
        Self { url, _process: process, _folder: folder }
    }

    /// The base URL, without a final slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The result of an instant query.
    pub async fn query(&self, promql: &str) -> Vec<Series> {
        let request = http::client().get(format!("{}/api/v1/query", self.url)).query(&[("query", promql)]);
        let response = http::send(request).await.expect("Prometheus answers");
        assert_eq!(response.status, 200, "{promql}: {}", response.body);
        let json: Value = serde_json::from_str(&response.body).expect("Prometheus answers JSON");
        let result = json["data"]["result"].as_array().expect("a query has a result");
        result
            .iter()
            .map(|sample| {
                let value = sample["value"][1].as_str().and_then(|v| v.parse().ok());
                (labels(&sample["metric"]), value.expect("a sample has a value"))
            })
            .collect()
    }

    /// The labels of the alerts that are firing.
    pub async fn firing(&self) -> Vec<BTreeMap<String, String>> {
        let json = http::get_json(&format!("{}/api/v1/alerts", self.url)).await;
        let alerts = json["data"]["alerts"].as_array().expect("a list of alerts");
        alerts.iter().filter(|a| a["state"] == "firing").map(|a| labels(&a["labels"])).collect()
    }
}

/// A running Alertmanager, alone.
pub struct Alertmanager {
    url: String,
    _process: Process,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts Alertmanager with this configuration and waits until it is ready.
    pub async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for Alertmanager");
        let (file, data) = (folder.path().join("alertmanager.yml"), folder.path().join("data"));
        fs::write(&file, config).expect("alertmanager.yml can be written");
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let mut command = Command::new(installed(&["prometheus-alertmanager", "alertmanager"]));
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--web.external-url={url}"))
            // Empty: no gossip.
            .arg("--cluster.listen-address=");
        let mut process = Process::start("alertmanager", &mut command);
        process.wait_ready(async || http::is_ok(&format!("{url}/-/ready")).await).await;
        Self { url, _process: process, _folder: folder }
    }

    /// The base URL, without a final slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `host:port`, as Prometheus wants it.
    pub fn host_port(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Silences what has all these labels; returns the silence's id once it is active.
    pub async fn silence(&self, labels: &[(&str, &str)]) -> String {
        let matcher = |(name, value): &(&str, &str)| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
        let silence = json!({
            "matchers": labels.iter().map(matcher).collect::<Vec<_>>(),
            "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
            "createdBy": "anna", "comment": "works",
        });
        let url = format!("{}/api/v2/silences", self.url);
        let response = http::send(http::client().post(&url).json(&silence)).await.expect("it answers");
        assert_eq!(response.status, 200, "{}", response.body);
        let json: Value = serde_json::from_str(&response.body).expect("JSON");
        let id = json["silenceID"].as_str().expect("a silence has an id").to_owned();
        wait_until("the silence to be active", START_LIMIT, async || {
            let one = http::get_json(&format!("{}/api/v2/silence/{id}", self.url)).await;
            one["status"]["state"] == "active"
        })
        .await;
        id
    }

    /// Ends a silence.
    pub async fn unsilence(&self, id: &str) {
        let url = format!("{}/api/v2/silence/{id}", self.url);
        let response = http::send(http::client().delete(&url)).await.expect("it answers");
        assert_eq!(response.status, 200, "{}", response.body);
    }

    /// The labels of the active alerts. The list is empty before the notification of the end goes out.
    pub async fn active(&self) -> Vec<BTreeMap<String, String>> {
        let json = http::get_json(&format!("{}/api/v2/alerts?active=true", self.url)).await;
        json.as_array().expect("a list of alerts").iter().map(|a| labels(&a["labels"])).collect()
    }
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    let object = object.as_object().expect("labels are an object");
    object.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
}

mod tests {
    use super::super::process::{START_LIMIT, wait_for, wait_until};
    use super::*;

    #[tokio::test]
    async fn the_examples_to_copy_load_and_an_alert_reaches_alertmanager() {
        let alertmanager =
            Alertmanager::start(&repository_text("deploy/alertmanager/alertmanager.yml", &[])).await;
        let rules = repository_path("rules/redrover.yml").display().to_string();
        // Port 1 refuses: redrover is down. The shipped rules wait 30 s before they say so; this one does not.
        let folder = tempfile::tempdir().expect("a folder for a rule");
        let rule = folder.path().join("rule.yml");
        fs::write(&rule, "groups: [{name: test, rules: [{alert: Test, expr: 'up{job=\"redrover\"} == 0'}]}]")
            .expect("a rule can be written");
        let config = repository_text(
            "deploy/prometheus/prometheus.yml",
            &[
                ("127.0.0.1:9911", "127.0.0.1:1"),
                ("127.0.0.1:9093", alertmanager.host_port()),
                ("../../rules/redrover.yml", &format!("{rules}\n  - {}", rule.display())),
                ("_interval: 5s", "_interval: 1s"),
                ("scrape_timeout: 3s", "scrape_timeout: 1s"),
            ],
        );
        let prometheus = Prometheus::start(&config).await;

        let up = wait_for("a first scrape", START_LIMIT, async || {
            prometheus.query("up{job=\"redrover\"}").await.into_iter().next()
        })
        .await;
        assert_eq!(up.1, 0.0);
        assert_eq!(up.0["job"], "redrover");
        wait_until("the alert to reach Alertmanager", START_LIMIT, async || {
            alertmanager.active().await.iter().any(|alert| alert["alertname"] == "Test")
        })
        .await;
        assert!(prometheus.firing().await.iter().any(|alert| alert["alertname"] == "Test"));
    }
}
