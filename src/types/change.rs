//! What is different between two configurations, key by key.

use std::fmt;

/// How a key differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Changed,
}

impl Difference {
    /// The difference as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One key that differs. What may be a secret, or lead to one, is not told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The key, such as `services[sessions].policy.theta_auto`.
    pub key: String,
    /// How it differs.
    pub what: Difference,
    /// The value before, where it may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value after, where it may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, what, from, to } = self;
        match (from, to) {
            (Some(from), Some(to)) => write!(f, "{key}: {from} -> {to}"),
            (None, Some(to)) if *what == Difference::Added => write!(f, "{key}: added, {to}"),
            (Some(from), None) if *what == Difference::Removed => write!(f, "{key}: removed, was {from}"),
            (None, None) | (Some(_), None) | (None, Some(_)) => write!(f, "{key}: {}", what.as_str()),
        }
    }
}
