//! What goes wrong with a channel.

use std::time::Duration;

use crate::monitor::TlsError;

/// Why a message was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The other side does not take this message, and never will.
    #[error("the message was refused: {detail}")]
    Refused {
        /// What the other side said.
        detail: String,
    },
    /// The other side takes no message at present.
    #[error("the message was not taken: {detail}")]
    Later {
        /// What the other side said.
        detail: String,
        /// The pause that it asks for.
        pause: Option<Duration>,
    },
    /// No connection came about, or it broke before an answer.
    #[error("got no answer")]
    Http {
        /// Why.
        source: reqwest::Error,
    },
    /// The connection to a mail server failed.
    #[error("the connection to the mail server failed")]
    Smtp {
        /// Why.
        source: std::io::Error,
    },
    /// A mail server does not do what is needed, or answers what cannot be understood.
    #[error("the mail server {detail}")]
    Protocol {
        /// What it does.
        detail: &'static str,
    },
    /// No answer in time.
    #[error("no answer within {} s", deadline.as_secs())]
    Timeout {
        /// The time there was.
        deadline: Duration,
    },
}

impl DeliveryError {
    /// Whether another try may do better.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { .. } => false,
            Self::Later { .. }
            | Self::Http { .. }
            | Self::Smtp { .. }
            | Self::Protocol { .. }
            | Self::Timeout { .. } => true,
        }
    }

    /// The pause that the other side asked for.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        if let Self::Later { pause, .. } = self { *pause } else { None }
    }
}

/// Why a channel cannot be used as configured.
#[derive(Debug, thiserror::Error)]
#[error("the channel {channel} cannot be used")]
pub struct OpenError {
    /// Its name.
    pub channel: String,
    /// Why.
    pub source: TlsError,
}
