//! Two keys for a change: a durable ticket and a live term, while nobody has said stop.

use crate::lead::Term;
use crate::store::{Body, Journal, JournalError, Kind, OperatorAction, Query, Ticket};
use crate::types::Moment;

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
        refused_since(journal, self.ticket.plan(), self.ticket.seq()).await
    }
}

/// Whether a person paused the service, or it was halted, after that entry.
pub(super) async fn refused_since(
    journal: &dyn Journal,
    plan: &crate::decide::Plan,
    seq: u64,
) -> Result<(), Refusal> {
    let query = Query {
        service: Some(plan.service.clone()),
        kinds: vec![Kind::Ordered, Kind::Halted],
        after: seq,
        ..Query::default()
    };
    let entries = journal.read(query).await.map_err(|source| Refusal::Journal { source })?;
    let mut refusal = Ok(());
    for entry in entries {
        match entry.body {
            Body::Halted { .. } => refusal = Err(Refusal::Halted),
            Body::Ordered { action: OperatorAction::Pause, .. } => refusal = Err(Refusal::Paused),
            Body::Ordered { action: OperatorAction::Resume | OperatorAction::Acknowledge { .. }, .. } => {
                refusal = Ok(());
            }
            Body::Adopted { .. }
            | Body::Notified { .. }
            | Body::Decided { .. }
            | Body::Ticketed { .. }
            | Body::Stepped { .. }
            | Body::Ended { .. }
            | Body::Held { .. } => {}
        }
    }
    refusal
}
