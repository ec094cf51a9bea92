//! How a database copies from others: as a member of an Active-Active database, or as a Replica Of.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Place;
use crate::clock::Ms;

/// The copying of a database.
#[derive(Debug)]
pub struct Sync {
    /// Whether it is wanted.
    pub state: SyncState,
    /// Since when.
    pub since: Ms,
    /// Where it copies from.
    pub sources: Vec<Source>,
}

/// Whether copying is wanted, as the API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
    /// Not now.
    Paused,
    /// It failed for good.
    Stopped,
}

impl SyncState {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// One source.
#[derive(Debug)]
pub struct Source {
    /// Its number: the member's, or a running one.
    pub uid: u32,
    /// Its address, which may hold a password.
    pub uri: String,
    /// The database, if it is of this world.
    pub from: Option<Place>,
    /// Whether somebody cut the link.
    pub is_cut: bool,
    /// How far behind somebody keeps the link.
    pub behind_ms: Ms,
    /// Since when the source is not reached.
    pub lost_since: Option<Ms>,
    /// When it has caught up after a loss or a pause.
    pub caught_up_at: Ms,
    /// When the full copy that runs will be whole.
    pub full_copy_until: Option<Ms>,
    /// The moment up to which its writes are here.
    pub applied_until: Ms,
    /// What it wrote that is not here.
    pub pending: VecDeque<Write>,
}

/// A write on its way.
#[derive(Debug, Clone)]
pub struct Write {
    /// When it was made.
    pub at: Ms,
    /// The key.
    pub key: Vec<u8>,
    /// What it holds from then on, and until when; nothing when it was deleted.
    pub value: Option<(Vec<u8>, Option<Ms>)>,
}

/// The state of a source, as the API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// It is copied as it changes.
    InSync,
    /// It is copied as a whole.
    Syncing,
    /// It is not copied.
    OutOfSync,
}

impl SourceState {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Syncing => "syncing",
            Self::OutOfSync => "out-of-sync",
        }
    }
}

impl Source {
    /// A source that has been copied from the start.
    pub fn new(uid: u32, uri: String, from: Option<Place>) -> Self {
        Self {
            uid,
            uri,
            from,
            is_cut: false,
            behind_ms: 0,
            lost_since: None,
            caught_up_at: 0,
            full_copy_until: None,
            applied_until: 0,
            pending: VecDeque::new(),
        }
    }

    /// Whether it has been lost for at least so long.
    pub fn is_lost(&self, now: Ms, blind_ms: Ms) -> bool {
        self.lost_since.is_some_and(|since| now.saturating_sub(since) >= blind_ms)
    }

    /// Its state, for those who notice a cut after so long.
    pub fn state(&self, wanted: SyncState, now: Ms, blind_ms: Ms) -> SourceState {
        if wanted != SyncState::Enabled || self.is_lost(now, blind_ms) {
            SourceState::OutOfSync
        } else if self.full_copy_until.is_some() || now < self.caught_up_at {
            SourceState::Syncing
        } else {
            SourceState::InSync
        }
    }

    /// How far it is behind, at least as far as a healthy link; as long as nobody notices a loss, as far as before.
    pub fn lag_ms(&self, now: Ms, delay_ms: Ms) -> Ms {
        self.lost_since.unwrap_or(now).saturating_sub(self.applied_until).max(delay_ms)
    }
}
