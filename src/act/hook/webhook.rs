//! Posts a call to an address; any 2xx is a yes.

use std::path::Path;

use tokio::time::timeout;
use url::Url;

use super::{Call, HookError, SAID_BYTES_MAX, after_colon, line};
use crate::act::http::{self, Post, client};
use crate::config::{HookWay, HttpLogin};
use crate::monitor::TlsProfiles;

/// Posts, and reads the beginning of the answer. The status decides, whether or not its body ever ends.
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
    let sent = timeout(call.limit, http::post(&client, Post::json(url.as_str(), &call.json()), login)).await;
    let response = match sent {
        Ok(Ok(response)) => response,
        Ok(Err(source)) => return Err(HookError::Lost { hook, source }),
        Err(_) => return Err(HookError::Late { hook, limit: call.limit }),
    };
    let status = response.status();
    let said = line(&http::words(response, SAID_BYTES_MAX).await);
    if status.is_success() {
        return Ok(said);
    }
    Err(HookError::Refused { hook, status: status.as_u16(), said: after_colon(said) })
}
