//! Slack's incoming webhook. Pure.

use serde_json::{Value, json};

use super::text::{cut, footer, sections};
use crate::act::http::Post;
use crate::act::notify::Message;
use crate::config::Secret;

/// Longest header of a message, in characters; this and the next are Slack's limits.
const HEADER_CHARS_MAX: usize = 150;
/// Longest text of a section.
const SECTION_CHARS_MAX: usize = 3000;

/// The request.
pub(super) fn request(url: &Secret, message: &Message) -> Post {
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": cut(&message.title, HEADER_CHARS_MAX)},
    })];
    for (heading, lines) in sections(message) {
        let lines: Vec<String> = lines.iter().map(|line| format!("\u{2022} {}", escaped(line))).collect();
        let text = format!("*{}*\n{}", escaped(&heading), lines.join("\n"));
        blocks.push(section(&text));
    }
    blocks.push(json!({
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": escaped(&footer(message))}],
    }));
    let fallback = format!("[{}] {}", message.level.as_str(), escaped(&message.title));
    Post::json(url.expose(), &json!({"text": fallback, "blocks": blocks}))
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(text, SECTION_CHARS_MAX)}})
}

/// The three characters that Slack asks to be escaped: a foreign text cannot mention anybody then.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
