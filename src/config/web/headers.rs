//! How answers are sent.

use crate::config::read::{Item, Section, boolean, quoted, text};

/// The headers that the file may set, and the values that are known of each; none where every value is allowed.
const KNOWN: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// Reads `http_server_config`: the headers of every answer. HTTP/2 may be allowed, but is not spoken.
pub(super) fn read(item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let section = item.section(&["http2", "headers"])?;
    section.optional("http2", boolean);
    let Some(headers) = section.item("headers") else { return Some(Vec::new()) };
    let names = KNOWN.map(|(name, _)| name);
    let headers = headers.section(&names)?;
    Some(KNOWN.iter().filter_map(|(name, values)| header(&headers, name, values)).collect())
}

fn header(headers: &Section<'_>, name: &str, values: &[&str]) -> Option<(String, String)> {
    let value = headers.optional(name, text)?;
    let key = headers.key_of(name);
    if !value.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        headers.sheet.problem(&key, "is not one line of ASCII", "write the header's value");
        return None;
    }
    if !values.is_empty() && !values.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        let hint = format!("write {}", values.join(" or "));
        headers.sheet.problem(&key, format!("{} is not known", quoted(value)), hint);
        return None;
    }
    Some((name.to_owned(), value.to_owned()))
}
