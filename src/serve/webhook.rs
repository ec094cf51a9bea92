//! `POST /webhook/alertmanager`: reads the version 4 payload into a [`Notification`].

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::auth::may_notify;
use super::error::ApiError;
use super::router::Serve;
use crate::control::View;
use crate::store::FIRING_MAX;
use crate::types::{Alert, AlertKey, AlertState, Notification, ServiceName, SiteName};

/// How the names of redrover's own alerts begin: those of its rules, and those that it posts.
const OWN_ALERTS: &str = "Redrover";
/// Alerts in one notification.
const ALERTS_MAX: usize = 10_000;
/// A longer body is cut off in the middle.
const DISCARDED_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Longest text kept of a name, a key or a time.
const TEXT_BYTES_MAX: usize = 200;

/// Alertmanager's webhook payload, version 4; what is not used is not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    version: String,
    alerts: Vec<RawAlert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAlert {
    status: String,
    labels: BTreeMap<String, String>,
    starts_at: String,
    fingerprint: String,
}

/// What came of a notification: the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Received {
    /// `accepted`, or `unmatched` where it names no configured service; also its label value.
    pub(super) result: &'static str,
    /// Alerts about configured services.
    alerts: usize,
    /// Alerts about others.
    unmatched: usize,
    /// Alerts about configured services that will not be remembered, because so many of a service fire already. As of
    /// the last round.
    dropped: usize,
}

