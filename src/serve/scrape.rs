//! `GET /scrape?target=…`: one Redis, asked at that moment and before the scraper's own deadline.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::error::ApiError;
use super::page::page_response;
use super::router::Serve;
use crate::config::{KEY_CHECKS_MAX, KeyCheck};
use crate::monitor::Format;

/// How Prometheus says how long it waits.
const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";
/// A caller that says nothing waits at least so long: it is Prometheus' default.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Nobody is waited for longer.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// What is left for the page to be written and to travel.
const MARGIN_MAX: Duration = Duration::from_millis(500);
/// Longest wait for the servers that others make known.
const DISCOVERY_LIMIT: Duration = Duration::from_secs(5);
/// The share of a short timeout that is left.
const MARGIN_SHARE: u32 = 5;

/// Answers with the page of a target.
pub(super) async fn scrape(
    State(serve): State<Serve>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let Some(target) = target(&query) else {
        let hint = "name a configured target, such as /scrape?target=redis://10.0.0.1:6379";
        return ApiError::Malformed(hint.to_owned()).into_response();
    };
    let checks = checks(&query);
    if let Err(reason) = may_check(&checks, serve.config.load().exporter.keys.by_request) {
        return ApiError::Malformed(reason).into_response();
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let format = Format::from_accept(text(header::ACCEPT.as_str()));
    let exporter = serve.exporter.load_full();
    match exporter.scrape(&target, &checks, deadline(text(TIMEOUT_HEADER)), format).await {
        Some(page) => page_response(&headers, format.content_type(), page),
        None => (StatusCode::NOT_FOUND, "this target is not in the configuration\n").into_response(),
    }
}

/// Every target, as Prometheus' HTTP discovery wants it.
pub(super) async fn discover(State(serve): State<Serve>) -> Response {
    let exporter = serve.exporter.load_full();
    let targets = exporter.discover(DISCOVERY_LIMIT).await;
    let entries = targets.into_iter().map(|(target, labels)| {
        let labels: serde_json::Map<_, _> =
            labels.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        serde_json::json!({"targets": [target.as_str()], "labels": labels})
    });
    let body = serde_json::Value::from_iter(entries).to_string();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn target(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "target").map(|(_, value)| value.into_owned())
}

/// The keys and streams that a caller asks for, in redis_exporter's words.
fn checks(query: &str) -> Vec<KeyCheck> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let checks = pairs.filter_map(|(name, value)| KeyCheck::of_parameter(&name, &value)).flatten();
    checks.take(KEY_CHECKS_MAX + 1).collect()
}

/// Whether a caller may ask for them, and why not: keys have values, and looking for them costs the server.
fn may_check(checks: &[KeyCheck], by_request: bool) -> Result<(), String> {
    match checks.len() {
        0 => Ok(()),
        _ if !by_request => {
            Err("no keys and streams are looked at by request: set exporter.keys.by_request".to_owned())
        }
        1..=KEY_CHECKS_MAX => Ok(()),
        _ => Err(format!("more than {KEY_CHECKS_MAX} keys and patterns")),
    }
}

/// When a scrape must have its answer: the caller's own deadline, less a margin.
fn deadline(header: &str) -> Duration {
    let stated = header.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && seconds.is_finite());
    let timeout = stated.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(TIMEOUT);
    let timeout = timeout.min(TIMEOUT_MAX);
    timeout - MARGIN_MAX.min(timeout / MARGIN_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_the_callers_less_a_margin() {
        let ms = Duration::from_millis;
        for (header, want) in [
            ("10", ms(9500)),
            ("1", ms(800)),
            ("0.5", ms(400)),
            ("5.000000", ms(4500)),
            ("", ms(9500)),
            ("0", ms(9500)),
            ("-3", ms(9500)),
            ("NaN", ms(9500)),
            ("inf", ms(9500)),
            ("1e300", ms(9500)),
            ("3600", ms(59_500)),
        ] {
            assert_eq!(deadline(header), want, "{header:?}");
        }
    }

    #[test]
    fn keys_are_looked_at_by_request_where_that_is_allowed() {
        let few = checks("target=h:1&check-keys=db1%3Da*,b&check-single-streams=s");
        assert_eq!(few.len(), 3);
        assert!(may_check(&few, true).is_ok() && may_check(&few, false).is_err());
        assert!(may_check(&checks("target=h:1&script=x"), false).is_ok(), "nothing is asked for");
        let many = checks(&format!("count-keys={}", "a*,".repeat(KEY_CHECKS_MAX + 1)));
        assert!(may_check(&many, true).is_err());
    }

    #[test]
    fn a_target_is_taken_from_the_query() {
        for (query, want) in [
            ("target=redis://h:1", Some("redis://h:1")),
            ("a=b&target=redis%3A%2F%2Fh%3A1&target=x", Some("redis://h:1")),
            ("targets=x", None),
            ("", None),
        ] {
            assert_eq!(target(query).as_deref(), want, "{query}");
        }
    }
}
