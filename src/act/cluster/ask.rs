//! One bounded request to a cluster, and what its answer means.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;

use crate::act::http;
use crate::monitor::{TlsError, TlsProfiles};

/// Deadline of one request: a management plane is slower than the data.
pub(super) const REQUEST_DEADLINE: Duration = Duration::from_secs(5);
/// Of that, so much at most goes into the connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// Largest accepted answer, bytes: a database has a handful of fields that are asked for.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Longest error code that is repeated, bytes.
const CODE_BYTES_MAX: usize = 64;

/// What came of one request.
pub(super) enum Told {
    /// An answer with its status.
    Answer(StatusCode, Vec<u8>),
    /// No connection came about: nothing was sent.
    Unreached(reqwest::Error),
    /// It was sent, and the answer was lost or did not come in time.
    Lost,
}

/// A client for one cluster, which is never reached by way of a proxy.
pub(super) fn client(is_clear: bool, ca_file: Option<&Path>, tls: &TlsProfiles) -> Result<Client, TlsError> {
    http::build(http::unfinished(is_clear, ca_file, tls)?.no_proxy().connect_timeout(CONNECT_DEADLINE))
}

/// Sends, and reads a bounded answer, all within the deadline.
pub(super) async fn send(
    client: &Client,
    (method, url): (Method, String),
    (username, password): (&str, &str),
    body: Option<&str>,
) -> Told {
    let mut request = client.request(method, url).basic_auth(username, Some(password));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    let work = async {
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Told::Unreached(error.without_url()),
            Err(_) => return Told::Lost,
        };
        let (status, mut said) = (response.status(), Vec::new());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if said.len() + chunk.len() <= ANSWER_BYTES_MAX => said.extend(chunk),
                Ok(None) => return Told::Answer(status, said),
                // The status was told; what is missing of the body is missing in what is read of it.
                Ok(Some(_)) | Err(_) => return Told::Answer(status, Vec::new()),
            }
        }
    };
    tokio::time::timeout(REQUEST_DEADLINE, work).await.unwrap_or(Told::Lost)
}

/// The cluster's own code of a refusal, after a comma; nothing where there is none that may be shown.
pub(super) fn code(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error_code: String,
    }
    let is_sound = |code: &String| {
        code.len() <= CODE_BYTES_MAX && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
    let code = refusal.map(|refusal| refusal.error_code).filter(is_sound);
    code.map(|code| format!(", {code}")).unwrap_or_default()
}

/// The fields of a database that are asked for; those with passwords are not.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Database {
    pub status: Option<String>,
    pub replica_sync: Option<String>,
    pub replica_read_only: Option<bool>,
    pub traffic_manually_disabled: Option<bool>,
}

impl Database {
    /// What to ask for.
    pub const FIELDS: &str = "uid,status,replica_sync,replica_read_only,traffic_manually_disabled";

    /// Whether no change is under way.
    pub fn is_settled(&self) -> bool {
        self.status.as_deref() == Some("active")
    }

    /// Whether it copies nothing.
    pub fn is_on_its_own(&self) -> bool {
        self.replica_sync.as_deref() == Some("disabled")
    }
}
