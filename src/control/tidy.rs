//! Drops from time to time what the journal shall not remember any longer.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::store::{SqliteJournal, Tidied};
use crate::types::Clock;

/// Time between two looks at what is too old.
const ROUND: Duration = Duration::from_secs(600);
/// Rest between two steps, in which the journal takes what waits.
const REST: Duration = Duration::from_millis(200);

/// The task that drops.
pub struct Tidy {
    journal: SqliteJournal,
    config: Arc<ArcSwap<Config>>,
    clock: Arc<dyn Clock>,
}

impl Tidy {
    /// A task that keeps a journal as a configuration, which may be replaced, wants it.
    #[must_use]
    pub fn new(journal: &SqliteJournal, config: Arc<ArcSwap<Config>>, clock: Arc<dyn Clock>) -> Self {
        Self { journal: journal.clone(), config, clock }
    }

    /// Drops until cancelled.
    pub async fn run(self, cancelled: CancellationToken) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_done = true;
        loop {
            tokio::select! {
                () = cancelled.cancelled() => return,
                _ = rounds.tick(), if is_done => {}
                () = tokio::time::sleep(REST), if !is_done => {}
            }
            is_done = self.step().await == Tidied::Done;
        }
    }

    async fn step(&self) -> Tidied {
        let rules = self.config.load().history.clone();
        let now = self.clock.now().unix_ms();
        let age = i64::try_from(rules.retention.as_millis()).unwrap_or(i64::MAX);
        match self.journal.tidy(now.saturating_sub(age), rules.entries_max, now).await {
            Ok(tidied) => tidied,
            // Whoever decides says so, and louder.
            Err(error) => {
                tracing::debug!(%error, "the journal cannot be tidied");
                Tidied::Done
            }
        }
    }
}
