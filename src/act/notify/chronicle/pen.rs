//! What every message of one entry has in common.

use crate::act::notify::message::{Kind, Message, NOTHING, Phase};
use crate::act::notify::words::{Names, title, todo};
use crate::config::Level;
use crate::types::ServiceName;

/// What every message of one entry has in common.
#[derive(Clone, Copy)]
pub(super) struct Pen<'a> {
    pub(super) service: &'a ServiceName,
    pub(super) at_unix_ms: i64,
}

impl Pen<'_> {
    /// A message that stands alone, to be filled in.
    pub(super) fn write(self, kind: Kind, level: Level, names: Names<'_>) -> Message {
        Message {
            key: format!("{}/{}", self.service, kind.as_str()),
            condition: kind.as_str().to_owned(),
            service: self.service.clone(),
            datacenter: None,
            incident: None,
            kind,
            phase: Phase::Alone,
            level,
            level_before: None,
            at_unix_ms: self.at_unix_ms,
            since_unix_ms: self.at_unix_ms,
            title: title(kind, names),
            happened: String::new(),
            why: Vec::new(),
            done: Vec::new(),
            todo: todo(kind, names),
            earlier: Vec::new(),
            held_back: 0,
        }
    }

    /// The end of what a message told.
    pub(super) fn over(self, condition: &Message) -> Message {
        let told = condition.title.strip_prefix(&format!("{}: ", self.service)).unwrap_or(&condition.title);
        Message {
            kind: Kind::Over,
            phase: Phase::Over,
            level_before: None,
            at_unix_ms: self.at_unix_ms,
            title: format!("{}: over: {told}", self.service),
            happened: sentence(&format!("it is over: {told}")),
            why: Vec::new(),
            done: vec!["Nothing more.".to_owned()],
            todo: vec![NOTHING.to_owned()],
            ..condition.clone()
        }
    }
}

/// A line as a sentence.
pub(super) fn sentence(line: &str) -> String {
    let mut chars = line.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let rest = chars.as_str();
    if rest.ends_with(['.', '…', '!', '?']) { format!("{first}{rest}") } else { format!("{first}{rest}.") }
}
