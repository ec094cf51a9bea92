//! What the journal says of the agent as a whole: its configuration, whom it turned away, what it has dropped.

use crate::types::Change;

/// Changes of a configuration that one entry names; of more, the number.
const CHANGES_MAX: usize = 100;

/// Why a configuration was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The agent started.
    Start,
    /// It was told to by a signal.
    Signal,
    /// It was asked to over HTTP.
    Request,
}

impl Occasion {
    /// The occasion as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Signal => "signal",
            Self::Request => "request",
        }
    }
}

/// A configuration that was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Configured {
    /// Why it was read.
    pub occasion: Occasion,
    /// Who asked, where that is known: an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The version of the program.
    pub version: String,
    /// What is different from the one before. Never a secret.
    pub changes: Vec<Change>,
    /// Further differences that are not named.
    #[serde(default)]
    pub more: usize,
    /// The file is the same, but what a file or a variable holds that it names is not.
    #[serde(default)]
    pub is_secret_changed: bool,
    /// Why it did not take effect; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Configured {
    /// An entry that names no more changes than it should.
    #[must_use]
    pub fn new(occasion: Occasion, by: Option<String>, mut changes: Vec<Change>) -> Self {
        let more = changes.len().saturating_sub(CHANGES_MAX);
        changes.truncate(CHANGES_MAX);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { occasion, by, version, changes, more, is_secret_changed: false, refused: None }
    }
}

/// Where somebody asked for entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The webhook for Alertmanager.
    Webhook,
    /// Everything else that is served by HTTP, where a login is asked for.
    Web,
}

impl Door {
    /// The door as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Web => "web",
        }
    }
}

/// Callers who did not show who they are, and were turned away.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Denial {
    /// Where.
    pub door: Door,
    /// From which address; absent for the others, when they were too many to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// How often since it was told last.
    pub count: u64,
}

/// The oldest entries of a chain that were dropped because of their age or number: what the chain begins with from there
/// on. Whoever removes entries otherwise has no such entry, and cannot insert one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Anchor {
    /// The chain.
    pub chain: String,
    /// The place of the last entry that was dropped.
    pub seq: u64,
    /// Its seal, in hexadecimal digits.
    pub seal: String,
    /// How many entries were dropped with it.
    pub count: u64,
}
