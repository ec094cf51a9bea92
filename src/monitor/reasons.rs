//! What an answer, its words, or a broken connection say about a Redis.

use std::error::Error;
use std::io;
use std::sync::Arc;

use crate::types::GapReason;

pub(super) fn reply_reason(error: &redis::RedisError) -> GapReason {
    match error.code() {
        Some("ERR") => words_reason(error.detail().unwrap_or_default()),
        Some(code) => code_reason(code),
        None => GapReason::ErrorReply,
    }
}

/// The reason in an error line: its code, or what is known to follow `ERR`.
pub(super) fn words_reason(words: &str) -> GapReason {
    let words = words.strip_prefix("ERR ").unwrap_or(words);
    if words.starts_with("max number of clients") {
        return GapReason::Maxclients;
    }
    // Before version 6 a missing password was an `ERR`.
    if words.starts_with("operation not permitted") || words.starts_with("invalid password") {
        return GapReason::Auth;
    }
    code_reason(words.split(' ').next().unwrap_or_default())
}

pub(super) fn code_reason(code: &str) -> GapReason {
    match code {
        "NOAUTH" | "WRONGPASS" => GapReason::Auth,
        "NOPERM" | "DENIED" => GapReason::Permission,
        "LOADING" => GapReason::Loading,
        "READONLY" => GapReason::Readonly,
        "MISCONF" => GapReason::Misconf,
        "OOM" => GapReason::Oom,
        "MASTERDOWN" => GapReason::Masterdown,
        "CLUSTERDOWN" => GapReason::Clusterdown,
        "BUSY" => GapReason::Busy,
        "NOREPLICAS" => GapReason::Noreplicas,
        _ => GapReason::ErrorReply,
    }
}

pub(super) fn lost_reason(error: &redis::RedisError) -> GapReason {
    if error.kind() == redis::ErrorKind::Parse {
        return GapReason::Protocol;
    }
    io_cause(error).and_then(io_reason).unwrap_or(GapReason::Closed)
}

/// The I/O error inside an error of the driver, which keeps it behind a shared pointer.
fn io_cause(error: &redis::RedisError) -> Option<&io::Error> {
    let source = error.source()?;
    match source.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => shared.downcast_ref(),
        None => source.downcast_ref(),
    }
}

pub(super) fn io_reason(error: &io::Error) -> Option<GapReason> {
    use io::ErrorKind as Kind;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the standard library adds kinds")]
    match error.kind() {
        // A unix socket that is not there is one that nobody listens on.
        Kind::ConnectionRefused | Kind::NotFound => Some(GapReason::Refused),
        Kind::ConnectionReset | Kind::ConnectionAborted => Some(GapReason::Reset),
        Kind::BrokenPipe | Kind::UnexpectedEof | Kind::NotConnected => Some(GapReason::Closed),
        Kind::TimedOut => Some(GapReason::Timeout),
        Kind::InvalidData => Some(GapReason::Protocol),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => Some(GapReason::Unreachable),
        _ => None,
    }
}
