//! What the service's answers, and its silence, mean. The question behind every row: can the change have been applied?
//!
//! | what came back to a change | applied? | error |
//! |---|---|---|
//! | 200 with the change's id | yes | none |
//! | 412, 409, 404 about one of its deletions or additions | no: somebody else changed a set | `Conflict` |
//! | 429, 403 with a rate or quota as its reason | no | `Throttled` |
//! | 401, 403 | no | `Denied` |
//! | 404 about the zone, 400, other 4xx | no | `Misconfigured` |
//! | 5xx, an unreadable answer, silence, a connection that breaks | perhaps | `Unknown` |
//! | no connection, no token, or this agent stood still before the first byte | no | `Unavailable` or `Denied` |

use serde::Deserialize;

use crate::act::dns::{DnsError, wire};

/// The service's words are passed on, up to here.
const DETAIL_CHARS_MAX: usize = 1000;
/// What is said in the message of a refusal about one of the sets of a change.
const OF_CHANGE: &str = "entity.change";

/// What kind of request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// It changes nothing.
    Read,
    /// It may change something, and was handed to the network.
    Change,
}

#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Problem,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Item>,
}

#[derive(Debug, Default, Deserialize)]
struct Item {
    #[serde(default)]
    reason: String,
}

/// The error of an answer that is no success.
pub(super) fn refused(action: &'static str, request: Request, status: u16, body: &[u8]) -> DnsError {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let reasons: Vec<&str> = refusal.error.errors.iter().map(|item| item.reason.as_str()).collect();
    let detail = clip(format!("{status} {}: {}", reasons.join(", "), refusal.error.message));
    let is_rate = |reason: &&str| reason.ends_with("LimitExceeded") || *reason == "quotaExceeded";
    let is_about_sets = refusal.error.message.contains(OF_CHANGE);
    match status {
        412 | 409 => DnsError::Conflict { detail },
        404 if is_about_sets => DnsError::Conflict { detail },
        429 => DnsError::Throttled { detail },
        403 if reasons.iter().any(is_rate) => DnsError::Throttled { detail },
        401 | 403 => DnsError::Denied { action, detail },
        400..=499 => DnsError::Misconfigured { detail },
        _ => match request {
            Request::Read => DnsError::Unavailable { detail },
            Request::Change => DnsError::Unknown { detail },
        },
    }
}

/// The error of a request without an answer.
pub(super) fn silent(request: Request, error: &reqwest::Error) -> DnsError {
    let detail = clip(wire::chain(error));
    match request {
        Request::Change if !error.is_connect() && !error.is_builder() => DnsError::Unknown { detail },
        Request::Read | Request::Change => DnsError::Unavailable { detail },
    }
}

/// The error of an answer that is a success and cannot be read.
pub(super) fn unreadable(request: Request, detail: &str) -> DnsError {
    let detail = format!("the answer cannot be read: {detail}");
    match request {
        Request::Read => DnsError::Unavailable { detail },
        Request::Change => DnsError::Unknown { detail },
    }
}

fn clip(text: String) -> String {
    if text.chars().count() <= DETAIL_CHARS_MAX {
        text
    } else {
        text.chars().take(DETAIL_CHARS_MAX).collect()
    }
}
