//! The task that tells: it follows the journal, fills the outbox, and delivers. Nothing waits for it.

mod delivery;
mod follow;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::delivery::{Done, Mark};
use self::trouble::Trouble;
use super::channel::Channels;
use super::desk::Desk;
use super::message::Message;
use super::metrics::NotifyMetrics;
use crate::store::{Fate, JournalError, Outbox, SqliteJournal};
use crate::types::Clock;

/// Time between two looks into the journal and the outbox.
const ROUND: Duration = Duration::from_millis(500);
/// Entries read at once.
const ENTRIES_MAX: usize = 200;
/// Deliveries under way may take so long when the program stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The task that tells people.
pub struct Courier {
    journal: SqliteJournal,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    metrics: NotifyMetrics,
    channels: watch::Receiver<Channels>,
    /// The desk, and the last entry that it was told; `None` before it was read, and while there are no channels.
    desk: Option<(u64, Desk)>,
    /// Entries read at once: one by one past an entry that cannot be understood.
    page: usize,
    marks: BTreeMap<u64, Mark>,
    /// Letters that wait for the end of a silence, each with its channel.
    quiet: BTreeMap<u64, (String, Message)>,
    busy: BTreeSet<String>,
    deliveries: JoinSet<Done>,
    /// What an earlier run left in the outbox was brought in line with the configuration.
    is_adopted: bool,
    repeated: BTreeMap<String, i64>,
    /// When the desk was written last, Unix milliseconds.
    written: i64,
    trouble: Option<Trouble>,
    /// An alarm was given whose end must be told.
    is_healed: bool,
}

impl Courier {
    /// A courier for the channels of a watch, which a reload replaces.
    #[must_use]
    pub fn new(
        journal: &SqliteJournal,
        clock: Arc<dyn Clock>,
        metrics: NotifyMetrics,
        channels: watch::Receiver<Channels>,
    ) -> Self {
        Self {
            journal: journal.clone(),
            outbox: journal.outbox(),
            clock,
            metrics,
            channels,
            desk: None,
            page: ENTRIES_MAX,
            marks: BTreeMap::new(),
            quiet: BTreeMap::new(),
            busy: BTreeSet::new(),
            deliveries: JoinSet::new(),
            is_adopted: false,
            repeated: BTreeMap::new(),
            written: 0,
            trouble: None,
            is_healed: false,
        }
    }

    /// Tells until cancelled; what is not delivered by then waits in the outbox.
    pub async fn run(mut self, cancelled: CancellationToken) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => break,
                Some(done) = self.deliveries.join_next(), if !self.deliveries.is_empty() => {
                    // A delivery that panicked is made again: its letter has no mark. Its channel must not stay busy.
                    match done {
                        Ok(done) => self.note(done),
                        Err(_) => self.busy.clear(),
                    }
                }
                _ = rounds.tick() => {}
            }
            let done = self.round().await;
            self.report(done);
        }
        let drained = async {
            while let Some(done) = self.deliveries.join_next().await {
                if let Ok(done) = done {
                    self.note(done);
                }
            }
        };
        // Whoever is cut off here is told again by the next start.
        let _ = tokio::time::timeout(DRAIN_LIMIT, drained).await;
        let done = self.write_marks().await;
        self.report(done);
    }

    async fn round(&mut self) -> Result<(), JournalError> {
        self.write_marks().await?;
        let channels = self.channels.borrow_and_update().clone();
        if self.adopt(&channels).await? {
            self.follow(&channels).await?;
            self.send(&channels).await?;
            self.repeat(&channels);
        }
        Ok(())
    }

    /// Whether there is anybody to tell; what waits for channels that are gone is dropped.
    async fn adopt(&mut self, channels: &Channels) -> Result<bool, JournalError> {
        let names: Vec<String> = channels.rules.iter().map(|channel| channel.name.clone()).collect();
        let is_known = self.is_adopted && self.repeated.keys().eq(names.iter().collect::<BTreeSet<_>>());
        if !is_known || (self.desk.is_none() && !names.is_empty()) {
            let gone = self.outbox.keep_channels(names.clone(), self.now()).await?;
            for (channel, count) in gone {
                tracing::warn!(channel, count, "messages were dropped: their channel is gone");
                self.metrics.ended(&channel, Fate::Dropped, count);
            }
            for channel in self.repeated.keys().filter(|channel| !names.contains(channel)) {
                self.metrics.forget_pending(channel);
            }
            names.iter().for_each(|channel| self.metrics.expect(channel));
            self.repeated.retain(|channel, _| names.contains(channel));
            for name in &names {
                self.repeated.entry(name.clone()).or_insert(0);
            }
            self.is_adopted = true;
        }
        if names.is_empty() {
            if self.desk.take().is_some() || !is_known {
                self.outbox.close_desk().await?;
            }
            return Ok(false);
        }
        if self.desk.is_none() {
            let empty = Desk::default();
            let (seq, text) = self.outbox.desk(written(&empty)).await?;
            let desk = serde_json::from_str(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, "the state of messages cannot be understood; they begin anew");
                empty
            });
            self.desk = Some((seq, desk));
        }
        Ok(true)
    }

    fn now(&self) -> i64 {
        self.clock.now().unix_ms()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn written<T: serde::Serialize>(value: &T) -> String {
    // Maps with text keys, texts and numbers: nothing in it can fail.
    serde_json::to_string(value).unwrap_or_default()
}
