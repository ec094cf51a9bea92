//! HTTP to servers on this machine.

use std::time::Duration;

/// Deadline of one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// An answer, read to its end.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// A client that uses no proxy. One for each runtime: a connection dies with the runtime that it was opened in.
pub fn client() -> reqwest::Client {
    // The clients of the program ask for a provider as well; whoever comes second finds one there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(REQUEST_LIMIT).build().expect("a client without TLS files")
}

/// Gets a URL; the error is for people.
pub async fn get(url: &str) -> Result<Response, String> {
    send(client().get(url)).await
}

/// Sends a request; the error is for people.
pub async fn send(request: reqwest::RequestBuilder) -> Result<Response, String> {
    let response = request.send().await.map_err(|e| format!("{e:?}"))?;
    let status = response.status().as_u16();
    let body = response.text().await.map_err(|e| format!("{e:?}"))?;
    Ok(Response { status, body })
}

/// Whether a URL answers with success, right now.
pub async fn is_ok(url: &str) -> bool {
    get(url).await.is_ok_and(|r| (200..300).contains(&r.status))
}

/// Gets JSON, and panics where there is none.
pub async fn get_json(url: &str) -> serde_json::Value {
    let response = get(url).await.unwrap_or_else(|e| panic!("{url} does not answer: {e}"));
    assert_eq!(response.status, 200, "{url}: {}", response.body);
    serde_json::from_str(&response.body)
        .unwrap_or_else(|e| panic!("{url} is not JSON, {e}: {}", response.body))
}
