//! Who calls.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use crate::config::{Secret, WebhookAuth};

/// Whether the caller may post notifications. Secrets are compared in constant time.
pub(super) fn may_notify(headers: &HeaderMap, auth: &WebhookAuth) -> bool {
    match auth {
        WebhookAuth::Open => true,
        WebhookAuth::Bearer(token) => {
            credentials(headers, "bearer").is_some_and(|c| is_secret(c.as_bytes(), token))
        }
        WebhookAuth::Basic { username, password } => basic(headers).is_some_and(|(user, sent)| {
            let is_user = bool::from(user.ct_eq(username.as_bytes()));
            is_user & is_secret(&sent, password)
        }),
    }
}

/// The name and the password of a basic login.
pub(super) fn basic(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut user = STANDARD.decode(credentials(headers, "basic")?).ok()?;
    let colon = user.iter().position(|byte| *byte == b':')?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, password))
}

fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (found, rest) = sent.split_once(' ')?;
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
