//! What is told when the journal, and so the outbox, takes nothing: at once, and from memory.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::Done;
use super::{Courier, millis};
use crate::act::notify::message::{Kind, Message, Phase};
use crate::config::Level;
use crate::store::JournalError;
use crate::types::{AgentName, ServiceName};

/// A journal that takes nothing for so long is told of.
const TROUBLE_LASTS: Duration = Duration::from_secs(10);
/// And told of again while it lasts.
const ALARM_AGAIN: Duration = Duration::from_secs(600);

/// The journal takes nothing.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// Since when, Unix milliseconds.
    since: i64,
    /// When people were told last.
    alarmed: Option<i64>,
    /// What is wrong, in the words of whoever found it.
    why: String,
}

impl Courier {
    /// Notes whether the journal takes anything. Where it does not, nothing is decided any more, and no message can be
    /// made durable: people are told of that at once, past the outbox.
    pub(super) fn report(&mut self, done: Result<(), JournalError>) {
        match done {
            Ok(()) => {
                let trouble = self.trouble.take();
                self.is_healed |= trouble.is_some_and(|trouble| trouble.alarmed.is_some());
            }
            Err(error) => {
                let now = self.now();
                if self.trouble.is_none() {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "messages to people wait: their outbox cannot be used");
                }
                let why = causes(&error);
                let trouble = self.trouble.take().unwrap_or(Trouble { since: now, alarmed: None, why });
                let is_lasting = now.saturating_sub(trouble.since) >= millis(TROUBLE_LASTS);
                let is_due = |at: i64| now.saturating_sub(at) >= millis(ALARM_AGAIN);
                let must_tell = is_lasting && trouble.alarmed.is_none_or(is_due);
                if must_tell {
                    self.alarm(trouble.since, &trouble.why);
                }
                let alarmed = if must_tell { Some(now) } else { trouble.alarmed };
                self.trouble = Some(Trouble { alarmed, ..trouble });
            }
        }
    }

    /// Tells every channel, from memory, that the journal takes nothing.
    fn alarm(&mut self, since: i64, why: &str) {
        let channels = self.channels.borrow().clone();
        let now = self.now();
        for rules in channels.rules.iter() {
            let Some(channel) = channels.get(&rules.name).filter(|_| !self.busy.contains(&rules.name)) else {
                continue;
            };
            let Some(mut message) = journal_lost(channel.agent(), Phase::Lasts, since, now) else { continue };
            message.why = vec![why.to_owned()];
            let (channel, name) = (Arc::clone(channel), rules.name.clone());
            self.busy.insert(name.clone());
            self.deliveries.spawn(async move {
                let result = channel.deliver(0, &message, now).await;
                Done { channel: name, letter: None, result }
            });
        }
    }
}

/// The message that the journal takes nothing, or takes entries again. It is about the agent as a whole, so no routing
/// by service keeps it from anybody.
pub(super) fn journal_lost(agent: &AgentName, phase: Phase, since: i64, now: i64) -> Option<Message> {
    let kind = if phase == Phase::Over { Kind::Over } else { Kind::JournalLost };
    let (title, happened) = match phase {
        Phase::Over => ("the journal takes entries again", "redrover decides and acts again."),
        Phase::Alone | Phase::Lasts | Phase::Acknowledged => (
            "the journal takes no entries: redrover does nothing",
            "Nothing that is decided can be written down, and without a durable record nothing is done.",
        ),
    };
    let todo = match phase {
        Phase::Over => "Nothing.",
        Phase::Alone | Phase::Lasts | Phase::Acknowledged => {
            "Look at the disk of this agent: it may be full, read-only or broken."
        }
    };
    Some(Message {
        key: format!("agent/{agent}/journal"),
        condition: "journal_lost".to_owned(),
        service: ServiceName::new("redrover").ok()?,
        datacenter: None,
        incident: None,
        kind,
        phase,
        level: Level::Critical,
        level_before: None,
        at_unix_ms: now,
        since_unix_ms: since,
        title: format!("{agent}: {title}"),
        happened: happened.to_owned(),
        why: Vec::new(),
        done: vec!["Nothing was moved.".to_owned()],
        todo: vec![todo.to_owned()],
        earlier: Vec::new(),
        held_back: 0,
    })
}

/// An error and its causes, in one line.
fn causes(error: &JournalError) -> String {
    let first: &dyn std::error::Error = error;
    let all = std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string);
    // A cause that is no more than the error around it is said once.
    let mut parts: Vec<String> = all.collect();
    parts.dedup();
    parts.join(": ")
}
