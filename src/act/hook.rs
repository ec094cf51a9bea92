//! Calls programs and addresses of the operator's own: no shell, a deadline, a bounded answer.

mod call;
mod exec;
mod webhook;

use std::time::Duration;

use tokio::time::Instant;

pub use call::{Call, HookPoint};

use super::dns::wire::chain;
use crate::config::{Hook, HookWay};
use crate::monitor::{TlsError, TlsProfiles};

/// Of what a hook says, so much is kept.
const SAID_BYTES_MAX: usize = 4096;
/// Of that, so much is told to people.
const SAID_CHARS_TOLD: usize = 200;

/// Why a hook failed.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The program could not be started.
    #[error("{hook} cannot be started")]
    Start {
        /// The program.
        hook: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended, and not with 0.
    #[error("{hook} ended with {status}{said}")]
    Exit {
        /// The program.
        hook: String,
        /// How it ended.
        status: String,
        /// Its last words, after a colon, or nothing.
        said: String,
    },
    /// It did not end in time.
    #[error("{hook} did not end within {} s", limit.as_secs_f64())]
    Late {
        /// The program or address.
        hook: String,
        /// The time it had.
        limit: Duration,
    },
    /// Those before it have used up the time that all have together.
    #[error("{hook} was not called: all together had {} s", limit.as_secs_f64())]
    NotCalled {
        /// The program or address.
        hook: String,
        /// The time that all had.
        limit: Duration,
    },
    /// The address could not be called, or its answer was lost.
    #[error("{hook} did not answer")]
    Lost {
        /// The address, without its query.
        hook: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The address refused.
    #[error("{hook} answered {status}{said}")]
    Refused {
        /// The address, without its query.
        hook: String,
        /// The status code.
        status: u16,
        /// The beginning of the answer, after a colon, or nothing.
        said: String,
    },
    /// The certificates cannot be used.
    #[error("{hook} cannot be called")]
    Tls {
        /// The address, without its query.
        hook: String,
        /// Why.
        source: TlsError,
    },
}

impl HookError {
    /// Whether what was asked for may still happen: the work may go on after the call ended.
    #[must_use]
    pub fn may_still_happen(&self) -> bool {
        match self {
            Self::Late { .. } => true,
            Self::Lost { source, .. } => !source.is_connect(),
            // A server that fails may have begun.
            Self::Refused { status, .. } => *status >= 500,
            Self::Start { .. } | Self::Exit { .. } | Self::NotCalled { .. } | Self::Tls { .. } => false,
        }
    }
}

/// Calls one hook, which has as long as the call says, and no longer than it is configured to have; what it said, in one
/// line.
///
/// # Errors
/// It could not be called, said no, or did not end in time.
pub async fn call(hook: &Hook, call: &Call<'_>, tls: &TlsProfiles) -> Result<String, HookError> {
    let call = &Call { limit: call.limit.min(hook.timeout), ..*call };
    let said = match &hook.way {
        HookWay::Exec { program, arguments } => exec::run(program, arguments, call).await,
        HookWay::Webhook { url, login, ca_file } => {
            webhook::post(url, login.as_ref(), ca_file.as_deref(), call, tls).await
        }
    }?;
    Ok(format!("{}: {}", hook.way.name(), if said.is_empty() { "done" } else { said.as_str() }))
}

/// Calls hooks one after the other; all of them together have as long as the call says. What came of each, in one line.
/// After a switch all are called, whatever came of the one before.
///
/// # Errors
/// One failed that comes before the switch; those behind it were not called.
pub async fn call_all(hooks: &[Hook], all: &Call<'_>, tls: &TlsProfiles) -> Result<Vec<String>, HookError> {
    let end = Instant::now() + all.limit;
    let may_fail = matches!(all.point, HookPoint::After(_));
    let mut said = Vec::with_capacity(hooks.len());
    for hook in hooks {
        let limit = end.saturating_duration_since(Instant::now());
        let called = match limit.is_zero() {
            true => Err(HookError::NotCalled { hook: hook.way.name(), limit: all.limit }),
            false => call(hook, &Call { limit, ..*all }, tls).await,
        };
        match called {
            Ok(line) => said.push(line),
            Err(error) if may_fail => said.push(chain(&error)),
            Err(error) => return Err(error),
        }
    }
    Ok(said)
}

/// What somebody else's program says, as one line of bounded length: its last line that says anything.
fn line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    last.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_CHARS_TOLD).collect()
}

/// The line after a colon, or nothing.
fn after_colon(line: String) -> String {
    if line.is_empty() { line } else { format!(": {line}") }
}
