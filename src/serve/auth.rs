//! Who calls.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use crate::config::{Secret, WebhookAuth};

/// Whether the caller may post notifications. Secrets are compared in constant time.
pub(super) fn may_notify(headers: &HeaderMap, auth: &WebhookAuth) -> bool {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match auth {
        WebhookAuth::Open => true,
        WebhookAuth::Bearer(token) => {
            credentials(sent, "bearer").is_some_and(|c| is_secret(c.as_bytes(), token))
        }
        WebhookAuth::Basic { username, password } => {
            let decoded = credentials(sent, "basic").and_then(|c| STANDARD.decode(c).ok());
            decoded.is_some_and(|pair| {
                let colon = pair.iter().position(|byte| *byte == b':');
                colon.is_some_and(|at| {
                    let is_user = bool::from(pair[..at].ct_eq(username.as_bytes()));
                    is_user & is_secret(&pair[at + 1..], password)
                })
            })
        }
    }
}

fn credentials<'a>(sent: Option<&'a str>, scheme: &str) -> Option<&'a str> {
    let (found, rest) = sent?.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn is_secret(sent: &[u8], secret: &Secret) -> bool {
    bool::from(sent.ct_eq(secret.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_credentials_pass() {
        let bearer = WebhookAuth::Bearer(Secret::new("t0ken"));
        let basic = WebhookAuth::Basic { username: "am".to_owned(), password: Secret::new("p:w") };
        let pair = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (auth, sent, good) in [
            (&WebhookAuth::Open, None, true),
            (&bearer, None, false),
            (&bearer, Some("Bearer t0ken".to_owned()), true),
            (&bearer, Some("bearer t0ken".to_owned()), true),
            (&bearer, Some("Bearer t0keN".to_owned()), false),
            (&bearer, Some("Bearer".to_owned()), false),
            (&bearer, Some("Basic t0ken".to_owned()), false),
            (&basic, Some(pair("am:p:w")), true),
            (&basic, Some(pair("am:p")), false),
            (&basic, Some(pair("xx:p:w")), false),
            (&basic, Some("Basic !!!".to_owned()), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = &sent {
                headers.insert(AUTHORIZATION, sent.parse().unwrap());
            }
            assert_eq!(may_notify(&headers, auth), good, "{sent:?}");
        }
    }
}
