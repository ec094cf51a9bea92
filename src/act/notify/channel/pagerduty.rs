//! PagerDuty's Events API, version 2: trigger, acknowledge and resolve, with one dedup key for each incident. Pure.

use serde_json::json;

use super::text::{cut, rfc3339};
use crate::act::http::Post;
use crate::act::notify::{Message, Phase};
use crate::config::Secret;
use crate::types::AgentName;

/// Longest summary, in characters; PagerDuty's limit.
const SUMMARY_CHARS_MAX: usize = 1024;

/// The request.
pub(super) fn request(url: &url::Url, key: &Secret, agent: &AgentName, message: &Message) -> Post {
    let action = match message.phase {
        Phase::Lasts | Phase::Alone => "trigger",
        Phase::Acknowledged => "acknowledge",
        Phase::Over => "resolve",
    };
    let mut event = json!({
        "routing_key": key.expose(),
        "event_action": action,
        "dedup_key": format!("redrover/{}", message.key),
    });
    if action == "trigger" {
        event["client"] = "redrover".into();
        event["payload"] = json!({
            "summary": cut(&message.title, SUMMARY_CHARS_MAX),
            "source": agent.as_str(),
            "severity": message.level.as_str(),
            "timestamp": rfc3339(message.at_unix_ms),
            "component": message.service.as_str(),
            "group": message.service.as_str(),
            "class": message.kind.as_str(),
            "custom_details": {
                "what_happened": message.happened,
                "why": message.why,
                "what_was_done": message.done,
                "what_to_do_now": message.todo,
                "held_back": message.earlier,
            },
        });
    }
    Post::json(url.as_str(), &event)
}
