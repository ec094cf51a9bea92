//! One bounded POST, and what its answer means.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode, redirect};

use super::DeliveryError;
use crate::config::{HttpLogin, Tls};
use crate::monitor::{TlsError, TlsProfiles, trusting_nobody};

/// Of an answer that says no, so much is repeated.
const DETAIL_BYTES_MAX: usize = 300;
/// A server may ask for a longer pause; it does not get it.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// What is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Post {
    /// JSON.
    pub fn json(url: impl Into<String>, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { url: url.into(), headers, body: body.to_string().into_bytes() }
    }
}

/// A client for one channel. Proxies of the environment are used: these servers are usually outside.
pub(super) fn client(is_clear: bool, ca_file: Option<&Path>, tls: &TlsProfiles) -> Result<Client, TlsError> {
    let tls = match is_clear {
        true => trusting_nobody()?,
        false => {
            let profile = Tls { ca_file: ca_file.map(Path::to_owned), ..Tls::default() };
            rustls::ClientConfig::clone(&*tls.config(&profile)?)
        }
    };
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("redrover/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|source| TlsError::Client { source })
}

/// Posts, and reads what came of it. The errors name neither URL nor secret.
pub(super) async fn post(
    client: &Client,
    post: Post,
    login: Option<&HttpLogin>,
) -> Result<(), DeliveryError> {
    let mut request = client.post(&post.url).body(post.body);
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    request = match login {
        None => request,
        Some(HttpLogin::Bearer(token)) => request.bearer_auth(token.expose()),
        Some(HttpLogin::Basic { username, password }) => {
            request.basic_auth(username, Some(password.expose()))
        }
    };
    let sent = request.send().await;
    let response = sent.map_err(|error| DeliveryError::Http { source: error.without_url() })?;
    judge(response).await
}

async fn judge(mut response: Response) -> Result<(), DeliveryError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let pause = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = pause.map(|seconds| Duration::from_secs(seconds).min(PAUSE_MAX));
    let mut said = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        said.extend_from_slice(&chunk);
        if said.len() >= DETAIL_BYTES_MAX {
            said.truncate(DETAIL_BYTES_MAX);
            break;
        }
    }
    let said = String::from_utf8_lossy(&said);
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let detail = format!("{} {}", status.as_u16(), said.trim());
    Err(match status {
        // The message itself is at fault. A wrong key or address is mended by a person, and then it may pass.
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            DeliveryError::Refused { detail }
        }
        _ => DeliveryError::Later { detail, pause },
    })
}
