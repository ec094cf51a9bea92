//! What may be asked of control from outside, and the handle to ask with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot};

use crate::store::JournalError;
use crate::types::{Notification, ServiceName};

/// Why a notification was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full; Alertmanager will come again.
    #[error("too many notifications are waiting")]
    Full,
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopping,
    /// It could not be made durable.
    #[error("the notification could not be made durable")]
    NotDurable {
        /// The cause.
        source: Arc<JournalError>,
    },
}

/// A notification on its way to the journal.
#[derive(Debug)]
pub struct Submission {
    /// It.
    pub(super) notification: Notification,
    /// Answered once it is durable.
    pub(super) reply: oneshot::Sender<Result<(), Arc<JournalError>>>,
}

/// The way into control.
#[derive(Debug, Clone)]
pub struct ControlHandle {
    intake: mpsc::Sender<Submission>,
}

impl ControlHandle {
    pub(super) fn new(intake: mpsc::Sender<Submission>) -> Self {
        Self { intake }
    }

    /// Hands a notification over and waits until it is durable; the investigation begins after that.
    ///
    /// # Errors
    /// It was not taken, and the sender should come again.
    pub async fn submit(&self, notification: Notification) -> Result<(), SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.intake.try_send(Submission { notification, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Full,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopping,
        })?;
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(SubmitError::NotDurable { source }),
            Err(_) => Err(SubmitError::Stopping),
        }
    }
}

/// Wakes the workers of services; several calls before a worker looks count as one.
#[derive(Debug, Clone, Default)]
pub struct Wakers {
    known: Arc<Mutex<BTreeMap<ServiceName, Arc<Notify>>>>,
}

impl Wakers {
    /// How the worker of a service is woken; an earlier worker's is replaced.
    pub(super) fn join(&self, service: &ServiceName) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(service.clone(), Arc::clone(&notify));
        notify
    }

    /// Wakes these.
    pub(super) fn wake(&self, services: &[ServiceName]) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter().filter_map(|service| known.get(service)).for_each(|notify| notify.notify_one());
    }
}
