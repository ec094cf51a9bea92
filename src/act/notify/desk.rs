//! What goes out when: routing, rate limits, and the grouping of what is held back. Pure, and kept in the journal's file.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::message::{Message, Phase};
use crate::config::{Channel, Level};
use crate::store::Entry;
use crate::types::ServiceName;

/// What may be gone in a moment is told when it has lasted so long.
const GRACE_MS: i64 = 30_000;
/// Messages of one level about one service that wait for one channel; the oldest are counted only.
const HELD_MAX: usize = 20;

/// A message on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The channel's name.
    pub channel: String,
    /// It.
    pub message: Message,
}

/// The state of all messages between the journal and the outbox.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Desk {
    chronicles: BTreeMap<ServiceName, Chronicle>,
    channels: BTreeMap<String, Tray>,
}

/// What is remembered of one channel.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
struct Tray {
    /// When a scope was used last, Unix milliseconds.
    used: BTreeMap<String, i64>,
    /// What waits, by scope.
    held: BTreeMap<String, Vec<Waiting>>,
    /// The keys of what lasts, and has been told.
    told: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Waiting {
    message: Message,
    /// Not before, Unix milliseconds.
    from_unix_ms: i64,
}

impl Desk {
    /// What lasts, and has been told to a channel: the last message about each condition.
    pub fn told<'a>(&'a self, channel: &str) -> impl Iterator<Item = &'a Message> + use<'a> {
        let told = self.channels.get(channel).map(|tray| &tray.told);
        let lasting = self.chronicles.values().flat_map(Chronicle::lasting);
        lasting.filter(move |message| told.is_some_and(|told| told.contains(&message.key)))
    }

    /// Tells one more entry of the journal; returns what goes out at once.
    pub fn tell(&mut self, entry: &Entry, channels: &[Channel]) -> Vec<Addressed> {
        if entry.service.is_agent() {
            return Vec::new();
        }
        let messages = self.chronicles.entry(entry.service.clone()).or_default().tell(entry);
        messages.iter().flat_map(|message| self.take(message, channels, entry.at_unix_ms)).collect()
    }

    /// Takes one message for every channel that wants it; returns what goes out at once.
    pub fn take(&mut self, message: &Message, channels: &[Channel], now_unix_ms: i64) -> Vec<Addressed> {
        let mut out = Vec::new();
        for channel in channels {
            let tray = self.channels.entry(channel.name.clone()).or_default();
            if let Some(message) = tray.take(message, channel, now_unix_ms) {
                out.push(Addressed { channel: channel.name.clone(), message });
            }
        }
        out
    }

    /// What has waited long enough; several messages of one scope are one.
    pub fn release(&mut self, channels: &[Channel], now_unix_ms: i64) -> Vec<Addressed> {
        self.channels.retain(|name, _| channels.iter().any(|channel| channel.name == *name));
        let mut out = Vec::new();
        for channel in channels {
            if let Some(tray) = self.channels.get_mut(&channel.name) {
                let released = tray.release(channel, now_unix_ms);
                out.extend(
                    released.into_iter().map(|message| Addressed { channel: channel.name.clone(), message }),
                );
            }
        }
        out
    }
}

impl Tray {
    fn take(&mut self, message: &Message, channel: &Channel, now_unix_ms: i64) -> Option<Message> {
        match message.phase {
            Phase::Over => return self.end(message, channel, now_unix_ms),
            Phase::Acknowledged if channel.way.keeps_incidents() => {
                return self.told.contains(&message.key).then(|| message.clone());
            }
            // An incident that nothing ends must not begin.
            Phase::Alone if channel.way.keeps_incidents() => return None,
            Phase::Alone | Phase::Lasts | Phase::Acknowledged => {}
        }
        if !channel.takes(&message.service, message.level) {
            return None;
        }
        if message.kind.is_failover() {
            self.note_told(message);
            return Some(message.clone());
        }
        let is_brief = message.phase == Phase::Lasts && message.level <= Level::Warning;
        let from_unix_ms = if is_brief { now_unix_ms.saturating_add(GRACE_MS) } else { now_unix_ms };
        self.hold(scope(channel, message), Waiting { message: message.clone(), from_unix_ms });
        None
    }

    /// The end of a condition is news only where the condition was.
    fn end(&mut self, message: &Message, channel: &Channel, now_unix_ms: i64) -> Option<Message> {
        for waiting in self.held.values_mut() {
            waiting.retain(|w| w.message.key != message.key);
        }
        self.held.retain(|_, waiting| !waiting.is_empty());
        if !self.told.remove(&message.key) {
            return None;
        }
        if channel.way.keeps_incidents() {
            return Some(message.clone());
        }
        let waiting = Waiting { message: message.clone(), from_unix_ms: now_unix_ms };
        self.hold(scope(channel, message), waiting);
        None
    }

    fn hold(&mut self, scope: String, waiting: Waiting) {
        let held = self.held.entry(scope).or_default();
        held.push(waiting);
        if held.len() > HELD_MAX {
            let from_unix_ms = held.iter().take(2).map(|w| w.from_unix_ms).min().unwrap_or(0);
            let oldest = held.drain(..2).map(|w| w.message).collect();
            if let Some(message) = Message::folded(oldest) {
                held.insert(0, Waiting { message, from_unix_ms });
            }
        }
    }

    fn release(&mut self, channel: &Channel, now_unix_ms: i64) -> Vec<Message> {
        let longest = Level::ALL.map(|level| millis(channel, level)).into_iter().max().unwrap_or(0);
        // A clock that went back must not hold anything longer than its limit.
        self.used.retain(|_, at| *at <= now_unix_ms && now_unix_ms.saturating_sub(*at) < longest);
        let mut out = Vec::new();
        for (scope, held) in &mut self.held {
            let level = held.first().map_or(Level::Info, |w| w.message.level);
            let limit = millis(channel, level);
            if self.used.get(scope).is_some_and(|at| now_unix_ms.saturating_sub(*at) < limit) {
                continue;
            }
            let is_due =
                |w: &Waiting| w.from_unix_ms <= now_unix_ms || w.from_unix_ms > now_unix_ms + GRACE_MS;
            let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(held).into_iter().partition(is_due);
            *held = rest;
            if let Some(message) = Message::folded(due.into_iter().map(|w| w.message).collect()) {
                self.used.insert(scope.clone(), now_unix_ms);
                out.push(message);
            }
        }
        self.held.retain(|_, waiting| !waiting.is_empty());
        for message in &out {
            self.note_told(message);
        }
        out
    }

    fn note_told(&mut self, message: &Message) {
        if message.phase == Phase::Lasts {
            self.told.insert(message.key.clone());
        }
    }
}

/// What shares a limit: one level about one service; where the other side keeps incidents, each by itself.
fn scope(channel: &Channel, message: &Message) -> String {
    let about = if channel.way.keeps_incidents() { message.key.as_str() } else { message.service.as_str() };
    format!("{about} {}", message.level.as_str())
}

fn millis(channel: &Channel, level: Level) -> i64 {
    i64::try_from(channel.rate_limits.of(level).as_millis()).unwrap_or(i64::MAX)
}
