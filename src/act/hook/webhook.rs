//! Posts a call to an address; any 2xx is a yes.

use std::path::Path;

use reqwest::{Client, redirect};
use url::Url;

use super::{Call, HookError, SAID_BYTES_MAX, after_colon, line};
use crate::config::{HookWay, HttpLogin, Tls};
use crate::monitor::{TlsError, TlsProfiles, trusting_nobody};

/// Posts, and reads the beginning of the answer.
pub(super) async fn post(
    url: &Url,
    login: Option<&HttpLogin>,
    ca_file: Option<&Path>,
    call: &Call<'_>,
    tls: &TlsProfiles,
) -> Result<String, HookError> {
    let hook = HookWay::Webhook { url: url.clone(), login: None, ca_file: None }.name();
    let client = match client(url.scheme() == "http", ca_file, tls) {
        Ok(client) => client,
        Err(source) => return Err(HookError::Tls { hook, source }),
    };
    let mut request = client.post(url.clone()).header("content-type", "application/json");
    request = match login {
        None => request,
        Some(HttpLogin::Bearer(token)) => request.bearer_auth(token.expose()),
        Some(HttpLogin::Basic { username, password }) => {
            request.basic_auth(username, Some(password.expose()))
        }
    };
    let sent = request.body(call.json().to_string()).send().await;
    let mut response = match sent {
        Ok(response) => response,
        Err(source) => return Err(HookError::Lost { hook, source: source.without_url() }),
    };
    let mut said = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await
        && said.len() < SAID_BYTES_MAX
    {
        said.extend_from_slice(&chunk);
    }
    said.truncate(SAID_BYTES_MAX);
    let status = response.status();
    if status.is_success() {
        return Ok(line(&said));
    }
    Err(HookError::Refused { hook, status: status.as_u16(), said: after_colon(line(&said)) })
}

fn client(is_clear: bool, ca_file: Option<&Path>, tls: &TlsProfiles) -> Result<Client, TlsError> {
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
