//! A message as plain text and as HTML. Pure.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use crate::act::notify::Message;

/// A moment as RFC 3339, to the second.
pub(super) fn rfc3339(unix_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(unix_ms).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}

/// The sections of a message: heading and lines, none of them empty.
pub(super) fn sections(message: &Message) -> Vec<(String, Vec<String>)> {
    let mut sections = vec![
        ("What happened".to_owned(), vec![message.happened.clone()]),
        ("Why".to_owned(), message.why.clone()),
        ("What was done".to_owned(), message.done.clone()),
        ("What to do now".to_owned(), message.todo.clone()),
    ];
    if message.held_back > 0 {
        let mut lines = message.earlier.clone();
        if lines.is_empty() {
            lines.push("The same.".to_owned());
        }
        sections.push((format!("Before that, held back ({})", message.held_back), lines));
    }
    sections.retain(|(_, lines)| lines.iter().any(|line| !line.is_empty()));
    sections
}

/// What stands below every message.
pub(super) fn footer(message: &Message) -> String {
    let incident = message.incident.as_ref().map(|id| format!(", incident {id}")).unwrap_or_default();
    format!(
        "redrover, service {}, level {}{incident}, {}",
        message.service,
        message.level.as_str(),
        rfc3339(message.at_unix_ms)
    )
}

/// A message as plain text without its title.
pub(super) fn plain(message: &Message) -> String {
    let mut text = String::new();
    for (heading, lines) in sections(message) {
        let _ = writeln!(text, "{heading}:");
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
        text.push('\n');
    }
    text + &footer(message)
}

/// A message as an HTML page that needs nothing from elsewhere.
pub(super) fn html(message: &Message) -> String {
    let mut body = format!("<h2>{}</h2>\n", escaped(&message.title));
    for (heading, lines) in sections(message) {
        let _ = write!(body, "<h3>{}</h3>\n<ul>\n", escaped(&heading));
        for line in lines {
            let _ = writeln!(body, "<li>{}</li>", escaped(&line));
        }
        body.push_str("</ul>\n");
    }
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{body}<p><small>{}</small></p>\n\
         </body></html>\n",
        escaped(&message.title),
        escaped(&footer(message))
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// At most so many characters, the last one an ellipsis where something was cut.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}
