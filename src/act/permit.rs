//! Two keys for a change: a durable ticket and a live term, while nobody has said stop.

use super::Hands;
use crate::decide::{Plan, Trigger};
use crate::lead::Term;
use crate::store::{Journal, JournalError, Kind, Query, Story, Ticket};
use crate::types::{Guard, Moment, ServiceName, SiteName};

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
    /// The service, or a site of the switch, is in maintenance since, by a person's order or by the configuration.
    #[error("{} is in maintenance", site.as_ref().map_or("the service", |s| s.as_str()))]
    Maintenance {
        /// The site; `None` is the whole service.
        site: Option<SiteName>,
    },
    /// A reload has changed what the service allows since the decision.
    #[error("the configuration has changed: {why}")]
    Reconfigured {
        /// What stands in the way.
        why: String,
    },
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
    pub async fn grant(ticket: Ticket, term: Term, hands: &Hands) -> Result<Self, Refusal> {
        let permit = Self { ticket, term };
        permit.check_expiry(hands.clock.now())?;
        permit.check(hands).await?;
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
        let is_young = now.unix_ms() < self.ticket.plan().expires_unix_ms || !Guard::Expiry.stands();
        if is_young { Ok(()) } else { Err(Refusal::Expired) }
    }

    /// Asks, right before a write, whether the term still holds and nobody has said stop.
    ///
    /// # Errors
    /// The term has ended, or somebody has.
    pub async fn check(&self, hands: &Hands) -> Result<(), Refusal> {
        let present = hands.election.standing().term(hands.clock.now());
        if Guard::Leadership.stands() && present.is_none_or(|term| term.number != self.term.number) {
            return Err(Refusal::NotLeading);
        }
        hands.current.allows_to_begin(self.ticket.plan())?;
        refused(hands, self.ticket.plan()).await
    }
}

/// Whether this agent leads no more, or a person has said stop since, as of this moment: an order may have been written
/// while the cycle that led to the ticket was under way.
pub(super) async fn refused(hands: &Hands, plan: &Plan) -> Result<(), Refusal> {
    if !leads(hands) {
        return Err(Refusal::NotLeading);
    }
    let story = orders(&*hands.journal, &plan.service).await?;
    if story.halted.is_some() && Guard::Halt.stands() {
        return Err(Refusal::Halted);
    }
    if story.is_paused && Guard::Pause.stands() {
        return Err(Refusal::Paused);
    }
    let now = hands.clock.now();
    hands.current.allows(plan, now)?;
    let stops =
        |site: &Option<SiteName>| site.as_ref().is_none_or(|site| *site == plan.from || *site == plan.to);
    // Who asks for a switch may ask for one away from what they are working on.
    let is_automatic = plan.trigger == Trigger::Automatic;
    let found = story.maintenance.into_iter().find(|(site, until)| *until > now.unix_ms() && stops(site));
    match found.filter(|_| is_automatic) {
        Some((site, _)) => Err(Refusal::Maintenance { site }),
        None => Ok(()),
    }
}

/// Whether this agent leads at this moment.
pub(super) fn leads(hands: &Hands) -> bool {
    hands.election.standing().term(hands.clock.now()).is_some() || !Guard::Leadership.stands()
}

/// What people have said, and what froze the service, as the journal holds it at this moment.
async fn orders(journal: &dyn Journal, service: &ServiceName) -> Result<Story, Refusal> {
    let query = Query {
        service: Some(service.clone()),
        kinds: vec![Kind::Ordered, Kind::Halted, Kind::Ended, Kind::Adopted, Kind::Remembered],
        is_newest_first: true,
        ..Query::default()
    };
    let entries = journal.read(query).await.map_err(|source| Refusal::Journal { source })?;
    let mut story = Story::default();
    entries.iter().rev().for_each(|entry| story.tell(entry));
    Ok(story)
}
