//! A generic webhook: a body of one's own, or the whole message as JSON; signed where a key is configured. Pure.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::text::{plain, rfc3339};
use crate::act::http::Post;
use crate::act::notify::Message;
use crate::config::{MessageWebhook, Piece, Place, Secret, Template};
use crate::types::AgentName;

/// The request, as of now. The receiver takes a signature over the time and the body, so that nobody can send an old
/// message again.
pub(super) fn request(
    webhook: &MessageWebhook,
    agent: &AgentName,
    message: &Message,
    now_unix_ms: i64,
) -> Post {
    let body = match &webhook.body {
        Some(template) => {
            let is_json = webhook.content_type.contains("json");
            filled(template, agent, message, is_json)
        }
        None => whole(agent, message),
    };
    let mut headers = vec![("content-type", webhook.content_type.clone())];
    if let Some(key) = &webhook.hmac_key {
        let seconds = now_unix_ms.div_euclid(1000).to_string();
        let signature = signature(key, &seconds, body.as_bytes());
        headers.push(("x-redrover-timestamp", seconds));
        headers.push(("x-redrover-signature", signature));
    }
    Post { url: webhook.url.to_string(), headers, body: body.into_bytes() }
}

/// `sha256=` and the HMAC-SHA256 of the time, a dot, and the body, in hexadecimal.
fn signature(key: &Secret, seconds: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()) else {
        unreachable!("HMAC takes a key of any length");
    };
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn whole(agent: &AgentName, message: &Message) -> String {
    json!({
        "version": 1,
        "agent": agent.as_str(),
        "service": message.service.as_str(),
        "datacenter": message.datacenter.as_ref().map(|site| site.as_str()),
        "level": message.level.as_str(),
        "kind": message.kind.as_str(),
        "condition": message.condition,
        "phase": message.phase.as_str(),
        "key": message.key,
        "incident": message.incident,
        "time": rfc3339(message.at_unix_ms),
        "since": rfc3339(message.since_unix_ms),
        "title": message.title,
        "happened": message.happened,
        "why": message.why,
        "done": message.done,
        "todo": message.todo,
        "earlier": message.earlier,
        "held_back": message.held_back,
    })
    .to_string()
}

/// A template with its places filled; within JSON, with each text escaped for the inside of a string.
fn filled(template: &Template, agent: &AgentName, message: &Message, is_json: bool) -> String {
    let mut out = String::new();
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(place) => {
                let value = value(*place, agent, message);
                if is_json {
                    let quoted = serde_json::Value::String(value).to_string();
                    out.push_str(&quoted[1..quoted.len() - 1]);
                } else {
                    out.push_str(&value);
                }
            }
        }
    }
    out
}

fn value(place: Place, agent: &AgentName, message: &Message) -> String {
    match place {
        Place::Agent => agent.to_string(),
        Place::Service => message.service.to_string(),
        Place::Level => message.level.as_str().to_owned(),
        Place::Kind => message.kind.as_str().to_owned(),
        Place::Phase => message.phase.as_str().to_owned(),
        Place::Key => message.key.clone(),
        Place::Incident => message.incident.clone().unwrap_or_default(),
        Place::Time => rfc3339(message.at_unix_ms),
        Place::Title => message.title.clone(),
        Place::Happened => message.happened.clone(),
        Place::Why => message.why.join("\n"),
        Place::Done => message.done.join("\n"),
        Place::Todo => message.todo.join("\n"),
        Place::Text => format!("{}\n\n{}", message.title, plain(message)),
    }
}
