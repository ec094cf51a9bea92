//! Bounded requests: a deadline for each, and an end to each answer.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect};

use super::outcome::{self, Request};
use crate::act::dns::{DnsError, wire};
use crate::config::Tls;
use crate::monitor::{TlsProfiles, trusting_nobody};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);
/// Longest answer that is read; a page of a hundred sets is far shorter.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A status, and what came with it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// A client for one host; without TLS it trusts nobody.
pub(super) fn client(is_clear: bool) -> Result<Client, DnsError> {
    let bad = |detail: String| DnsError::Misconfigured { detail };
    let tls = match is_clear {
        true => trusting_nobody().map_err(|error| bad(wire::chain(&error)))?,
        false => {
            let config = TlsProfiles::new().config(&Tls::default());
            rustls::ClientConfig::clone(&*config.map_err(|error| bad(wire::chain(&error)))?)
        }
    };
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .user_agent(concat!("redrover/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| bad(wire::chain(&error)))
}

/// Sends a request and reads its whole answer.
pub(super) async fn send(request: RequestBuilder, kind: Request) -> Result<Answer, DnsError> {
    let sent = request.send().await.map_err(|error| outcome::silent(kind, &error.without_url()));
    let mut response = sent?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(outcome::unreadable(kind, "it is too long")),
            Ok(None) => return Ok(Answer { status, body }),
            Err(error) => return Err(outcome::silent(kind, &error.without_url())),
        }
    }
}
