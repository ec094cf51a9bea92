//! A message as a POST, and what its answer means.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};

use super::DeliveryError;
use crate::act::http::{self, Post};
use crate::config::HttpLogin;

/// Of an answer that says no, so much is repeated.
const DETAIL_BYTES_MAX: usize = 300;
/// A server may ask for a longer pause; it does not get it.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Posts, and reads what came of it. The errors name neither URL nor secret.
pub(super) async fn post(
    client: &Client,
    post: Post,
    login: Option<&HttpLogin>,
) -> Result<(), DeliveryError> {
    let sent = http::post(client, post, login).await;
    judge(sent.map_err(|source| DeliveryError::Http { source })?).await
}

async fn judge(response: Response) -> Result<(), DeliveryError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let pause = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = pause.map(|seconds| Duration::from_secs(seconds).min(PAUSE_MAX));
    let said = http::words(response, DETAIL_BYTES_MAX).await;
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
