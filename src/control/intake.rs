//! Makes notifications durable, many in one commit, then wakes the workers of the services they name.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::command::{ControlHandle, Submission, Wakers};
use crate::store::{Body, Journal, NewEntry};
use crate::types::{Alert, Clock, ServiceName};

/// Notifications that may wait; more are answered "come again".
const QUEUE_MAX: usize = 256;
/// Notifications made durable in one commit.
const COMMIT_MAX: usize = 64;

/// The task that takes notifications.
pub struct Intake {
    queue: mpsc::Receiver<Submission>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    wakers: Wakers,
}

impl Intake {
    /// The task, and the handle that feeds it.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, wakers: Wakers) -> (Self, ControlHandle) {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        (Self { queue, journal, clock, wakers }, ControlHandle::new(sender))
    }

    /// Takes notifications until cancelled; those that wait then are answered "stopping".
    pub async fn run(mut self, cancelled: CancellationToken) {
        let mut batch = Vec::with_capacity(COMMIT_MAX);
        loop {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => return,
                taken = self.queue.recv_many(&mut batch, COMMIT_MAX) => {
                    if taken == 0 {
                        return;
                    }
                    self.commit(std::mem::take(&mut batch)).await;
                }
            }
        }
    }

    async fn commit(&self, batch: Vec<Submission>) {
        let at_unix_ms = self.clock.now().unix_ms();
        let entries: Vec<NewEntry> = batch
            .iter()
            .flat_map(|s| by_service(&s.notification.alerts))
            .map(|(service, alerts)| NewEntry {
                at_unix_ms,
                service,
                incident: None,
                body: Body::Notified { alerts },
            })
            .collect();
        let services: Vec<ServiceName> = entries.iter().map(|e| e.service.clone()).collect();
        let written = if entries.is_empty() { Ok(Vec::new()) } else { self.journal.append(entries).await };
        let answer = written.map(|_| ()).map_err(Arc::new);
        if let Err(error) = &answer {
            tracing::error!(%error, "notifications could not be made durable; Alertmanager is asked to come again");
        }
        for submission in batch {
            // A sender that has gone away will come again.
            let _ = submission.reply.send(answer.clone());
        }
        if answer.is_ok() {
            self.wakers.wake(&services);
        }
    }
}

fn by_service(alerts: &[Alert]) -> BTreeMap<ServiceName, Vec<Alert>> {
    let mut sorted: BTreeMap<ServiceName, Vec<Alert>> = BTreeMap::new();
    for alert in alerts {
        sorted.entry(alert.service.clone()).or_default().push(alert.clone());
    }
    sorted
}
