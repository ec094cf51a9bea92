//! What can go wrong with a Redis, and the gap each mistake is.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::info::InfoError;
use super::reasons::{code_reason, io_reason, lost_reason, reply_reason, words_reason};
use crate::types::{Gap, GapReason};

/// What was asked of a Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `AUTH`.
    Auth,
    /// `PING`.
    Ping,
    /// `INFO`.
    Info,
    /// `ROLE`.
    Role,
    /// The `SET` of a write canary.
    CanarySet,
    /// The `GET` of a write canary.
    CanaryGet,
    /// `CLIENT PAUSE … WRITE`.
    PauseWrites,
    /// `CLIENT UNPAUSE`.
    ResumeWrites,
    /// `REPLICAOF NO ONE`.
    Promote,
    /// `REPLICAOF host port`.
    Demote,
    /// `CONFIG REWRITE`.
    RewriteConfig,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auth => "AUTH",
            Self::Ping => "PING",
            Self::Info => "INFO",
            Self::Role => "ROLE",
            Self::CanarySet => "the canary's SET",
            Self::CanaryGet => "the canary's GET",
            Self::PauseWrites => "CLIENT PAUSE",
            Self::ResumeWrites => "CLIENT UNPAUSE",
            Self::Promote => "REPLICAOF NO ONE",
            Self::Demote => "REPLICAOF",
            Self::RewriteConfig => "CONFIG REWRITE",
        })
    }
}

/// Why a Redis could not be asked, or did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// The host name did not resolve.
    #[error("could not resolve the host name")]
    Resolve {
        /// Why.
        source: io::Error,
    },
    /// No connection came about.
    #[error("could not connect")]
    Connect {
        /// Why.
        source: io::Error,
    },
    /// No connection came about in time.
    #[error("no connection within {} ms", deadline.as_millis())]
    ConnectTimeout {
        /// The time there was.
        deadline: Duration,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Handshake {
        /// Why.
        source: io::Error,
    },
    /// The server refused the connection before anything was asked.
    #[error("the server refused the connection: {words}")]
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
    /// The answer is an error.
    #[error("{operation} was answered with an error")]
    Reply {
        /// What was asked.
        operation: Operation,
        /// The answer.
        source: redis::RedisError,
    },
    /// The connection broke.
    #[error("{operation} lost the connection")]
    Lost {
        /// What was asked.
        operation: Operation,
        /// Why.
        source: redis::RedisError,
    },
    /// No answer in time.
    #[error("no answer to {operation} within {} ms", deadline.as_millis())]
    Timeout {
        /// What was asked.
        operation: Operation,
        /// The time there was.
        deadline: Duration,
    },
    /// The answer is none that the protocol or the command allows.
    #[error("{operation} had an answer of another kind")]
    Unexpected {
        /// What was asked.
        operation: Operation,
    },
    /// The answer to INFO is not usable.
    #[error("INFO had an unusable answer")]
    Info {
        /// Why.
        source: InfoError,
    },
    /// The canary read back another value than it wrote.
    #[error("the canary read back another value than it wrote")]
    Mismatch,
}

impl RedisError {
    /// Sorts an error of the driver by what it says about the server.
    pub(super) fn of_driver(operation: Operation, source: redis::RedisError) -> Self {
        match source.code() {
            // A server whose house is full answers whatever comes first.
            Some(_) if reply_reason(&source) == GapReason::Maxclients => Self::Reply { operation, source },
            Some(code) if operation == Operation::Auth => Self::Auth { code: code.to_owned() },
            Some(_) => Self::Reply { operation, source },
            None => Self::Lost { operation, source },
        }
    }

    /// Whether the server itself answered: the path to it works.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Reply { .. } | Self::Unexpected { .. } | Self::Info { .. } | Self::Mismatch => true,
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Handshake { .. }
            | Self::Refused { .. }
            | Self::Auth { .. }
            | Self::Lost { .. }
            | Self::Timeout { .. } => false,
        }
    }

    /// Whether the server may carry out the command all the same: it was sent, and what came back does not say no.
    #[must_use]
    pub fn may_still_happen(&self) -> bool {
        match self {
            // Before the credentials are accepted no command is sent.
            Self::Lost { operation, .. }
            | Self::Timeout { operation, .. }
            | Self::Unexpected { operation } => *operation != Operation::Auth,
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Handshake { .. }
            | Self::Refused { .. }
            | Self::Auth { .. }
            | Self::Reply { .. }
            | Self::Info { .. }
            | Self::Mismatch => false,
        }
    }

    /// The class of the failure.
    #[must_use]
    pub fn reason(&self) -> GapReason {
        match self {
            Self::Resolve { .. } => GapReason::Dns,
            Self::Connect { source } => match io_reason(source) {
                // The system gave up, before our own deadline.
                Some(GapReason::Timeout) => GapReason::ConnectTimeout,
                Some(reason) => reason,
                None => GapReason::Unreachable,
            },
            Self::ConnectTimeout { .. } => GapReason::ConnectTimeout,
            Self::Handshake { source } => match io_reason(source) {
                // The peer's hanging up says more than the handshake it interrupts, unless TLS itself complains.
                Some(reason) if source.get_ref().is_none() => reason,
                Some(_) | None => GapReason::Tls,
            },
            Self::Refused { words } => words_reason(words),
            Self::Auth { code } => match code.as_str() {
                "LOADING" => GapReason::Loading,
                "ERR" | "NOAUTH" | "WRONGPASS" => GapReason::Auth,
                other => code_reason(other),
            },
            Self::Reply { source, .. } => reply_reason(source),
            Self::Lost { source, .. } => lost_reason(source),
            Self::Timeout { .. } => GapReason::Timeout,
            Self::Unexpected { .. } | Self::Info { .. } => GapReason::Protocol,
            Self::Mismatch => GapReason::Mismatch,
        }
    }

    /// The failure as a gap; its detail is the error's chain in one line.
    #[must_use]
    pub fn gap(&self) -> Gap {
        Gap::new(self.reason(), one_line(self))
    }
}

