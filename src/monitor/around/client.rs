//! What applications see: the one value of a query that Prometheus is asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;

use super::http::{self, Answer, HttpClients, below};
use crate::config::{HttpLogin, Prometheus};
use crate::monitor::error::printable;
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{Clock, Gap, GapReason, Ratio};

/// Largest accepted answer, in bytes: one value and its labels.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// A value that is so much older or newer than this agent's clock is not of this moment.
const AGE_MAX: Duration = Duration::from_secs(60);

/// A client of Prometheus.
pub(super) struct PrometheusClient {
    query_url: String,
    login: Option<HttpLogin>,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for PrometheusClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusClient").field("query_url", &self.query_url).finish_non_exhaustive()
    }
}

impl PrometheusClient {
    /// A client that connects at its first question.
    pub fn new(
        prometheus: &Prometheus,
        clients: &HttpClients,
        profiles: &TlsProfiles,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let client = clients.for_url(&prometheus.url, prometheus.ca_file.as_ref(), profiles)?;
        let query_url = below(&prometheus.url, "api/v1/query");
        Ok(Self { query_url, login: prometheus.login.clone(), client, clock })
    }

    /// The value of a query at this moment, moved into 0 to 1.
    ///
    /// No sample, several samples, and a value that is not a number or is infinite are gaps: of an application that
    /// sends no requests nothing is known.
    pub async fn share(&self, promql: &str, deadline: Duration) -> Result<Ratio, Gap> {
        let give_up = format!("{}ms", deadline.as_millis().max(1));
        let query = [("query", promql), ("timeout", &give_up)];
        let request = prove(self.login.as_ref(), self.client.get(&self.query_url).query(&query));
        let answer = http::ask(request, ANSWER_BYTES_MAX, deadline).await.map_err(|error| error.gap())?;
        let sample = sample(&answer)?;
        let now = self.clock.now().wall.as_secs_f64();
        let is_present = (now - sample.at_unix_seconds).abs() <= AGE_MAX.as_secs_f64();
        if !is_present {
            return Err(unusable(format!(
                "the value is of {:.0} and not of {now:.0}",
                sample.at_unix_seconds
            )));
        }
        if !sample.value.is_finite() {
            return Err(unusable(format!("the value is {}", sample.value)));
        }
        Ok(Ratio::clamped(sample.value))
    }
}

/// A request with what the server wants to see.
pub(super) fn prove(login: Option<&HttpLogin>, request: RequestBuilder) -> RequestBuilder {
    match login {
        None => request,
        Some(HttpLogin::Bearer(token)) => request.bearer_auth(token.expose()),
        Some(HttpLogin::Basic { username, password }) => {
            request.basic_auth(username, Some(password.expose()))
        }
    }
}

struct Sample {
    at_unix_seconds: f64,
    value: f64,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Reply {
    Success {
        data: Data,
    },
    Error {
        #[serde(rename = "errorType")]
        kind: String,
        error: String,
    },
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    value: RawSample,
}

/// The time in seconds, and the value as a text, which may be `NaN` or `+Inf`.
#[derive(Deserialize)]
struct RawSample(f64, String);

fn sample(answer: &Answer) -> Result<Sample, Gap> {
    match answer.status {
        StatusCode::UNAUTHORIZED => return Err(refused(GapReason::Auth, answer.status)),
        StatusCode::FORBIDDEN => return Err(refused(GapReason::Permission, answer.status)),
        _ => {}
    }
    let raw = match serde_json::from_slice(&answer.body) {
        Ok(Reply::Success { data }) if answer.status == StatusCode::OK => value_of(data)?,
        Ok(Reply::Error { kind, error }) => {
            return Err(Gap::new(GapReason::ErrorReply, printable(&format!("{kind}: {error}"))));
        }
        Ok(Reply::Success { .. }) => return Err(refused(GapReason::ErrorReply, answer.status)),
        Err(_) if answer.status != StatusCode::OK => {
            return Err(refused(GapReason::ErrorReply, answer.status));
        }
        Err(error) => return Err(unusable(format!("the answer is not that of Prometheus: {error}"))),
    };
    let value = raw.1.parse().map_err(|_| unusable("the value is no number"))?;
    Ok(Sample { at_unix_seconds: raw.0, value })
}

fn value_of(data: Data) -> Result<RawSample, Gap> {
    let malformed = |error| unusable(format!("the {} cannot be read: {error}", data.kind));
    match data.kind.as_str() {
        "scalar" => serde_json::from_value(data.result).map_err(malformed),
        "vector" => serde_json::from_value(data.result).map_err(malformed).and_then(only),
        _ => Err(unusable("the result is neither a scalar nor an instant vector")),
    }
}

fn only(mut series: Vec<Series>) -> Result<RawSample, Gap> {
    match (series.pop(), series.len()) {
        (Some(one), 0) => Ok(one.value),
        (None, _) => Err(unusable("the query found nothing")),
        (Some(_), more) => Err(unusable(format!("the query found {} series; aggregate them", more + 1))),
    }
}

fn unusable(detail: impl Into<String>) -> Gap {
    Gap::new(GapReason::Protocol, detail)
}

fn refused(reason: GapReason, status: StatusCode) -> Gap {
    Gap::new(reason, format!("Prometheus answered with HTTP {}", status.as_u16()))
}
