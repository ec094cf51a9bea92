//! The shape of a Signature Version 4 header. The signature itself is not verified: the sandbox knows no secret.

use axum::http::{HeaderMap, header};

use crate::identity::Caller;
use crate::zone::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256 ";

/// Who signs a request to `service`; refuses one whose `Authorization` header is absent or not of the right form.
pub fn caller(headers: &HeaderMap, service: &str) -> Result<Caller, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|text| text.to_str().ok());
    let key_id = text(header::AUTHORIZATION.as_str()).and_then(|header| key_id(header, service));
    let key_id = key_id.ok_or(Refusal::MissingAuthenticationToken)?;
    Ok(Caller { key_id, session_token: text("x-amz-security-token").map(str::to_owned) })
}

/// The access key's id of a well-formed header.
fn key_id(header: &str, service: &str) -> Option<String> {
    let fields = header.strip_prefix(ALGORITHM)?;
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
    let scope: Vec<_> = field("Credential=")?.split('/').collect();
    let [key, date, region, of, "aws4_request"] = scope.as_slice() else { return None };
    let scope_is_good = *of == service
        && !key.is_empty()
        && !region.is_empty()
        && date.len() == 8
        && date.bytes().all(|byte| byte.is_ascii_digit());
    let signature = field("Signature=")?;
    let is_good = scope_is_good
        && field("SignedHeaders=")?.split(';').any(|header| header == "host")
        && signature.len() == 64
        && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_good.then(|| (*key).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_signature_header_passes() {
        let header = |credential: &str, signed: &str, signature: &str| {
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}")
        };
        let scope = "AKID/20260101/us-east-1/route53/aws4_request";
        let signature = "0123456789abcdef".repeat(4);
        let table = [
            (header(scope, "host;x-amz-date", &signature), true),
            (header("AKID/20260101/us-east-1/s3/aws4_request", "host", &signature), false),
            (header("AKID/2026/us-east-1/route53/aws4_request", "host", &signature), false),
            (header("/20260101/us-east-1/route53/aws4_request", "host", &signature), false),
            (header(scope, "x-amz-date", &signature), false),
            (header(scope, "host", "abc"), false),
            ("Bearer x".to_owned(), false),
            (String::new(), false),
        ];
        for (header, good) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, header.parse().unwrap());
            headers.insert("x-amz-security-token", "t".parse().unwrap());
            let caller = caller(&headers, "route53");
            let found = caller.ok().map(|caller| (caller.key_id, caller.session_token));
            assert_eq!(found, good.then(|| ("AKID".to_owned(), Some("t".to_owned()))), "{header}");
        }
        let none = caller(&HeaderMap::new(), "route53").map(|_| ());
        assert_eq!(none, Err(Refusal::MissingAuthenticationToken));
    }
}
