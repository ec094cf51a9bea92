//! The way of an alert: a real Prometheus that scrapes the agent, a real Alertmanager, and a webhook beside the agent's own
//! that takes down when a notification arrives.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::support::agent::{SERVICE, WEBHOOK_TOKEN};
use super::support::process::wait_until;
use super::support::prometheus::{Alertmanager, Prometheus};

/// Longest wait for a notification.
const LIMIT: Duration = Duration::from_secs(60);
/// Longest notification.
const BYTES_MAX: usize = 64 * 1024;
/// What a scrape, an evaluation and the rule's `for` take at most, each.
pub const STEP: Duration = Duration::from_secs(1);

/// Prometheus, Alertmanager, and whoever takes down when a notification comes.
pub struct AlertPath {
    arrived: mpsc::Receiver<Instant>,
    prometheus: Prometheus,
    _alertmanager: Alertmanager,
    _rules: TempDir,
    _sink: JoinSet<()>,
}

impl AlertPath {
    /// Starts all in front of an agent, and waits until Prometheus knows the active Redis as up.
    pub async fn start(agent: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let beside = listener.local_addr().expect("it is bound");
        let (told, arrived) = mpsc::channel(16);
        let mut sink = JoinSet::new();
        sink.spawn(take_down(listener, told));
        let alertmanager = Alertmanager::start(&format!(
            "route: {{receiver: redrover, group_by: [alertname], group_wait: 0s, group_interval: 1s}}\n\
             receivers:\n\
             - name: redrover\n  webhook_configs:\n\
             \x20 - {{url: 'http://{beside}/'}}\n\
             \x20 - url: 'http://{agent}/webhook/alertmanager'\n\
             \x20   http_config: {{authorization: {{type: Bearer, credentials: {WEBHOOK_TOKEN}}}}}\n"
        ))
        .await;
        let rules = tempfile::tempdir().expect("a folder for the rule");
        let file = rules.path().join("rules.yml");
        let up = format!("redis_up{{redis_service=\"{SERVICE}\",datacenter=\"dc-a\"}}");
        let rule =
            format!("groups: [{{name: bench, rules: [{{alert: RedisDown, expr: '{up} == 0', for: 1s}}]}}]\n");
        fs::write(&file, rule).expect("it can be written");
        let receiver = alertmanager.url().trim_start_matches("http://").to_owned();
        let prometheus = Prometheus::start(&format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['{}']\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{receiver}']}}]}}]}}\n\
             scrape_configs: [{{job_name: redrover, static_configs: [{{targets: ['{agent}']}}]}}]\n",
            file.display(),
        ))
        .await;
        let path = Self { arrived, prometheus, _alertmanager: alertmanager, _rules: rules, _sink: sink };
        wait_until("Prometheus to know the Redis", LIMIT, async || {
            path.prometheus.query(&up).await.iter().any(|(_, value)| *value > 0.0)
        })
        .await;
        path
    }

    /// When the first notification of a firing alert arrives.
    pub async fn arrival(&mut self) -> Instant {
        timeout(LIMIT, self.arrived.recv()).await.expect("a notification").expect("somebody listens")
    }
}

async fn take_down(listener: TcpListener, told: mpsc::Sender<Instant>) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let told = told.clone();
        conversations.spawn(async move { timeout(LIMIT, converse(stream, &told)).await });
    }
}

/// Answers every notification of one connection.
async fn converse(mut stream: TcpStream, told: &mpsc::Sender<Instant>) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&seen);
        // Its last key ends the body: all of it is there.
        if text.contains("\"status\":\"firing\"") && text.trim_end().ends_with('}') {
            let _ = told.try_send(Instant::now());
            seen.clear();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        } else if seen.len() > BYTES_MAX {
            return;
        }
    }
}