impl IntoResponse for Received {
    fn into_response(self) -> Response {
        let body = serde_json::json!(self).to_string();
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// Takes one notification; it is durable when this returns.
pub(super) async fn receive(serve: &Serve, headers: &HeaderMap, body: Body) -> Result<Received, ApiError> {
    let rules = serve.config.load();
    let webhook = &rules.webhook;
    if !may_notify(headers, &webhook.auth) {
        return Err(ApiError::Unauthorized);
    }
    let bytes = read(body, webhook.body_bytes_max).await?;
    let is_known = |name: &ServiceName| rules.services.iter().any(|s| s.name == *name);
    let notification = parse(&bytes, &webhook.service_label, is_known).map_err(ApiError::Malformed)?;
    tracing::debug!(
        alerts = notification.alerts.len(),
        unmatched = notification.unmatched,
        "a notification came in"
    );
    if notification.alerts.is_empty() && notification.unmatched > 0 {
        let label = &webhook.service_label;
        tracing::warn!(
            label,
            alerts = notification.unmatched,
            "a notification names no configured service by this label"
        );
        return Ok(Received {
            result: "unmatched",
            alerts: 0,
            unmatched: notification.unmatched,
            dropped: 0,
        });
    }
    let received = Received {
        result: "accepted",
        alerts: notification.alerts.len(),
        unmatched: notification.unmatched,
        dropped: dropped(&notification.alerts, &serve.view),
    };
    serve.control.submit(notification).await.map_err(|error| ApiError::Unavailable(error.to_string()))?;
    Ok(received)
}

/// How many alerts begin to fire for which there is no room.
fn dropped(alerts: &[Alert], view: &View) -> usize {
    let mut firing: BTreeMap<&ServiceName, BTreeSet<&AlertKey>> = BTreeMap::new();
    for alert in alerts.iter().filter(|alert| alert.state == AlertState::Firing) {
        firing.entry(&alert.service).or_default().insert(&alert.key);
    }
    let excess = |(service, keys): (&ServiceName, BTreeSet<&AlertKey>)| {
        let known = view.of(service);
        let known = known.as_ref().map(|view| &view.firing);
        let new = keys.into_iter().filter(|key| !known.is_some_and(|known| known.contains(*key))).count();
        new.saturating_sub(FIRING_MAX.saturating_sub(known.map_or(0, BTreeSet::len)))
    };
    firing.into_iter().map(excess).sum()
}

/// Reads a body to its end. What is too much is read as well, and thrown away: a sender that still writes when the
/// connection closes never hears why.
async fn read(body: Body, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::Malformed("the body was cut off".to_owned()))?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else if length > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if length > limit { Err(ApiError::TooLarge(limit)) } else { Ok(bytes) }
}

/// Reads a payload; says in one sentence what is wrong with it.
fn parse(bytes: &[u8], label: &str, is_known: impl Fn(&ServiceName) -> bool) -> Result<Notification, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("the body is not UTF-8: {e}"))?;
    let payload: Payload =
        serde_json::from_str(text).map_err(|e| format!("the body is not an Alertmanager payload: {e}"))?;
    if payload.version != "4" {
        return Err("the payload's version is not \"4\"".to_owned());
    }
    if payload.alerts.len() > ALERTS_MAX {
        return Err(format!("the payload holds more than {ALERTS_MAX} alerts"));
    }
    let mut alerts = Vec::new();
    let mut unmatched = 0;
    for raw in payload.alerts {
        let state = match raw.status.as_str() {
            "firing" => AlertState::Firing,
            "resolved" => AlertState::Resolved,
            _ => return Err("an alert's status is neither \"firing\" nor \"resolved\"".to_owned()),
        };
        let is_hex = |c: char| c.is_ascii_hexdigit();
        if !(1..=64).contains(&raw.fingerprint.len()) || !raw.fingerprint.chars().all(is_hex) {
            return Err("an alert's fingerprint is not a hexadecimal number".to_owned());
        }
        if !(1..=64).contains(&raw.starts_at.len())
            || !raw.starts_at.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err("an alert's startsAt is no time".to_owned());
        }
        let text = |name: &str| {
            let text = raw.labels.get(name).map_or("", String::as_str);
            // A control character has no business in a name, and would reach a terminal.
            text[..text.floor_char_boundary(TEXT_BYTES_MAX)].replace(char::is_control, " ")
        };
        // What redrover itself says about a service is no evidence about it: it would agree with itself for ever.
        let is_own = raw.labels.get("alertname").is_some_and(|name| name.starts_with(OWN_ALERTS));
        let service = raw.labels.get(label).and_then(|name| ServiceName::new(name.as_str()).ok());
        match service.filter(|service| !is_own && is_known(service)) {
            Some(service) => alerts.push(Alert {
                key: AlertKey { fingerprint: raw.fingerprint.clone(), starts_at: raw.starts_at.clone() },
                state,
                service,
                site: raw.labels.get("datacenter").and_then(|name| SiteName::new(name.as_str()).ok()),
                name: text("alertname"),
            }),
            None => unmatched += 1,
        }
    }
    Ok(Notification { alerts, unmatched })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(alert: &str) -> String {
        format!(
            r#"{{"version":"4","groupKey":"{{}}:{{}}","status":"firing","receiver":"r","truncatedAlerts":0,
            "groupLabels":{{}},"commonLabels":{{}},"commonAnnotations":{{}},"externalURL":"http://a","alerts":[{alert}]}}"#
        )
    }

    const GOOD: &str = r#"{"status":"firing","labels":{"alertname":"RedisDown","redis_service":"sessions","severity":"critical"},
        "annotations":{},"startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"29ee14edf5bde1f8"}"#;

    fn read(text: &str) -> Result<Notification, String> {
        parse(text.as_bytes(), "redis_service", |name| name.as_str() == "sessions")
    }

    #[test]
    fn a_good_payload_becomes_a_notification() {
        let notification = read(&payload(GOOD)).unwrap();
        assert_eq!(notification.unmatched, 0);
        let alert = &notification.alerts[0];
        assert_eq!(
            (alert.service.as_str(), alert.name.as_str(), alert.state),
            ("sessions", "RedisDown", AlertState::Firing)
        );
        assert_eq!(alert.key.fingerprint, "29ee14edf5bde1f8");
        let other = GOOD.replace("\"sessions\"", "\"elsewhere\"");
        assert_eq!(read(&payload(&other)).unwrap().unmatched, 1);
        let own = GOOD.replace("\"RedisDown\"", "\"RedroverIncident\"");
        assert_eq!(read(&payload(&own)).unwrap().unmatched, 1, "redrover does not agree with itself");
    }

    #[test]
    fn a_bad_payload_is_refused_with_a_sentence() {
        for (text, word) in [
            (String::new(), "not an Alertmanager payload"),
            ("[]".to_owned(), "not an Alertmanager payload"),
            (payload(GOOD).replace("\"4\"", "\"3\""), "version"),
            (payload(&GOOD.replace("firing", "burning")), "status"),
            (payload(&GOOD.replace("29ee14edf5bde1f8", "xyz")), "fingerprint"),
            (payload(&GOOD.replace("2026-01-02T03:04:05.678Z", "")), "startsAt"),
            (payload(&GOOD.replace("\"critical\"", "7")), "string"),
            (payload(GOOD)[..200].to_owned(), "EOF"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(word), "{error:?} lacks {word:?}");
        }
        assert!(parse(b"\xff\xfe{}", "redis_service", |_| true).unwrap_err().contains("UTF-8"));
    }
}
