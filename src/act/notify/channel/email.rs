//! A message as a mail: text and HTML in one. Pure.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::{cut, html, plain};
use crate::act::notify::Message;
use crate::config::Email;

/// Longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 200;
/// Bytes of text in one encoded word: 60 characters of base64, within the 75 that RFC 2047 allows.
const WORD_BYTES_MAX: usize = 45;
/// Characters of base64 on a line (RFC 2045, section 6.8).
const LINE_CHARS: usize = 76;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The mail. `id` is the letter's: a mail that is sent twice is the same mail to whoever sorts out doubles.
pub(super) fn mail(email: &Email, id: u64, message: &Message) -> String {
    let domain = email.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    let subject = format!("[{}] {}", message.level.as_str(), message.title);
    let boundary = format!("=_redrover_{id}_{}", message.at_unix_ms);
    let mut mail = String::new();
    for (name, value) in [
        ("From", format!("redrover <{}>", email.from)),
        ("To", email.to.join(",\r\n ")),
        ("Subject", encoded(&cut(&subject, SUBJECT_CHARS_MAX))),
        ("Date", date(message.at_unix_ms)),
        ("Message-ID", format!("<redrover.{id}.{}@{domain}>", message.at_unix_ms)),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", format!("multipart/alternative;\r\n boundary=\"{boundary}\"")),
    ] {
        let _ = write!(mail, "{name}: {value}\r\n");
    }
    mail.push_str("\r\n");
    let text = format!("{}\n\n{}\n", message.title, plain(message));
    for (kind, text) in [("plain", text.replace('\n', "\r\n")), ("html", html(message).replace('\n', "\r\n"))]
    {
        let _ = write!(
            mail,
            "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        );
        let body = STANDARD.encode(text);
        for line in body.as_bytes().chunks(LINE_CHARS) {
            mail.push_str(&String::from_utf8_lossy(line));
            mail.push_str("\r\n");
        }
    }
    let _ = write!(mail, "--{boundary}--\r\n");
    mail
}

/// A text as the value of a header: as it is where that is allowed, else in encoded words (RFC 2047).
fn encoded(text: &str) -> String {
    if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars().filter(|c| !c.is_control()) {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > WORD_BYTES_MAX) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// A moment as RFC 5322 writes it.
fn date(unix_ms: i64) -> String {
    let seconds = u64::try_from(unix_ms).unwrap_or(0) / 1000;
    let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    // 2026-11-24T00:18:15Z
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let day = usize::try_from(seconds / 86_400 % 7).ok().and_then(|day| DAYS.get(day));
    let (day, month) = (day.unwrap_or(&"Thu"), month.unwrap_or(&"Jan"));
    format!("{day}, {} {month} {} {} +0000", part(8, 10), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_mail() {
        for (unix_ms, wanted) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (1_795_479_495_999, "Tue, 24 Nov 2026 00:18:15 +0000"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"),
        ] {
            assert_eq!(date(unix_ms), wanted);
        }
    }

    #[test]
    fn headers_cannot_be_injected_and_are_not_too_long() {
        assert_eq!(encoded("[error] s: x"), "[error] s: x");
        assert_eq!(encoded("a\r\nBcc: x"), "=?utf-8?B?YUJjYzogeA==?=");
        assert_eq!(encoded("=?x"), "=?utf-8?B?PT94?=");
        let long = encoded(&"ü".repeat(100));
        assert!(long.lines().all(|line| line.len() <= 76), "{long}");
    }
}
