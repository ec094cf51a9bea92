//! The observer: asks everybody but the agent's own word, on its own clock.

use std::net::SocketAddr;
use std::time::Duration;

use crate::act::verify;
use crate::types::{RecordName, RecordType};

/// Deadline of one question.
const DEADLINE: Duration = Duration::from_millis(500);

/// The body of a page, if it is there.
pub(super) async fn get(url: &str) -> Option<String> {
    let answer = tokio::time::timeout(DEADLINE, reqwest::get(url)).await.ok()?.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.text().await.ok()
}

/// Whether a Redis answers PING.
pub(super) async fn ping(url: &str) -> bool {
    command(url, &["PING"]).await.is_some()
}

/// Whether a Redis takes a write, and gives it back.
pub(super) async fn write(url: &str) -> bool {
    let wrote = command(url, &["SET", "demo:order", "42"]).await;
    wrote.is_some() && command(url, &["GET", "demo:order"]).await.as_deref() == Some("42")
}

/// Whether a Redis says that it is a primary.
pub(super) async fn is_primary(url: &str) -> bool {
    command(url, &["INFO", "replication"]).await.is_some_and(|info| info.contains("role:master"))
}

/// One command over a connection of its own.
async fn command(url: &str, words: &[&str]) -> Option<String> {
    let ask = async {
        let client = redis::Client::open(url).ok()?;
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let mut command = redis::cmd(words.first()?);
        words[1..].iter().for_each(|word| {
            command.arg(word);
        });
        command.query_async::<String>(&mut connection).await.ok()
    };
    tokio::time::timeout(DEADLINE, ask).await.ok().flatten()
}

/// What the zone's name server answers for a name.
pub(super) async fn resolve(server: SocketAddr, name: &str) -> Option<String> {
    let name = RecordName::new(name).ok()?;
    let set = verify::answer(server, &name, RecordType::A, DEADLINE).await.ok()?;
    set.values.into_iter().next()
}

/// Whether an alert fires in Prometheus.
pub(super) async fn is_firing(prometheus: SocketAddr, alert: &str) -> bool {
    let Some(body) = get(&format!("http://{prometheus}/api/v1/alerts")).await else { return false };
    let Ok(said) = serde_json::from_str::<serde_json::Value>(&body) else { return false };
    let alerts = said["data"]["alerts"].as_array();
    alerts.is_some_and(|a| a.iter().any(|a| a["labels"]["alertname"] == alert && a["state"] == "firing"))
}

/// The value of one series of the agent, by the text of its name and labels up to the value.
pub(super) async fn series(agent: SocketAddr, begins: &str, holds: &[&str]) -> Option<f64> {
    let page = get(&format!("http://{agent}/metrics")).await?;
    let line =
        page.lines().find(|line| line.starts_with(begins) && holds.iter().all(|h| line.contains(h)))?;
    line.rsplit(' ').next()?.parse().ok()
}