/// An error and its causes in one line.
pub(super) fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut detail = error.to_string();
    let mut cause = error.source();
    // Drivers wrap one error in another with the same text.
    while let Some(error) = cause {
        let text = error.to_string();
        if !detail.ends_with(&text) {
            detail.push_str(": ");
            detail.push_str(&text);
        }
        cause = error.source();
    }
    printable(&detail)
}

/// A foreign text in one line: grammar mistakes span several.
pub(super) fn printable(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(line: &str) -> redis::RedisError {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes())
            .and_then(redis::Value::extract_error)
            .unwrap_err()
    }

    #[test]
    fn every_error_answer_has_its_gap() {
        for (line, want) in [
            ("NOAUTH Authentication required.", GapReason::Auth),
            ("WRONGPASS invalid username-password pair or user is disabled.", GapReason::Auth),
            ("ERR operation not permitted", GapReason::Auth),
            ("NOPERM User u has no permissions to run the 'info' command", GapReason::Permission),
            ("DENIED Redis is running in protected mode", GapReason::Permission),
            ("LOADING Redis is loading the dataset in memory", GapReason::Loading),
            ("READONLY You can't write against a read only replica.", GapReason::Readonly),
            ("MISCONF Redis is configured to save RDB snapshots", GapReason::Misconf),
            ("OOM command not allowed when used memory > 'maxmemory'.", GapReason::Oom),
            ("MASTERDOWN Link with MASTER is down", GapReason::Masterdown),
            ("CLUSTERDOWN Hash slot not served", GapReason::Clusterdown),
            ("BUSY Redis is busy running a script.", GapReason::Busy),
            ("NOREPLICAS Not enough good replicas to write.", GapReason::Noreplicas),
            ("ERR max number of clients reached", GapReason::Maxclients),
            ("ERR max number of clients + cluster connections reached", GapReason::Maxclients),
            ("ERR syntax error", GapReason::ErrorReply),
            ("WRONGTYPE Operation against a key", GapReason::ErrorReply),
            ("", GapReason::ErrorReply),
        ] {
            let error = RedisError::of_driver(Operation::Ping, reply(line));
            assert_eq!(error.reason(), want, "{line}");
            assert_eq!(RedisError::Refused { words: line.to_owned() }.reason(), want, "{line} unasked");
            assert!(error.is_answer() && !error.may_still_happen(), "{line}");
        }
    }

    #[test]
    fn every_broken_connection_has_its_gap() {
        use io::ErrorKind as Kind;
        for (kind, used, connecting) in [
            (Kind::ConnectionRefused, GapReason::Refused, GapReason::Refused),
            (Kind::NotFound, GapReason::Refused, GapReason::Refused),
            (Kind::ConnectionReset, GapReason::Reset, GapReason::Reset),
            (Kind::ConnectionAborted, GapReason::Reset, GapReason::Reset),
            (Kind::BrokenPipe, GapReason::Closed, GapReason::Closed),
            (Kind::UnexpectedEof, GapReason::Closed, GapReason::Closed),
            (Kind::TimedOut, GapReason::Timeout, GapReason::ConnectTimeout),
            (Kind::InvalidData, GapReason::Protocol, GapReason::Protocol),
            (Kind::HostUnreachable, GapReason::Unreachable, GapReason::Unreachable),
            (Kind::NetworkUnreachable, GapReason::Unreachable, GapReason::Unreachable),
            (Kind::Other, GapReason::Closed, GapReason::Unreachable),
        ] {
            let lost = RedisError::of_driver(Operation::Info, io::Error::from(kind).into());
            assert_eq!(lost.reason(), used, "{kind}");
            assert!(!lost.is_answer(), "{kind}");
            assert_eq!(RedisError::Connect { source: kind.into() }.reason(), connecting, "{kind}");
        }
        let deadline = Duration::from_millis(250);
        let timeout = RedisError::Timeout { operation: Operation::CanaryGet, deadline };
        assert_eq!(
            timeout.gap(),
            Gap::new(GapReason::Timeout, "no answer to the canary's GET within 250 ms")
        );
        assert_eq!(RedisError::ConnectTimeout { deadline }.reason(), GapReason::ConnectTimeout);
        assert_eq!(RedisError::Resolve { source: Kind::Other.into() }.reason(), GapReason::Dns);
        assert_eq!(RedisError::Mismatch.reason(), GapReason::Mismatch);
        let source = InfoError::NoServer;
        let info = RedisError::Info { source };
        let detail = "INFO had an unusable answer: the INFO text has no section Server";
        assert_eq!(info.gap(), Gap::new(GapReason::Protocol, detail));
    }

    #[test]
    fn a_refused_password_does_not_show() {
        let full = RedisError::of_driver(Operation::Auth, reply("ERR max number of clients reached"));
        assert_eq!(full.reason(), GapReason::Maxclients);
        let echo = reply("ERR unknown command `AUTH`, with args beginning with: `hunter2`");
        let gap = RedisError::of_driver(Operation::Auth, echo).gap();
        assert_eq!(gap, Gap::new(GapReason::Auth, "AUTH was answered with ERR"));
    }
}
