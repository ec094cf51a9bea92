//! Two keys for a change: a durable ticket and a live term, while nobody has said stop.

use crate::lead::Term;
use crate::store::{Body, Journal, JournalError, Kind, OperatorAction, Query, Ticket};
use crate::types::{Moment, ServiceName};

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The plan is too old.
    #[error("the decision has expired")]
    Expired,
    /// The term has ended.
    #[error("this agent no longer leads")]
    NotLeading,
    /// A person has paused the service since the decision.
    #[error("a person has paused the service")]
    Paused,
    /// The service was halted since the decision.
    #[error("the service is halted")]
    Halted,
    /// The journal cannot be asked whether anybody said stop.
    #[error("the journal cannot be asked")]
    Journal {
        /// The cause.
        source: JournalError,
    },
}

/// The permission to carry out one plan, once.
#[derive(Debug)]
pub struct Permit {
    ticket: Ticket,
    term: Term,
}

impl Permit {
    /// Joins ticket and term.
    ///
    /// # Errors
    /// The term has ended, the plan has expired, or somebody said stop.
    pub async fn grant(
        ticket: Ticket,
        term: Term,
        journal: &dyn Journal,
        now: Moment,
    ) -> Result<Self, Refusal> {
        let permit = Self { ticket, term };
        permit.check_expiry(now)?;
        permit.check(journal, now).await?;
        Ok(permit)
    }

    /// The ticket.
    #[must_use]
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Whether the plan is still young enough to begin.
    ///
    /// # Errors
    /// It is not.
    pub fn check_expiry(&self, now: Moment) -> Result<(), Refusal> {
        if now.unix_ms() < self.ticket.plan().expires_unix_ms { Ok(()) } else { Err(Refusal::Expired) }
    }

    /// Reads, right before a write, whether the term still holds and nobody has said stop.
    ///
    /// # Errors
    /// The term has ended, or somebody has.
    pub async fn check(&self, journal: &dyn Journal, now: Moment) -> Result<(), Refusal> {
        if !self.term.is_live(now) {
            return Err(Refusal::NotLeading);
        }
        refused(journal, &self.ticket.plan().service).await
    }
}

/// Whether a person has paused the service, or it is halted, as of this moment. The whole journal is asked, newest
/// first: an order may have been written while the cycle that led to the ticket was under way.
pub(super) async fn refused(journal: &dyn Journal, service: &ServiceName) -> Result<(), Refusal> {
    let query = Query {
        service: Some(service.clone()),
        kinds: vec![Kind::Ordered, Kind::Halted, Kind::Ended, Kind::Adopted],
        is_newest_first: true,
        ..Query::default()
    };
    let entries = journal.read(query).await.map_err(|source| Refusal::Journal { source })?;
    if entries.iter().find_map(|entry| halts(&entry.body)) == Some(true) {
        return Err(Refusal::Halted);
    }
    if entries.iter().find_map(|entry| pauses(&entry.body)) == Some(true) {
        return Err(Refusal::Paused);
    }
    Ok(())
}

/// Whether an entry begins a halt or ends one; `None` for one that does neither.
fn halts(body: &Body) -> Option<bool> {
    match body {
        Body::Halted { .. } => Some(true),
        Body::Ended { outcome, .. } => outcome.halts().then_some(true),
        Body::Adopted { .. } | Body::Ordered { action: OperatorAction::Acknowledge { .. }, .. } => {
            Some(false)
        }
        Body::Ordered { action: OperatorAction::Pause | OperatorAction::Resume, .. }
        | Body::Notified { .. }
        | Body::Decided { .. }
        | Body::Ticketed { .. }
        | Body::Stepped { .. }
        | Body::Held { .. } => None,
    }
}

/// Whether an entry begins a pause or ends one; `None` for one that does neither.
fn pauses(body: &Body) -> Option<bool> {
    match body {
        Body::Ordered { action: OperatorAction::Pause, .. } => Some(true),
        Body::Ordered { action: OperatorAction::Resume, .. } => Some(false),
        Body::Ordered { action: OperatorAction::Acknowledge { .. }, .. }
        | Body::Adopted { .. }
        | Body::Notified { .. }
        | Body::Decided { .. }
        | Body::Ticketed { .. }
        | Body::Stepped { .. }
        | Body::Ended { .. }
        | Body::Halted { .. }
        | Body::Held { .. } => None,
    }
}
