//! The product's journal in memory, on a disk that may be full, and watched by the world.

use std::time::Duration;

use async_trait::async_trait;

use super::Gate;
use crate::decide::Plan;
use crate::decide::saga::{Outcome, Step as Stepped};
use crate::sim::language::{Side, Step};
use crate::sim::world::{Phase, Trace, What};
use crate::store::{
    Body, Entry, Journal, JournalError, Kind, MemoryJournal, NewEntry, OperatorAction, Query, Ticket,
};
use crate::types::ServiceName;

/// A durable write takes so long on the disk of a small machine.
const DURABLE: Duration = Duration::from_millis(8);

/// The journal of one process.
pub(in crate::sim) struct SimJournal {
    pub(in crate::sim) gate: Gate,
    pub(in crate::sim) inner: MemoryJournal,
}

impl SimJournal {
    fn check_disk(&self) -> Result<(), JournalError> {
        if !self.gate.world.state().actors[self.gate.agent].is_disk_full {
            return Ok(());
        }
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        Err(JournalError::Write { source: rusqlite::Error::SqliteFailure(code, None) })
    }

    fn rank(&self, service: &ServiceName) -> usize {
        self.gate.world.layout.services.iter().position(|known| known == service).unwrap_or(0)
    }

    /// Writes down, in the world's log, what the agent wrote into its journal.
    fn note(&self, service: usize, body: Body) {
        let (world, agent) = (&self.gate.world, self.gate.agent);
        let now = world.now();
        let mut state = world.state();
        let text = match body {
            Body::Decided { decision, .. } => {
                let leads = state.leaders(now).contains(&agent);
                let what = What::Decided { agent, service, decision, leads };
                state.trace.push(Trace { at: now, what });
                return;
            }
            Body::Notified { alerts } => format!("notes {} alert(s)", alerts.len()),
            Body::Adopted { epoch, active, .. } => format!("adopts epoch {epoch} with {active}"),
            Body::Ticketed { plan } => {
                *state.phase(agent, service) = Phase::Ticketed(world.layout.member(&plan.to).unwrap_or(0));
                state.orders[agent][service].ticketed = Some(now);
                format!("intends to move from {} to {}", plan.from, plan.to)
            }
            Body::Stepped { step, .. } => {
                let phase = state.phase(agent, service);
                let to = match *phase {
                    Phase::Ticketed(to) | Phase::Rechecked(to) | Phase::Proving(to) => to,
                    Phase::Idle => 0,
                };
                if matches!(step, Stepped::Claimed | Stepped::Promoted) {
                    *phase = Phase::Proving(to);
                }
                stepped(&step)
            }
            Body::Ended { outcome, .. } => {
                *state.phase(agent, service) = Phase::Idle;
                if outcome.halts() {
                    state.halts(agent, service);
                }
                if matches!(outcome, Outcome::PromotedNotSwitched { .. }) {
                    state.trace.push(Trace { at: now, what: What::NeedsPerson { service } });
                }
                format!("ends its switch: {}", ended(&outcome))
            }
            Body::Halted { why } => {
                state.halts(agent, service);
                format!("halts: {why}")
            }
            Body::Held { site, error: None, .. } => format!("holds {site} back"),
            Body::Held { site, error: Some(error), .. } => format!("cannot hold {site} back: {error}"),
            Body::Observed { fence } => format!("builds on epoch {} of {}", fence.epoch, fence.owner),
            Body::Closed { closing } => {
                format!(
                    "closes its incident, {}",
                    if closing.confirmed { "confirmed" } else { "not confirmed" }
                )
            }
            Body::Compared { comparison } => format!("compares: {comparison}"),
            Body::Ordered { action, .. } => ordered(&action),
            // A simulated agent has no file, no door and no end of its memory.
            Body::Configured { .. }
            | Body::Denied { .. }
            | Body::Dropped { .. }
            | Body::Remembered { .. } => return,
        };
        state.trace.push(Trace { at: now, what: What::Wrote { agent, service, text } });
    }
}

