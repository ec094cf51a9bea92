//! A message to people: what happened, why, what was done, and what a person should do now.

use crate::config::Level;
use crate::types::{ServiceName, SiteName};

/// Earlier messages that one message repeats by their titles.
const EARLIER_MAX: usize = 10;

/// Lines that one message asks a person for.
const TODO_MAX: usize = 12;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The active site is down for the whole window, and nothing is moved.
    Outage,
    /// A person should switch.
    Recommended,
    /// Nothing moves until a person has looked.
    Halted,
    /// A switch has begun.
    SwitchBegun,
    /// The name points to the target.
    Switched,
    /// A switch was given up; nothing was changed for good.
    SwitchGivenUp,
    /// The target is promoted, and the name still points to the old primary.
    PromotedNotSwitched,
    /// Record or fence are not as this agent left them.
    ForeignChange,
    /// A dead claim was taken back.
    ClaimCleared,
    /// An old primary is back, and held.
    OldPrimaryHeld,
    /// An old primary is back, and cannot be held.
    TwoPrimaries,
    /// A person's order waits for something.
    OrderWaits,
    /// A person ordered something.
    Ordered,
    /// A person has seen it.
    Acknowledged,
    /// The fence was written on a person's word.
    Adopted,
    /// Something worth knowing about the service or its surroundings.
    Notice,
    /// What was told before is over.
    Over,
    /// The journal takes no entries.
    JournalLost,
}

impl Kind {
    /// The kind as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Recommended => "recommended",
            Self::Halted => "halted",
            Self::SwitchBegun => "switch_begun",
            Self::Switched => "switched",
            Self::SwitchGivenUp => "switch_given_up",
            Self::PromotedNotSwitched => "promoted_not_switched",
            Self::ForeignChange => "foreign_change",
            Self::ClaimCleared => "claim_cleared",
            Self::OldPrimaryHeld => "old_primary_held",
            Self::TwoPrimaries => "two_primaries",
            Self::OrderWaits => "order_waits",
            Self::Ordered => "ordered",
            Self::Acknowledged => "acknowledged",
            Self::Adopted => "adopted",
            Self::Notice => "notice",
            Self::Over => "over",
            Self::JournalLost => "journal_lost",
        }
    }

    /// Whether it tells the course of a failover: such a message waits for nothing.
    #[must_use]
    pub fn is_failover(self) -> bool {
        match self {
            Self::SwitchBegun
            | Self::Switched
            | Self::SwitchGivenUp
            | Self::PromotedNotSwitched
            | Self::ForeignChange => true,
            Self::Outage
            | Self::Recommended
            | Self::Halted
            | Self::ClaimCleared
            | Self::OldPrimaryHeld
            | Self::TwoPrimaries
            | Self::OrderWaits
            | Self::Ordered
            | Self::Acknowledged
            | Self::Adopted
            | Self::Notice
            | Self::Over
            | Self::JournalLost => false,
        }
    }
}

/// What a message means for the condition that its key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing lasts: it is told once.
    Alone,
    /// The condition has begun, or has changed.
    Lasts,
    /// A person has seen it; it lasts.
    Acknowledged,
    /// It is over.
    Over,
}

impl Phase {
    /// The phase as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Lasts => "lasts",
            Self::Acknowledged => "acknowledged",
            Self::Over => "over",
        }
    }
}

/// A message. Its text is the same on every channel; only the form differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// The same for all messages about one incident, or about one lasting condition.
    pub key: String,
    /// The condition as one word: `incident`, or the reason's label.
    pub condition: String,
    /// The service.
    pub service: ServiceName,
    /// The datacenter it speaks of, where it speaks of one.
    pub datacenter: Option<SiteName>,
    /// The incident.
    pub incident: Option<String>,
    /// What it is about.
    pub kind: Kind,
    /// What it means for the condition.
    pub phase: Phase,
    /// How urgent it is.
    pub level: Level,
    /// How urgent the condition was so far, where that has changed.
    pub level_before: Option<Level>,
    /// When it happened, Unix milliseconds.
    pub at_unix_ms: i64,
    /// When the condition began, Unix milliseconds.
    pub since_unix_ms: i64,
    /// One line.
    pub title: String,
    /// What happened.
    pub happened: String,
    /// Why, the weightiest first.
    pub why: Vec<String>,
    /// What redrover did.
    pub done: Vec<String>,
    /// What a person should do now.
    pub todo: Vec<String>,
    /// Titles of earlier messages that were held back and stand in this one.
    pub earlier: Vec<String>,
    /// How many were held back, those without a title here included.
    pub held_back: u32,
}

/// What a message asks for that asks for nothing.
pub(super) const NOTHING: &str = "Nothing.";

/// What two messages ask a person for, the newer first, each once.
fn asked(newer: Vec<String>, older: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in newer.into_iter().chain(older) {
        if line != NOTHING && !all.contains(&line) && all.len() < TODO_MAX {
            all.push(line);
        }
    }
    if all.is_empty() { vec![NOTHING.to_owned()] } else { all }
}

impl Message {
    /// One message of several that were held back: the newest, with what the others said and asked for.
    #[must_use]
    pub fn folded(messages: Vec<Self>) -> Option<Self> {
        let mut messages = messages.into_iter();
        let first = messages.next()?;
        Some(messages.fold(first, |older, mut newer| {
            newer.held_back = older.held_back.saturating_add(newer.held_back).saturating_add(1);
            let mut earlier = older.earlier;
            if older.title != newer.title && earlier.last() != Some(&older.title) {
                earlier.push(older.title);
            }
            earlier.append(&mut newer.earlier);
            let surplus = earlier.len().saturating_sub(EARLIER_MAX);
            earlier.drain(..surplus);
            newer.earlier = earlier;
            newer.todo = asked(newer.todo, older.todo);
            newer
        }))
    }
}
