//! The published picture: what the last cycle of each service saw and decided.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Service;
use crate::decide::Decision;
use crate::types::{Fence, RecordState, ServiceName, Snapshot};

/// The picture of one service.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// Its configuration.
    pub service: Arc<Service>,
    /// What was seen.
    pub snapshots: Vec<Snapshot>,
    /// What was decided.
    pub decision: Decision,
    /// What the provider holds, where it could be read.
    pub record: Option<RecordState>,
    /// The fence in it, where it can be read.
    pub fence: Option<Fence>,
    /// Why the service is halted, if it is.
    pub halted: Option<String>,
    /// A person has paused it.
    pub is_paused: bool,
    /// The journal took the last entry.
    pub is_durable: bool,
}

/// The picture of all services.
#[derive(Debug, Clone, Default)]
pub struct View {
    services: Arc<Mutex<BTreeMap<ServiceName, Arc<ServiceView>>>>,
}

impl View {
    /// The picture as it is at this moment.
    #[must_use]
    pub fn services(&self) -> Vec<Arc<ServiceView>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The picture of one service, once its first cycle is over.
    #[must_use]
    pub fn of(&self, service: &ServiceName) -> Option<Arc<ServiceView>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned()
    }

    pub(super) fn publish(&self, view: ServiceView) {
        let name = view.service.name.clone();
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(view));
    }

    pub(super) fn withdraw(&self, service: &ServiceName) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).remove(service);
    }
}
