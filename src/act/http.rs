//! One bounded POST to somebody's address: certificates are verified, redirects are not followed, no error names a secret.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Error, Response, redirect};

use crate::config::{HttpLogin, Tls};
use crate::monitor::{TlsError, TlsProfiles, trusting_nobody};

/// Once the status is there, so long is waited for the words: who keeps an answer open keeps nobody waiting.
const WORDS_LIMIT: Duration = Duration::from_secs(1);

/// What is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Post {
    /// JSON.
    pub(super) fn json(url: impl Into<String>, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { url: url.into(), headers, body: body.to_string().into_bytes() }
    }
}

/// A client. Proxies of the environment are used: these servers are usually outside.
pub(super) fn client(is_clear: bool, ca_file: Option<&Path>, tls: &TlsProfiles) -> Result<Client, TlsError> {
    build(unfinished(is_clear, ca_file, tls)?)
}

/// What all clients of this folder have in common; to be finished by [`build`].
pub(super) fn unfinished(
    is_clear: bool,
    ca_file: Option<&Path>,
    tls: &TlsProfiles,
) -> Result<ClientBuilder, TlsError> {
    let tls = match is_clear {
        true => trusting_nobody()?,
        false => {
            let profile = Tls { ca_file: ca_file.map(Path::to_owned), ..Tls::default() };
            rustls::ClientConfig::clone(&*tls.config(&profile)?)
        }
    };
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        // Whoever redirects may name somebody else, and credentials go to nobody else.
        .redirect(redirect::Policy::none())
        .user_agent(concat!("redrover/", env!("CARGO_PKG_VERSION"))))
}

/// Finishes a client.
pub(super) fn build(unfinished: ClientBuilder) -> Result<Client, TlsError> {
    unfinished.build().map_err(|source| TlsError::Client { source })
}

/// Posts, and waits for the status of the answer. The caller sets the deadline.
pub(super) async fn post(client: &Client, post: Post, login: Option<&HttpLogin>) -> Result<Response, Error> {
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
    request.send().await.map_err(Error::without_url)
}

/// The beginning of an answer's body: what of it comes in time.
pub(super) async fn words(mut response: Response, bytes_max: usize) -> Vec<u8> {
    let mut said = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await
            && said.len() < bytes_max
        {
            said.extend_from_slice(&chunk);
        }
    };
    // What came until then is good enough.
    let _ = tokio::time::timeout(WORDS_LIMIT, read).await;
    said.truncate(bytes_max);
    said
}
