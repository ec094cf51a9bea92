//! One bounded question by HTTP, and what can go wrong with it.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::config::Tls;
use crate::monitor::error::one_line;
use crate::monitor::reasons::io_reason;
use crate::monitor::tls::{TlsError, TlsProfiles, trusting_nobody};
use crate::types::{Gap, GapReason};

/// Unused connections kept to one host.
const IDLE_CONNECTIONS_MAX: usize = 3;
/// Of the time that a question may take, so much at most goes into the connection: what is left tells a server that
/// does not answer from one that is not there.
const CONNECT_SHARE: (u32, u32) = (9, 10);

/// Why a server was not asked, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection came about, or it broke before an answer.
    #[error("got no answer")]
    Send {
        /// Why.
        source: reqwest::Error,
    },
    /// No answer in time.
    #[error("no answer within {} ms", deadline.as_millis())]
    Timeout {
        /// The time there was.
        deadline: Duration,
    },
    /// The answer ended before its end.
    #[error("the answer was cut")]
    Cut {
        /// Why.
        source: reqwest::Error,
    },
    /// The answer does not end.
    #[error("the answer has more than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
}

impl HttpError {
    fn reason(&self) -> GapReason {
        match self {
            Self::Send { source } if source.is_timeout() => GapReason::ConnectTimeout,
            Self::Send { source } => send_reason(source),
            Self::Timeout { .. } => GapReason::Timeout,
            Self::Cut { .. } | Self::TooLong { .. } => GapReason::Protocol,
        }
    }

    /// The failure as a gap; its detail is the error's chain in one line.
    pub fn gap(&self) -> Gap {
        Gap::new(self.reason(), one_line(self))
    }
}

/// The nearest known reason on the way down to the cause.
fn send_reason(error: &reqwest::Error) -> GapReason {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Unresolved>() {
            return GapReason::Dns;
        }
        if let Some(reason) = error.downcast_ref::<io::Error>().and_then(reason_within) {
            return reason;
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_incomplete_message() {
                return GapReason::Closed;
            }
            if error.is_parse() {
                return GapReason::Protocol;
            }
        }
        cause = error.source();
    }
    if error.is_connect() { GapReason::Unreachable } else { GapReason::Closed }
}

/// An I/O error hides what it wraps from the chain of causes.
fn reason_within(error: &io::Error) -> Option<GapReason> {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => Some(GapReason::Tls),
        Some(inner) => inner.downcast_ref::<io::Error>().and_then(reason_within).or(io_reason(error)),
        None => io_reason(error),
    }
}

/// What a server answered.
#[derive(Debug)]
pub(in crate::monitor) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// Asks, and reads an answer of at most so many bytes; all of it within the deadline.
pub(super) async fn ask(
    request: RequestBuilder,
    bytes_max: usize,
    deadline: Duration,
) -> Result<Answer, HttpError> {
    let end = Instant::now() + deadline;
    let late = |_| HttpError::Timeout { deadline };
    let mut response = send(request, end, deadline).await?;
    let mut answer = Answer { status: response.status(), body: Vec::new() };
    loop {
        match timeout_at(end, response.chunk()).await.map_err(late)? {
            Ok(Some(chunk)) if answer.body.len() + chunk.len() <= bytes_max => answer.body.extend(chunk),
            Ok(Some(_)) => return Err(HttpError::TooLong { bytes_max }),
            Ok(None) => return Ok(answer),
            Err(source) => return Err(HttpError::Cut { source: source.without_url() }),
        }
    }
}

/// Asks, and is content with the beginning of an answer, whatever it is.
pub(super) async fn touch(request: RequestBuilder, deadline: Duration) -> Result<(), HttpError> {
    send(request, Instant::now() + deadline, deadline).await.map(drop)
}

async fn send(request: RequestBuilder, end: Instant, deadline: Duration) -> Result<Response, HttpError> {
    match timeout_at(end, request.send()).await {
        Ok(sent) => sent.map_err(|error| HttpError::Send { source: error.without_url() }),
        Err(_) => Err(HttpError::Timeout { deadline }),
    }
}

/// A path below a base URL, which may have a path of its own.
pub(super) fn below(base: &Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

/// Whom a client believes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// Nobody: it speaks in clear text.
    Nobody,
    /// The system's authorities.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// The clients, one for each trust.
#[derive(Debug)]
pub(super) struct HttpClients {
    connect_timeout: Duration,
    ready: Mutex<BTreeMap<Trust, Client>>,
}

impl HttpClients {
    /// Clients for questions that take at most so long.
    pub fn new(deadline: Duration) -> Self {
        let (part, whole) = CONNECT_SHARE;
        Self { connect_timeout: deadline * part / whole, ready: Mutex::default() }
    }

    /// The client for a URL.
    pub fn for_url(
        &self,
        url: &Url,
        ca_file: Option<&PathBuf>,
        profiles: &TlsProfiles,
    ) -> Result<Client, TlsError> {
        let trust = match ca_file {
            _ if url.scheme() == "http" => Trust::Nobody,
            None => Trust::System,
            Some(file) => Trust::File(file.clone()),
        };
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = ready.get(&trust) {
            return Ok(client.clone());
        }
        let tls = match &trust {
            Trust::Nobody => trusting_nobody()?,
            Trust::System | Trust::File(_) => {
                let tls = Tls { ca_file: ca_file.cloned(), ..Tls::default() };
                rustls::ClientConfig::clone(&*profiles.config(&tls)?)
            }
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            // A proxy would answer in the place of what is looked at.
            .no_proxy()
            .dns_resolver(SystemNames)
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|source| TlsError::Client { source })?;
        ready.insert(trust, client.clone());
        Ok(client)
    }
}

/// The system's way to resolve names, with an error that can be told from others.
struct SystemNames;

/// A name did not resolve.
#[derive(Debug, thiserror::Error)]
#[error("could not resolve the host name")]
struct Unresolved(#[source] io::Error);

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            let found: Vec<SocketAddr> = found.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
