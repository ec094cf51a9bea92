//! Series of Prometheus over a time.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde::Deserialize;

use super::client::prove;
use super::http::{self, HttpClients, HttpError, below};
use crate::config::{HttpLogin, Prometheus};
use crate::monitor::error::printable;
use crate::monitor::tls::{TlsError, TlsProfiles};

/// Points of one series that are asked for at once; Prometheus refuses more than 11,000.
pub const RANGE_POINTS_MAX: u32 = 10_000;
/// Largest accepted answer, in bytes: some two hundred series of so many points.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A question may take so long; Prometheus itself gives up after two minutes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Why a question about a time was not answered.
#[derive(Debug, thiserror::Error)]
pub enum RangeError {
    /// No answer, or none that ends.
    #[error("Prometheus gave no answer")]
    Http {
        /// Why.
        source: HttpError,
    },
    /// Prometheus, or what stands before it, refused.
    #[error("Prometheus answered with HTTP {status}{said}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words, after a colon, where it has any.
        said: String,
    },
    /// The answer is not that of Prometheus.
    #[error("the answer is not that of Prometheus")]
    Malformed {
        /// Why.
        source: serde_json::Error,
    },
}

impl RangeError {
    /// Whether the same question may be answered the next time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http { source: HttpError::TooLong { .. } } => false,
            Self::Http {
                source: HttpError::Send { .. } | HttpError::Timeout { .. } | HttpError::Cut { .. },
            } => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Malformed { .. } => false,
        }
    }
}

/// One series over a time.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeSeries {
    /// Its labels, with its name as `__name__` where it has one.
    pub labels: BTreeMap<String, String>,
    /// Times in Unix milliseconds, and values. What is not a finite number is left out: it is a gap.
    pub points: Vec<(i64, f64)>,
}

/// A client that asks Prometheus for series over a time.
pub struct RangeClient {
    url: String,
    login: Option<HttpLogin>,
    client: Client,
}

impl fmt::Debug for RangeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeClient").field("url", &self.url).finish_non_exhaustive()
    }
}

impl RangeClient {
    /// A client that connects at its first question.
    ///
    /// # Errors
    /// The certificate authorities cannot be used.
    pub fn new(prometheus: &Prometheus) -> Result<Self, TlsError> {
        let clients = HttpClients::new(DEADLINE);
        let client = clients.for_url(&prometheus.url, prometheus.ca_file.as_ref(), &TlsProfiles::new())?;
        let url = below(&prometheus.url, "api/v1/query_range");
        Ok(Self { url, login: prometheus.login.clone(), client })
    }

    /// The series of a query between two times, Unix milliseconds, both included, at steps of whole milliseconds.
    ///
    /// # Errors
    /// There is no answer, or it is none of Prometheus.
    pub async fn ask(
        &self,
        promql: &str,
        from_unix_ms: i64,
        until_unix_ms: i64,
        step: Duration,
    ) -> Result<Vec<RangeSeries>, RangeError> {
        let [start, end] = [from_unix_ms, until_unix_ms].map(|ms| format!("{}", ms as f64 / 1e3));
        let step = format!("{}", step.as_millis() as f64 / 1e3);
        let query = [("query", promql), ("start", &start), ("end", &end), ("step", &step)];
        let request = prove(self.login.as_ref(), self.client.get(&self.url).query(&query));
        let answer = http::ask(request, ANSWER_BYTES_MAX, DEADLINE).await;
        let answer = answer.map_err(|source| RangeError::Http { source })?;
        match serde_json::from_slice(&answer.body) {
            Ok(Reply::Success { data }) if answer.status == StatusCode::OK => {
                Ok(data.result.into_iter().map(RawSeries::parse).collect())
            }
            Ok(Reply::Error { kind, error }) => {
                Err(refused(answer.status, format!(": {}", printable(&format!("{kind}: {error}")))))
            }
            Ok(Reply::Success { .. }) => Err(refused(answer.status, String::new())),
            Err(_) if answer.status != StatusCode::OK => Err(refused(answer.status, String::new())),
            Err(source) => Err(RangeError::Malformed { source }),
        }
    }
}

fn refused(status: StatusCode, said: String) -> RangeError {
    RangeError::Refused { status: status.as_u16(), said }
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
    result: Vec<RawSeries>,
}

#[derive(Deserialize)]
struct RawSeries {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

impl RawSeries {
    fn parse(self) -> RangeSeries {
        let point = |(at, value): (f64, String)| {
            let value = value.parse::<f64>().ok().filter(|value| value.is_finite())?;
            Some(((at * 1e3).round() as i64, value))
        };
        RangeSeries { labels: self.metric, points: self.values.into_iter().filter_map(point).collect() }
    }
}
