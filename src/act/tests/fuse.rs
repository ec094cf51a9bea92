//! A life that ends at a chosen point: every journal write and every effect on the outside is one.

use std::future::{Future, pending};
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::world::{Event, World};
use crate::act::CurrentService;
use crate::config::Service;
use crate::decide::Plan;
use crate::store::{Body, Entry, Journal, JournalError, NewEntry, Query, SqliteJournal, Ticket};
use std::sync::Arc;

/// Whether death comes before a point takes effect, or right after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

impl When {
    pub(super) const ALL: [Self; 2] = [Self::Before, Self::After];
}

/// Counts the points of one life, and ends it at one of them.
#[derive(Debug, Default)]
pub(super) struct Fuse {
    at: Option<(usize, When)>,
    passed: Mutex<Vec<String>>,
    blown: Notify,
}

impl Fuse {
    pub(super) fn at(point: usize, when: When) -> Self {
        Self { at: Some((point, when)), ..Self::default() }
    }

    /// The points that were reached, in order.
    pub(super) fn passed(&self) -> Vec<String> {
        self.passed.lock().unwrap().clone()
    }

    /// Lets one point happen, unless this is where life ends.
    pub(super) async fn pass<T>(&self, point: String, work: impl Future<Output = T>) -> T {
        let now = {
            let mut passed = self.passed.lock().unwrap();
            passed.push(point);
            passed.len() - 1
        };
        if self.at == Some((now, When::Before)) {
            return self.die().await;
        }
        let done = work.await;
        if self.at == Some((now, When::After)) {
            return self.die().await;
        }
        done
    }

    async fn die<T>(&self) -> T {
        self.blown.notify_one();
        pending().await
    }

    /// Runs a life to its end: `None` when the fuse blew first, and the future was dropped where it stood.
    pub(super) async fn run<T>(&self, life: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.blown.notified() => None,
            ended = life => Some(ended),
        }
    }
}

/// The real journal, which may die or fail at a write, and into which a person may write at a chosen moment.
pub(super) struct FusedJournal {
    pub(super) inner: SqliteJournal,
    pub(super) fuse: Arc<Fuse>,
    pub(super) world: Arc<World>,
    /// What a reload changes, and what it begins with.
    pub(super) current: CurrentService,
    pub(super) service: Service,
    /// From this write on, all fail.
    pub(super) fails_from: usize,
    pub(super) writes: Mutex<usize>,
}

/// What an entry is about, in one word.
pub(super) fn label(body: &Body) -> String {
    match body {
        Body::Stepped { step, .. } => step.phase().to_owned(),
        Body::Ended { outcome, .. } => outcome.as_str().to_owned(),
        Body::Adopted { .. }
        | Body::Notified { .. }
        | Body::Decided { .. }
        | Body::Ticketed { .. }
        | Body::Halted { .. }
        | Body::Held { .. }
        | Body::Observed { .. }
        | Body::Closed { .. }
        | Body::Compared { .. }
        | Body::Ordered { .. }
        | Body::Configured { .. }
        | Body::Denied { .. }
        | Body::Dropped { .. }
        | Body::Remembered { .. } => body.kind().as_str().to_owned(),
    }
}

#[async_trait]
impl Journal for FusedJournal {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<u64>, JournalError> {
        let write = {
            let mut writes = self.writes.lock().unwrap();
            *writes += 1;
            *writes - 1
        };
        if write >= self.fails_from {
            self.world.tell(Event::Failed);
            return Err(JournalError::Worker);
        }
        let labels: Vec<_> = entries.iter().map(|entry| label(&entry.body)).collect();
        let point = format!("write {}", labels.join("+"));
        let work = async {
            let service = entries[0].service.clone();
            let seqs = self.inner.append(entries).await?;
            for label in &labels {
                self.world.tell(Event::Wrote(label.clone()));
            }
            if let Some(action) = self.world.interjection(&labels) {
                let body = Body::Ordered { action, by: "a person".to_owned() };
                let entry = NewEntry { at_unix_ms: 0, service, incident: None, body };
                self.inner.append(vec![entry]).await?;
            }
            self.world.reload(&labels, &self.current, &self.service);
            if let Some(lasts) = self.world.stall(&labels) {
                tokio::time::advance(lasts).await;
            }
            Ok(seqs)
        };
        self.fuse.pass(point, work).await
    }

    async fn ticket(&self, entry: NewEntry, plan: Plan) -> Result<Ticket, JournalError> {
        let work = async {
            let ticket = self.inner.ticket(entry, plan).await?;
            self.world.tell(Event::Wrote("ticketed".to_owned()));
            self.world.reload(&["ticketed".to_owned()], &self.current, &self.service);
            if let Some(action) = self.world.interjection(&["ticketed".to_owned()]) {
                let body = Body::Ordered { action, by: "a person".to_owned() };
                let service = ticket.plan().service.clone();
                let entry = NewEntry { at_unix_ms: 0, service, incident: None, body };
                self.inner.append(vec![entry]).await?;
            }
            Ok(ticket)
        };
        self.fuse.pass("write ticketed".to_owned(), work).await
    }

    async fn repeat(&self, seq: u64, at_unix_ms: i64) -> Result<(), JournalError> {
        self.inner.repeat(seq, at_unix_ms).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Entry>, JournalError> {
        self.inner.read(query).await
    }
}
