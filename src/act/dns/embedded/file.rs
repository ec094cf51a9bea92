//! The zone's file as the agent has it: open to be written, or as much of it as there is until that is possible.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::store::{StoreError, ZoneStore};
use crate::store::move_aside;
use crate::types::Moment;

/// Time between two tries to open a file to be written.
const TRY_EVERY: Duration = Duration::from_secs(5);
/// The version of no file at all.
const NO_VERSION: i64 = 0;

/// The zone's file.
pub(super) struct File {
    store: Option<ZoneStore>,
    /// Where it cannot be written yet: where it is, and when that was tried last.
    wanted: Option<(PathBuf, Instant)>,
}

impl File {
    /// A file that is open as it is wanted.
    pub(super) fn of(store: ZoneStore) -> Self {
        Self { store: Some(store), wanted: None }
    }

    /// Opens the file as well as possible. A damaged one is moved aside, and an empty one begins: no name is answered
    /// from it until it is adopted.
    pub(super) fn open_for_agent(path: PathBuf, now: Moment) -> Result<Self, StoreError> {
        let error = match ZoneStore::open_sound(&path) {
            Ok(store) => return Ok(Self::of(store)),
            Err(error @ StoreError::Version(_)) => return Err(error),
            Err(error) => error,
        };
        if error.is_damage()
            && let Ok(aside) = move_aside(&path, now)
        {
            let reason = &error as &dyn std::error::Error;
            tracing::error!(zone = %path.display(), aside = %aside.display(), error = reason,
                "the embedded zone is damaged and was moved aside; its names are answered again once \
                 `redrover adopt` has written them anew");
            return ZoneStore::open(&path).map(Self::of);
        }
        let reason = &error as &dyn std::error::Error;
        tracing::error!(zone = %path.display(), error = reason,
            "the embedded zone cannot be written: no name moves until it can");
        // An empty zone would say that nothing was ever adopted, so there must be a file to be read.
        let store = path.exists().then(|| ZoneStore::open_read_only(&path).ok()).flatten();
        Ok(Self { store, wanted: Some((path, Instant::now())) })
    }

    /// What can be read.
    pub(super) fn store(&self) -> Result<&ZoneStore, StoreError> {
        self.store.as_ref().ok_or(StoreError::Shut)
    }

    /// What can be written, unless it refuses.
    pub(super) fn store_mut(&mut self) -> Result<&mut ZoneStore, StoreError> {
        self.store.as_mut().ok_or(StoreError::Shut)
    }

    /// A number that changes whenever another connection has changed the file.
    pub(super) fn version(&self) -> Result<i64, StoreError> {
        self.store.as_ref().map_or(Ok(NO_VERSION), ZoneStore::version)
    }

    /// Tries from time to time to open the file to be written; whether that worked just now.
    pub(super) fn try_again(&mut self) -> bool {
        let Some((path, tried)) = &mut self.wanted else { return false };
        if tried.elapsed() < TRY_EVERY {
            return false;
        }
        *tried = Instant::now();
        let Ok(store) = ZoneStore::open_sound(path) else { return false };
        tracing::info!(zone = %path.display(), "the embedded zone can be written after all");
        *self = Self::of(store);
        true
    }
}
