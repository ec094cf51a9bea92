//! The answer that carries a page of metrics, packed where the caller takes it packed.

use std::io::Write as _;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this a page fits into one packet, and packing it is work for nothing.
const PACKED_BYTES_MIN: usize = 1024;

/// The answer with a page.
pub(super) fn page_response(headers: &HeaderMap, content_type: &'static str, page: Vec<u8>) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let packed = if page.len() >= PACKED_BYTES_MIN && takes_gzip(accepted) { gzip(&page) } else { None };
    let is_packed = packed.is_some();
    let mut response = packed.unwrap_or(page).into_response();
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    head.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    if is_packed {
        head.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn gzip(page: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    encoder.write_all(page).ok()?;
    encoder.finish().ok()
}

/// Whether an `Accept-Encoding` header takes gzip.
fn takes_gzip(accepted: &str) -> bool {
    let quality = |coding: &str| {
        accepted.split(',').find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            if !parts.next()?.eq_ignore_ascii_case(coding) {
                return None;
            }
            let stated = parts.find_map(|part| part.strip_prefix("q="));
            // A quality that is none counts as a refusal.
            Some(stated.map_or(1.0, |q| q.parse::<f64>().unwrap_or(0.0)))
        })
    };
    quality("gzip").or_else(|| quality("*")).is_some_and(|q| q > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_the_caller_says_so() {
        for (accepted, takes) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, *", false),
            ("*", true),
            ("*;q=0", false),
            ("identity", false),
            ("gzip;q=much", false),
            ("xgzip", false),
        ] {
            assert_eq!(takes_gzip(accepted), takes, "{accepted:?}");
        }
    }

    #[test]
    fn a_short_page_is_not_packed() {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        let response = page_response(&headers, "text/plain", vec![b'a'; PACKED_BYTES_MIN - 1]);
        assert_eq!(response.headers().get(CONTENT_ENCODING), None);
        let response = page_response(&headers, "text/plain", vec![b'a'; PACKED_BYTES_MIN]);
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[VARY], "accept, accept-encoding");
    }
}
