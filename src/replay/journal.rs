//! History from the journal: each entry's evidence, as often as it was found.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::stretch::{Flow, Stretch, Then, flow};
use super::{ReplayError, Span};
use crate::decide::{Decision, Evidence};
use crate::store::{Body, Entry, Journal, Kind, Query};
use crate::types::{Moment, ServiceName};

/// Entries read at once: some megabytes.
const PAGE: usize = 500;

/// The history of one service as its agent wrote it down.
///
/// An entry stands for all rounds in which the decision said the same, from its first to its last. Between the last
/// moment of one process and the first of the next there is nothing, and the next one begins without memory.
pub struct JournalHistory {
    journal: Arc<dyn Journal>,
    service: ServiceName,
    span: Span,
    after: u64,
    page: VecDeque<Entry>,
    /// The entry whose successor is not known yet.
    held: Option<Heard>,
    ended: Option<Moment>,
    flow: Flow,
    without_evidence: u64,
}

struct Heard {
    decision: Decision,
    evidence: Evidence,
    rounds: u64,
    last_unix_ms: i64,
}

impl JournalHistory {
    /// The history of a service within a span.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, service: ServiceName, span: Span) -> Self {
        Self {
            journal,
            service,
            span,
            after: 0,
            page: VecDeque::new(),
            held: None,
            ended: None,
            flow: Flow::new(),
            without_evidence: 0,
        }
    }

    /// Entries in the span that hold no evidence, or none that this version understands.
    #[must_use]
    pub fn without_evidence(&self) -> u64 {
        self.without_evidence
    }

    /// The next stretch; `None` at the end.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn next(&mut self) -> Result<Option<Stretch>, ReplayError> {
        while let Some(entry) = self.entry().await? {
            if entry.last_unix_ms < self.span.lead_unix_ms {
                continue;
            }
            if entry.at_unix_ms > self.span.until_unix_ms {
                self.page.clear();
                self.after = u64::MAX;
                break;
            }
            let Some(heard) = self.hear(entry) else { continue };
            if let Some(earlier) = self.held.replace(heard) {
                return Ok(Some(self.stretch(earlier)));
            }
        }
        Ok(self.held.take().map(|last| self.stretch(last)))
    }

    async fn entry(&mut self) -> Result<Option<Entry>, ReplayError> {
        if self.page.is_empty() && self.after < u64::MAX {
            let query = Query {
                service: Some(self.service.clone()),
                kinds: vec![Kind::Decided],
                after: self.after,
                limit: PAGE,
                ..Query::default()
            };
            let read = self.journal.read(query).await.map_err(|source| ReplayError::Journal { source })?;
            self.after = if read.len() < PAGE { u64::MAX } else { read.last().map_or(u64::MAX, |e| e.seq) };
            self.page = read.into();
        }
        Ok(self.page.pop_front())
    }

    fn hear(&mut self, entry: Entry) -> Option<Heard> {
        let Body::Decided { decision, evidence } = entry.body else { return None };
        let Some(evidence) = evidence else {
            self.without_evidence += 1;
            return None;
        };
        Some(Heard {
            decision: *decision,
            evidence: *evidence,
            rounds: entry.count,
            last_unix_ms: entry.last_unix_ms,
        })
    }

    fn stretch(&mut self, heard: Heard) -> Stretch {
        let first = heard.decision.made;
        let lasted = u64::try_from(heard.last_unix_ms - first.unix_ms()).unwrap_or(0);
        let step = Duration::from_millis(lasted)
            / u32::try_from(heard.rounds.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
        // The monotonic clock begins anew with every process, and never goes back within one.
        let is_restart = self.ended.is_some_and(|ended| first.mono < ended.mono);
        if let Some(next) = &self.held
            && next.decision.made.mono >= first.mono
        {
            let passed = next.decision.made.since(first);
            // Where the next entry says nothing of a stream, it is taken to have moved as before.
            self.flow.extend(flow(&heard.evidence, &next.evidence, passed));
        }
        let stretch = Stretch {
            then: Some(Then::of(&heard.decision)),
            evidence: heard.evidence,
            first,
            rounds: heard.rounds.max(1),
            step,
            flow: self.flow.clone(),
            is_restart,
        };
        self.ended = Some(stretch.last());
        stretch
    }
}
