//! The front door: history in, an account out.

use std::time::Duration;

use super::account::{Account, Ledger};
use super::outages::Outage;
use super::player::Player;
use super::{JournalHistory, PrometheusHistory, Stretch};
use crate::config::Service;
use crate::monitor::{RangeError, TlsError};
use crate::store::JournalError;

/// Rounds before the span that are played to warm the policy up: as many looks as it remembers.
const LEAD_ROUNDS: u32 = 240;

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The journal cannot be read.
    #[error("cannot read the journal")]
    Journal {
        /// Why.
        source: JournalError,
    },
    /// Prometheus cannot be asked at all.
    #[error("cannot prepare the connection to Prometheus")]
    Client {
        /// Why.
        source: TlsError,
    },
    /// Prometheus did not answer, several times over.
    #[error("Prometheus does not answer {promql}, asked {times} times for the time from Unix second {from}")]
    Prometheus {
        /// The query.
        promql: String,
        /// How often it was asked.
        times: u32,
        /// The beginning of the time that was asked for, Unix seconds.
        from: i64,
        /// Why, the last time.
        source: RangeError,
    },
}

/// The time that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// Its beginning, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Its end, Unix milliseconds.
    pub until_unix_ms: i64,
    /// From here on history is read, Unix milliseconds.
    pub(super) lead_unix_ms: i64,
}

impl Span {
    /// The span between two times, Unix milliseconds, for rounds of this interval.
    #[must_use]
    pub fn new(from_unix_ms: i64, until_unix_ms: i64, interval: Duration) -> Self {
        let lead = i64::try_from((interval * LEAD_ROUNDS).as_millis()).unwrap_or(i64::MAX);
        let lead_unix_ms = from_unix_ms.saturating_sub(lead).max(0);
        Self { from_unix_ms, until_unix_ms: until_unix_ms.max(from_unix_ms), lead_unix_ms }
    }

    pub(super) fn holds(&self, at: i64) -> bool {
        (self.from_unix_ms..=self.until_unix_ms).contains(&at)
    }

    pub(super) fn touches(&self, from: i64, until: i64) -> bool {
        from <= self.until_unix_ms && until >= self.from_unix_ms
    }
}

/// Where history comes from.
pub enum History<'a> {
    /// The journal of an agent.
    Journal(Box<JournalHistory>),
    /// A Prometheus.
    Prometheus(Box<PrometheusHistory<'a>>),
}

impl History<'_> {
    /// The next stretch; `None` at the end.
    ///
    /// # Errors
    /// The source cannot be read.
    pub async fn next(&mut self) -> Result<Option<Stretch>, ReplayError> {
        match self {
            Self::Journal(journal) => journal.next().await,
            Self::Prometheus(prometheus) => prometheus.next().await,
        }
    }
}

/// Replays the history of one service. `told` hears how far it is, Unix milliseconds, after every round.
///
/// # Errors
/// The history cannot be read.
pub async fn replay(
    service: &Service,
    history: &mut History<'_>,
    span: Span,
    outages: Option<&[Outage]>,
    interval: Duration,
    told: &mut dyn FnMut(i64),
) -> Result<Account, ReplayError> {
    let mut player = Player::new(service);
    let mut ledger = Ledger::new(span, interval);
    while let Some(stretch) = history.next().await? {
        if stretch.is_restart {
            player.restart(stretch.first);
        }
        for (now, evidence) in stretch.between(span.lead_unix_ms, span.until_unix_ms) {
            let played = player.play(evidence, now);
            ledger.note(now, stretch.then.as_ref(), &played);
            told(now.unix_ms());
        }
    }
    let account = ledger.end(service, outages);
    Ok(match history {
        History::Journal(journal) => account.read_with(journal.without_evidence(), 0),
        History::Prometheus(prometheus) => account.read_with(0, prometheus.retries()),
    })
}
