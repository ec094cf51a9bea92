//! Why a scrape saw nothing.

use std::io;
use std::time::Duration;

use super::resp::RespError;
use crate::monitor::error::{RedisError, one_line, printable};
use crate::monitor::info::InfoError;
use crate::monitor::reasons::{code_reason, io_reason, words_reason};
use crate::monitor::tls::TlsError;
use crate::types::{Gap, GapReason};

/// Longest kept words of a server, in bytes.
const WORDS_BYTES_MAX: usize = 160;

/// Why a scrape saw nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    /// No connection came about.
    #[error("no connection")]
    Open {
        /// Why.
        source: RedisError,
    },
    /// The target's TLS files cannot be used any more.
    #[error("the TLS files cannot be used")]
    Papers {
        /// Why.
        source: TlsError,
    },
    /// The connection broke.
    #[error("the connection was lost")]
    Lost {
        /// Why.
        source: io::Error,
    },
    /// Not everything was answered in time.
    #[error("not answered within {} ms", deadline.as_millis())]
    Timeout {
        /// The time there was.
        deadline: Duration,
    },
    /// The answer is none that the protocol allows.
    #[error("the answer is none of the protocol")]
    Garbled {
        /// Why.
        source: RespError,
    },
    /// The server refused the connection, or INFO.
    #[error("refused: {words}")]
    Refused {
        /// Its words.
        words: String,
    },
    /// The server refused the credentials. The answer's text is not kept: old servers repeat the password in it.
    #[error("AUTH was answered with {code}")]
    Auth {
        /// The error code.
        code: String,
    },
    /// The answer to INFO is not usable.
    #[error("INFO had an unusable answer")]
    Info {
        /// Why.
        source: InfoError,
    },
}

impl ScrapeError {
    /// The server's words of refusal, cut to their limit.
    pub fn refused(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(&line[..line.len().min(WORDS_BYTES_MAX)]);
        Self::Refused { words: printable(&line) }
    }

    /// The answer to AUTH.
    pub fn auth(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        if words_reason(&line) == GapReason::Maxclients {
            return Self::refused(line.as_bytes());
        }
        Self::Auth { code: line.split(' ').next().unwrap_or_default().to_owned() }
    }

    /// An answer to INFO that is no text.
    pub fn no_info() -> Self {
        Self::Info { source: InfoError::NoServer }
    }

    /// The class of the failure.
    pub fn reason(&self) -> GapReason {
        match self {
            Self::Open { source } => source.reason(),
            Self::Papers { .. } => GapReason::Tls,
            Self::Lost { source } => io_reason(source).unwrap_or(GapReason::Closed),
            Self::Timeout { .. } => GapReason::Timeout,
            Self::Garbled { .. } | Self::Info { .. } => GapReason::Protocol,
            Self::Refused { words } => words_reason(words),
            Self::Auth { code } => match code.as_str() {
                "ERR" | "NOAUTH" | "WRONGPASS" => GapReason::Auth,
                other => code_reason(other),
            },
        }
    }

    /// The failure as a gap; its detail is the error's chain in one line.
    pub fn gap(&self) -> Gap {
        Gap::new(self.reason(), one_line(self))
    }
}