fn stepped(step: &Stepped) -> String {
    match step {
        Stepped::Claimed => "has claimed the fence".to_owned(),
        Stepped::Prepared { said } => format!("has called the hooks before it ({})", said.join("; ")),
        Stepped::Fenced { how } => format!("has fenced the old primary ({how:?})"),
        Stepped::CaughtUp { missing_bytes } => {
            format!("has waited for the target to catch up (missing: {missing_bytes:?})")
        }
        Stepped::Promoting => "is about to promote".to_owned(),
        Stepped::Promoted => "has promoted the target".to_owned(),
        Stepped::Proven => "has seen the target take a write".to_owned(),
        Stepped::Switched => "has moved the record".to_owned(),
        Stepped::Verified { answers } => format!("has asked the name servers: {answers}"),
        Stepped::Reached { said, .. } => format!("has looked through the name ({})", said.join("; ")),
        Stepped::Following => "is about to call the hooks after it".to_owned(),
        Stepped::Followed { said } => format!("has called the hooks after it ({})", said.join("; ")),
    }
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Switched => "done".to_owned(),
        Outcome::Abandoned { why } => format!("given up, {why}"),
        Outcome::Cleared => "a dead claim is taken back".to_owned(),
        Outcome::PromotedNotSwitched { why } => format!("promoted but not switched, {why}"),
        Outcome::Foreign { why } => format!("somebody else's hand, {why}"),
    }
}

fn ordered(action: &OperatorAction) -> String {
    match action {
        OperatorAction::Pause => "is paused".to_owned(),
        OperatorAction::Resume => "is resumed".to_owned(),
        OperatorAction::Acknowledge { .. } => "is acknowledged".to_owned(),
        OperatorAction::Failover { to } => format!("is asked to move to {to}"),
        OperatorAction::Failback { to, .. } => format!("is asked to move back to {to}"),
        OperatorAction::Demote { site, .. } => format!("has {site} demoted"),
        OperatorAction::Maintain { site, .. } => {
            format!("is told of maintenance of {}", site.as_ref().map_or("the service", |site| site.as_str()))
        }
    }
}

/// The step that an entry is, if it is one.
fn step(body: &Body) -> Option<Step> {
    match body {
        Body::Decided { .. } => Some(Step::Decide),
        Body::Ended { .. } => Some(Step::Outcome),
        Body::Ticketed { .. } => Some(Step::Ticket),
        Body::Adopted { .. }
        | Body::Notified { .. }
        | Body::Stepped { .. }
        | Body::Halted { .. }
        | Body::Held { .. }
        | Body::Observed { .. }
        | Body::Closed { .. }
        | Body::Compared { .. }
        | Body::Ordered { .. }
        | Body::Configured { .. }
        | Body::Denied { .. }
        | Body::Dropped { .. }
        | Body::Remembered { .. } => None,
    }
}

#[async_trait]
impl Journal for SimJournal {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<u64>, JournalError> {
        self.gate.pass().await;
        let step = entries.iter().find_map(|entry| step(&entry.body));
        if let Some(step) = step {
            self.gate.reach(step, Side::Before).await;
        }
        let copies: Vec<_> = entries.iter().map(|e| (self.rank(&e.service), e.body.clone())).collect();
        if let Err(error) = self.check_disk() {
            // It is decided all the same, and said in the log.
            let decided = copies.into_iter().filter(|(_, body)| body.kind() == Kind::Decided);
            decided.for_each(|(service, body)| self.note(service, body));
            return Err(error);
        }
        self.gate.take(DURABLE).await;
        let seqs = self.inner.append(entries).await?;
        copies.into_iter().for_each(|(service, body)| self.note(service, body));
        if let Some(step) = step {
            self.gate.reach(step, Side::After).await;
        }
        self.gate.take(self.gate.late()).await;
        Ok(seqs)
    }

    async fn ticket(&self, entry: NewEntry, plan: Plan) -> Result<Ticket, JournalError> {
        self.gate.pass().await;
        self.gate.reach(Step::Ticket, Side::Before).await;
        self.check_disk()?;
        let (service, body) = (self.rank(&entry.service), entry.body.clone());
        self.gate.take(DURABLE).await;
        let ticket = self.inner.ticket(entry, plan).await?;
        self.note(service, body);
        self.gate.reach(Step::Ticket, Side::After).await;
        self.gate.take(self.gate.late()).await;
        Ok(ticket)
    }

    async fn repeat(&self, seq: u64, at_unix_ms: i64) -> Result<(), JournalError> {
        self.gate.pass().await;
        self.check_disk()?;
        self.inner.repeat(seq, at_unix_ms).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Entry>, JournalError> {
        self.gate.pass().await;
        if query.kinds.contains(&Kind::Ordered) {
            let ranks = match &query.service {
                Some(service) => self.rank(service)..self.rank(service) + 1,
                None => 0..self.gate.world.layout.services.len(),
            };
            let mut state = self.gate.world.state();
            let place = state.next_place();
            ranks.for_each(|service| state.orders[self.gate.agent][service].asked = Some(place));
        }
        self.inner.read(query).await
    }
}
