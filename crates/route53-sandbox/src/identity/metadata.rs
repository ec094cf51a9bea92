//! The instance's metadata service, version 2: a session token first, then the role's keys.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::clock::Stamp;

use super::keys::{Keys, token};

/// The role of the instance.
pub const ROLE: &str = "sandbox-instance";
const TOKEN: &str = "metadata-session";
const LIFE_MILLIS: u64 = 3_600_000;

/// The session token, for a request that says how long it shall live.
pub fn session(headers: &HeaderMap) -> Option<&'static str> {
    headers.contains_key("x-aws-ec2-metadata-token-ttl-seconds").then_some(TOKEN)
}

/// Whether a request bears the session token.
pub fn is_in_session(headers: &HeaderMap) -> bool {
    headers.get("x-aws-ec2-metadata-token").is_some_and(|token| token == TOKEN)
}

/// The role's keys.
pub fn credentials(keys: &mut Keys, now: Stamp) -> Value {
    let role = (format!("arn:aws:iam::111122223333:role/{ROLE}"), "i-0123456789".to_owned());
    let key_id = keys.issue("metadata", role, None, None);
    json!({
        "Code": "Success",
        "LastUpdated": now.to_string(),
        "Type": "AWS-HMAC",
        "AccessKeyId": key_id,
        "SecretAccessKey": format!("secret-of-{key_id}"),
        "Token": token(&key_id),
        "Expiration": Stamp(now.0 + LIFE_MILLIS).to_string(),
        "AccountId": "111122223333",
    })
}
