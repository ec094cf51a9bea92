//! Whether people have asked for quiet: the active silences of Alertmanager, matched as Alertmanager matches them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use regex::RegexBuilder;
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use super::client::prove;
use super::http::{self, HttpClients, below};
use crate::config::{Alertmanager, HttpLogin};
use crate::monitor::error::printable;
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{Gap, GapReason, Silence};

/// Largest accepted answer, in bytes: some thousand silences.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest accepted pattern, compiled, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// What an alert about an incident is called: its silence also holds automatic actions.
const INCIDENT_ALERT: &str = "RedroverIncident";

/// A client of Alertmanager's silences.
pub struct SilenceClient {
    url: String,
    login: Option<HttpLogin>,
    client: Client,
}

impl fmt::Debug for SilenceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SilenceClient").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The labels of an alert.
pub type AlertLabels = BTreeMap<&'static str, String>;

/// The labels of the alert about an incident of a service whose active site is in a datacenter, at its most urgent.
#[must_use]
pub fn incident_labels(service: &str, datacenter: &str) -> AlertLabels {
    BTreeMap::from([
        ("alertname", INCIDENT_ALERT.to_owned()),
        ("condition", "incident".to_owned()),
        ("datacenter", datacenter.to_owned()),
        ("redis_service", service.to_owned()),
        ("severity", "critical".to_owned()),
    ])
}

impl SilenceClient {
    /// A client that connects at its first question.
    ///
    /// # Errors
    /// TLS files cannot be used.
    pub fn new(alertmanager: &Alertmanager, deadline: Duration) -> Result<Self, TlsError> {
        let (clients, profiles) = (HttpClients::new(deadline), TlsProfiles::new());
        let client = clients.for_url(&alertmanager.url, alertmanager.ca_file.as_ref(), &profiles)?;
        let url = below(&alertmanager.url, "api/v2/silences");
        Ok(Self { url, login: alertmanager.login.clone(), client })
    }

    /// For each of several alerts, the first active silence that mutes it.
    ///
    /// # Errors
    /// Alertmanager said nothing that can be used.
    pub async fn of(&self, alerts: &[AlertLabels], deadline: Duration) -> Result<Vec<Option<Silence>>, Gap> {
        let request = prove(self.login.as_ref(), self.client.get(&self.url));
        let answer = http::ask(request, ANSWER_BYTES_MAX, deadline).await.map_err(|error| error.gap())?;
        let refused =
            |reason| Gap::new(reason, format!("Alertmanager answered with HTTP {}", answer.status.as_u16()));
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err(refused(GapReason::Auth)),
            StatusCode::FORBIDDEN => return Err(refused(GapReason::Permission)),
            _ => return Err(refused(GapReason::ErrorReply)),
        }
        let silences: Vec<RawSilence> = serde_json::from_slice(&answer.body).map_err(|error| {
            Gap::new(GapReason::Protocol, format!("the answer is not that of Alertmanager: {error}"))
        })?;
        let mutes = |labels: &AlertLabels| {
            silences.iter().find(|silence| silence.mutes(labels)).map(RawSilence::told)
        };
        Ok(alerts.iter().map(mutes).collect())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSilence {
    id: String,
    status: RawStatus,
    matchers: Vec<RawMatcher>,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    ends_at: String,
}

#[derive(Debug, Deserialize)]
struct RawStatus {
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMatcher {
    name: String,
    value: String,
    is_regex: bool,
    /// Alertmanager before 0.22 knows equality only.
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

impl RawSilence {
    fn mutes(&self, labels: &AlertLabels) -> bool {
        self.status.state == "active"
            && !self.matchers.is_empty()
            && self.matchers.iter().all(|matcher| matcher.matches(labels))
    }

    fn told(&self) -> Silence {
        Silence {
            id: printable(&self.id),
            by: printable(&self.created_by),
            comment: printable(&self.comment),
            until: printable(&self.ends_at),
        }
    }
}

impl RawMatcher {
    /// A label that is absent is empty. A pattern stands for the whole value; one that cannot be read matches nothing:
    /// what is not known is no silence.
    fn matches(&self, labels: &AlertLabels) -> bool {
        let value = labels.get(self.name.as_str()).map_or("", String::as_str);
        let is_equal = match self.is_regex {
            false => value == self.value,
            true => {
                let pattern =
                    RegexBuilder::new(&format!("^(?:{})$", self.value)).size_limit(PATTERN_BYTES_MAX).build();
                let Ok(pattern) = pattern else { return false };
                pattern.is_match(value)
            }
        };
        is_equal == self.is_equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_match_as_in_alertmanager() {
        let labels = incident_labels("sessions", "dc-a");
        let matcher = |name: &str, value: &str, is_regex, is_equal| RawMatcher {
            name: name.to_owned(),
            value: value.to_owned(),
            is_regex,
            is_equal,
        };
        for (name, value, is_regex, is_equal, wanted) in [
            ("redis_service", "sessions", false, true, true),
            ("redis_service", "carts", false, true, false),
            ("redis_service", "carts", false, false, true),
            ("redis_service", "sess.*|carts", true, true, true),
            ("redis_service", "sess", true, true, false),
            ("redis_service", "sess.*", true, false, false),
            ("alertname", "Redrover.*", true, true, true),
            ("alertname", "RedisDown", false, true, false),
            ("datacenter", "dc-a", false, true, true),
            ("datacenter", "dc-b", false, true, false),
            ("absent", "", false, true, true),
            ("absent", ".+", true, true, false),
            ("absent", ".+", true, false, true),
            ("redis_service", "(", true, true, false),
            ("redis_service", "(", true, false, false),
        ] {
            let found = matcher(name, value, is_regex, is_equal).matches(&labels);
            assert_eq!(found, wanted, "{name} {value} {is_regex} {is_equal}");
        }
        let silence = |state: &str, matchers| RawSilence {
            id: "1".to_owned(),
            status: RawStatus { state: state.to_owned() },
            matchers,
            created_by: String::new(),
            comment: String::new(),
            ends_at: String::new(),
        };
        let good = || matcher("redis_service", "sessions", false, true);
        let other = || matcher("alertname", "RedisDown", false, true);
        for (state, matchers, wanted) in [
            ("active", vec![good()], true),
            ("pending", vec![good()], false),
            ("expired", vec![good()], false),
            ("active", vec![good(), other()], false),
            ("active", vec![], false),
        ] {
            assert_eq!(silence(state, matchers).mutes(&labels), wanted, "{state}");
        }
    }
}
