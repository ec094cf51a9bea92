//! Alertmanager's API, version 2. An alert is posted again and again while its condition lasts, and ends by itself when
//! nobody posts it any more. Pure.

use serde_json::{Value, json};

use super::text::{plain, rfc3339};
use crate::act::http::Post;
use crate::act::notify::{Message, Phase};
use crate::config::Level;
use crate::monitor::{AlertLabels, incident_labels};

/// Time from one post to the next while a condition lasts.
pub(crate) const REPOST_MS: i64 = 60_000;
/// An alert that is not posted again ends after this: some posts may get lost.
const LIFE_MS: i64 = 5 * REPOST_MS;

/// The labels of a message at a level: the identity of its alert.
pub(crate) fn labels(message: &Message, level: Level) -> AlertLabels {
    let datacenter = message.datacenter.as_ref().map_or("", |site| site.as_str());
    let mut labels = incident_labels(message.service.as_str(), datacenter);
    labels.insert("severity", level.as_str().to_owned());
    if message.condition != "incident" {
        labels.insert("alertname", "RedroverNotice".to_owned());
        labels.insert("condition", message.condition.clone());
    }
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// The request for some messages, as of now.
pub(super) fn request<'a>(
    base: &url::Url,
    messages: impl Iterator<Item = &'a Message>,
    now_unix_ms: i64,
) -> Post {
    let mut alerts = Vec::new();
    for message in messages {
        if let Some(before) = message.level_before {
            // The severity is part of an alert's identity: with another one it is another alert.
            alerts.push(alert(message, before, message.at_unix_ms));
        }
        let ends = match message.phase {
            Phase::Over => message.at_unix_ms,
            Phase::Alone | Phase::Lasts | Phase::Acknowledged => now_unix_ms.saturating_add(LIFE_MS),
        };
        alerts.push(alert(message, message.level, ends));
    }
    Post::json(format!("{}/api/v2/alerts", base.as_str().trim_end_matches('/')), &Value::Array(alerts))
}

fn alert(message: &Message, level: Level, ends_unix_ms: i64) -> Value {
    json!({
        "labels": labels(message, level),
        "annotations": {"summary": message.title, "description": plain(message)},
        "startsAt": rfc3339(message.since_unix_ms),
        "endsAt": rfc3339(ends_unix_ms),
    })
}
