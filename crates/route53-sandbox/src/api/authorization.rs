//! The shape of a Signature Version 4 header. The signature itself is not verified: the sandbox knows no secret.

use crate::zone::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256 ";

/// Refuses a request whose `Authorization` header is absent or not of the right form.
pub fn check(header: Option<&str>) -> Result<(), Refusal> {
    if header.is_some_and(is_well_formed) { Ok(()) } else { Err(Refusal::MissingAuthenticationToken) }
}

fn is_well_formed(header: &str) -> bool {
    let Some(fields) = header.strip_prefix(ALGORITHM) else { return false };
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
    let scope: Vec<_> = field("Credential=").unwrap_or_default().split('/').collect();
    let scope_is_good = matches!(scope.as_slice(), [key, date, region, "route53", "aws4_request"]
        if !key.is_empty() && !region.is_empty() && date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()));
    let signature = field("Signature=").unwrap_or_default();
    scope_is_good
        && field("SignedHeaders=").is_some_and(|headers| headers.split(';').any(|header| header == "host"))
        && signature.len() == 64
        && signature.bytes().all(|byte| byte.is_ascii_hexdigit())
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
            assert_eq!(check(Some(&header)).is_ok(), good, "{header}");
        }
        assert_eq!(check(None), Err(Refusal::MissingAuthenticationToken));
    }
}
