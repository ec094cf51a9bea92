//! The port that every provider implements, one instance for each service's record.

use std::fmt;

use async_trait::async_trait;

use super::SendBy;
use super::resolvers::Resolved;
use crate::types::{RecordState, ResourceSet};

/// A compare-and-swap of record and fence together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// What the provider must hold now, exactly: values as sets, and TTLs.
    pub expected: RecordState,
    /// What it shall hold then. A set that is `Some` in `expected` is never `None` here: nothing is left empty.
    pub wanted: RecordState,
}

/// The provider's receipt for an accepted change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Receipt {
    /// The provider's own id of the change.
    pub id: String,
}

/// What one name server answers for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name server.
    pub server: String,
    /// The set it answers, or what went wrong.
    pub result: Result<ResourceSet, String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(set) => {
                let values = set.values.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
                write!(f, "{} answers {values} (TTL {} s)", self.server, set.ttl_seconds)
            }
            Err(error) => write!(f, "{} gives no answer: {error}", self.server),
        }
    }
}

/// What went wrong at a provider.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The provider holds something else than expected; nothing was changed.
    #[error("the record is not as expected: {detail}")]
    Conflict {
        /// The provider's words.
        detail: String,
    },
    /// The provider is busy; nothing was changed.
    #[error("the provider asks to slow down: {detail}")]
    Throttled {
        /// The provider's words.
        detail: String,
    },
    /// The credentials lack a permission; nothing was changed.
    #[error("the provider denies {action}: {detail}")]
    Denied {
        /// The refused action, in the provider's terms.
        action: &'static str,
        /// The provider's words.
        detail: String,
    },
    /// The zone, the name or the request is wrong; nothing was changed.
    #[error("the provider refuses the request: {detail}")]
    Misconfigured {
        /// The provider's words.
        detail: String,
    },
    /// The provider said that it cannot serve; nothing was changed.
    #[error("the provider is not available: {detail}")]
    Unavailable {
        /// The provider's words.
        detail: String,
    },
    /// No answer, or an unreadable one: a change may or may not have been applied. Read back, never repeat.
    #[error("the outcome is unknown: {detail}")]
    Unknown {
        /// What was seen.
        detail: String,
    },
}

impl DnsError {
    /// Whether the same request may succeed later without anybody's help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Unavailable { .. } => true,
            Self::Conflict { .. }
            | Self::Denied { .. }
            | Self::Misconfigured { .. }
            | Self::Unknown { .. } => false,
        }
    }
}

/// One service's record at its provider.
#[async_trait]
pub trait Dns: Send + Sync {
    /// Reads the record and the fence, as the provider's most current version.
    ///
    /// # Errors
    /// The provider could not be asked; nothing is known.
    async fn read(&self) -> Result<RecordState, DnsError>;

    /// Changes record and fence together, or neither. After `send` is over nothing is sent any more.
    ///
    /// # Errors
    /// [`DnsError::Unknown`] where the change may have been applied; every other variant means that it was not.
    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError>;

    /// Whether an accepted change has reached all of the provider's name servers.
    ///
    /// # Errors
    /// The provider could not be asked.
    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError>;

    /// Tries, changing nothing, whether this agent may do what it can try: one error for each thing that is missing.
    async fn check(&self) -> Vec<DnsError>;

    /// Asks each of the zone's name servers, from outside, what the record is. Empty when no name server is known.
    async fn answers(&self) -> Vec<Answer>;

    /// Asks those whom clients ask where the name leads; nothing where nobody can be asked.
    async fn resolved(&self) -> Resolved {
        Resolved::default()
    }
}
