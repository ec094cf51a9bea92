//! The task that tells: it follows the journal, fills the outbox, and delivers. Nothing waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::backoff::{GIVEN_UP_AFTER, pause};
use super::channel::{Channels, Delivery, DeliveryError, REPOST_MS};
use super::desk::{Addressed, Desk};
use super::message::{Kind, Message, Phase};
use super::metrics::NotifyMetrics;
use crate::config::Level;
use crate::store::{Fate, Journal as _, JournalError, Letter, NewLetter, Outbox, Query, SqliteJournal};
use crate::types::{AgentName, Clock, ServiceName};

/// Time between two looks into the journal and the outbox.
const ROUND: Duration = Duration::from_millis(500);
/// Entries read at once.
const ENTRIES_MAX: usize = 200;
/// The journal is asked at least so often whether it takes anything.
const WRITE_EVERY: Duration = Duration::from_secs(30);
/// A journal that takes nothing for so long is told of.
const TROUBLE_LASTS: Duration = Duration::from_secs(10);
/// And told of again while it lasts.
const ALARM_AGAIN: Duration = Duration::from_secs(600);
/// A message about what lasts waits out a silence; so often it is asked whether that is over.
const QUIET_AGAIN: Duration = Duration::from_secs(30);
/// Deliveries under way may take so long when the program stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// What became of one delivery.
struct Done {
    channel: String,
    /// Absent for what was only said once more.
    letter: Option<Letter>,
    result: Result<Delivery, DeliveryError>,
}

/// A mark that must still be written beside a letter.
#[derive(Debug, Clone, Copy)]
enum Mark {
    Fate(Fate),
    Due(i64),
}

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

/// The journal takes nothing.
#[derive(Debug, Clone)]
struct Trouble {
    /// Since when, Unix milliseconds.
    since: i64,
    /// When people were told last.
    alarmed: Option<i64>,
    /// What is wrong, in the words of whoever found it.
    why: String,
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

    /// Notes whether the journal takes anything. Where it does not, nothing is decided any more, and no message can be
    /// made durable: people are told of that at once, past the outbox.
    fn report(&mut self, done: Result<(), JournalError>) {
        match done {
            Ok(()) => {
                let trouble = self.trouble.take();
                self.is_healed |= trouble.is_some_and(|trouble| trouble.alarmed.is_some());
            }
            Err(error) => {
                let now = self.now();
                if self.trouble.is_none() {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "messages to people wait: their outbox cannot be used");
                }
                let why = causes(&error);
                let trouble = self.trouble.take().unwrap_or(Trouble { since: now, alarmed: None, why });
                let is_lasting = now.saturating_sub(trouble.since) >= millis(TROUBLE_LASTS);
                let is_due = |at: i64| now.saturating_sub(at) >= millis(ALARM_AGAIN);
                let must_tell = is_lasting && trouble.alarmed.is_none_or(is_due);
                if must_tell {
                    self.alarm(trouble.since, &trouble.why);
                }
                let alarmed = if must_tell { Some(now) } else { trouble.alarmed };
                self.trouble = Some(Trouble { alarmed, ..trouble });
            }
        }
    }

    /// Tells every channel, from memory, that the journal takes nothing.
    fn alarm(&mut self, since: i64, why: &str) {
        let channels = self.channels.borrow().clone();
        let now = self.now();
        for rules in channels.rules.iter() {
            let Some(channel) = channels.get(&rules.name).filter(|_| !self.busy.contains(&rules.name)) else {
                continue;
            };
            let Some(mut message) = journal_lost(channel.agent(), Phase::Lasts, since, now) else { continue };
            message.why = vec![why.to_owned()];
            let (channel, name) = (Arc::clone(channel), rules.name.clone());
            self.busy.insert(name.clone());
            self.deliveries.spawn(async move {
                let result = channel.deliver(0, &message, now).await;
                Done { channel: name, letter: None, result }
            });
        }
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

    /// Makes messages of what the journal holds since the last round, and puts them into the outbox.
    async fn follow(&mut self, channels: &Channels) -> Result<(), JournalError> {
        let now = self.now();
        let Some((seq, desk)) = self.desk.clone() else { return Ok(()) };
        let query = Query { after: seq, limit: self.page, ..Query::default() };
        let (mut next, mut desk) = (seq, desk);
        let mut addressed = Vec::new();
        match self.journal.read(query).await {
            Ok(entries) => {
                self.page = ENTRIES_MAX;
                for entry in &entries {
                    addressed.extend(desk.tell(entry, &channels.rules));
                    next = entry.seq;
                }
            }
            Err(JournalError::Entry { seq, .. }) if self.page == 1 => {
                tracing::warn!(seq, "an entry of the journal cannot be understood, and is not told");
                next = seq;
            }
            Err(JournalError::Entry { .. }) => {
                self.page = 1;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        addressed.extend(desk.release(&channels.rules, now));
        if self.is_healed {
            let over = channels.rules.iter().filter_map(|rules| {
                let agent = channels.get(&rules.name)?.agent();
                let message = journal_lost(agent, Phase::Over, now, now)?;
                Some(Addressed { channel: rules.name.clone(), message })
            });
            addressed.extend(over);
        }
        let is_news = self.desk.as_ref().is_some_and(|(_, former)| *former != desk) || next != seq;
        // Where there is no news, a write in between tells whether there could be any.
        let is_due = !(0..millis(WRITE_EVERY)).contains(&now.saturating_sub(self.written));
        if is_news || is_due || self.is_healed {
            let letters = addressed.into_iter().map(letter).collect();
            let dropped = self.outbox.put(next, written(&desk), letters).await?;
            for (channel, count) in dropped {
                tracing::error!(
                    channel,
                    count,
                    "too many messages wait: the oldest of the lowest level were dropped"
                );
                self.metrics.ended(&channel, Fate::Dropped, count);
            }
            self.desk = Some((next, desk));
            self.written = now;
            self.is_healed = false;
        }
        Ok(())
    }

    /// Begins the next delivery of every channel that is not busy.
    async fn send(&mut self, channels: &Channels) -> Result<(), JournalError> {
        let now = self.now();
        self.let_go();
        self.write_marks().await?;
        let waiting = self.outbox.waiting().await?;
        for rules in channels.rules.iter() {
            self.metrics.pending(&rules.name, waiting.get(&rules.name).copied().unwrap_or(0));
            let Some(channel) = channels.get(&rules.name).filter(|_| !self.busy.contains(&rules.name)) else {
                continue;
            };
            let Some(letter) = self.outbox.next(rules.name.clone(), now).await? else { continue };
            let age = now.saturating_sub(letter.made_unix_ms);
            let message = serde_json::from_str::<Message>(&letter.body);
            let is_quiet = self.quiet.contains_key(&letter.id);
            match message {
                Ok(message) if is_quiet || age < millis(GIVEN_UP_AFTER) => {
                    let (channel, name) = (Arc::clone(channel), rules.name.clone());
                    self.busy.insert(name.clone());
                    self.deliveries.spawn(async move {
                        let result = channel.deliver(letter.id, &message, now).await;
                        Done { channel: name, letter: Some(letter), result }
                    });
                }
                Ok(message) => {
                    tracing::error!(
                        channel = rules.name,
                        title = message.title,
                        tries = letter.tries,
                        "a message is given up: it could not be delivered for a day"
                    );
                    self.end(&rules.name, letter.id, Fate::Expired);
                }
                Err(error) => {
                    tracing::error!(channel = rules.name, %error, "a message cannot be understood, and is given up");
                    self.end(&rules.name, letter.id, Fate::Refused);
                }
            }
        }
        Ok(())
    }

    /// Says again what lasts, where the other side forgets it otherwise.
    fn repeat(&mut self, channels: &Channels) {
        let now = self.now();
        let Some((_, desk)) = &self.desk else { return };
        for rules in channels.rules.iter() {
            let Some(channel) = channels.get(&rules.name).filter(|channel| channel.forgets()) else {
                continue;
            };
            let last = self.repeated.get(&rules.name).copied().unwrap_or(0);
            let is_due = !(0..REPOST_MS).contains(&now.saturating_sub(last));
            if !is_due || self.busy.contains(&rules.name) {
                continue;
            }
            let lasting: Vec<Message> = desk.told(&rules.name).cloned().collect();
            self.repeated.insert(rules.name.clone(), now);
            if lasting.is_empty() {
                continue;
            }
            let (channel, name) = (Arc::clone(channel), rules.name.clone());
            self.busy.insert(name.clone());
            self.deliveries.spawn(async move {
                let result = channel.repeat(&lasting, now).await.map(|()| Delivery::Done);
                Done { channel: name, letter: None, result }
            });
        }
    }

    fn note(&mut self, done: Done) {
        self.busy.remove(&done.channel);
        let channel = done.channel;
        match (done.result, done.letter) {
            (Ok(Delivery::Done), Some(letter)) => {
                self.quiet.remove(&letter.id);
                self.end(&channel, letter.id, Fate::Delivered);
            }
            (Ok(Delivery::Silenced(silence)), Some(letter)) => {
                let message = serde_json::from_str::<Message>(&letter.body).ok();
                let standing = message.filter(|message| self.still_stands(&channel, message));
                // Counted once, however often it is asked.
                if !self.quiet.contains_key(&letter.id) {
                    self.metrics.ended(&channel, Fate::Silenced, 1);
                    tracing::info!(
                        channel,
                        silence = silence.id,
                        by = silence.by,
                        comment = silence.comment,
                        waits = standing.is_some(),
                        "a message is not sent: a person has asked for quiet"
                    );
                }
                let mark = match standing {
                    Some(message) => {
                        self.quiet.insert(letter.id, (channel, message));
                        Mark::Due(self.now().saturating_add(millis(QUIET_AGAIN)))
                    }
                    None => {
                        self.quiet.remove(&letter.id);
                        Mark::Fate(Fate::Silenced)
                    }
                };
                self.marks.insert(letter.id, mark);
            }
            (Ok(_), None) => {}
            (Err(error), letter) => {
                let cause = &error as &dyn std::error::Error;
                match letter {
                    Some(letter) if !error.is_retryable() => {
                        tracing::error!(channel, error = cause, "a message is given up");
                        self.end(&channel, letter.id, Fate::Refused);
                    }
                    Some(letter) => {
                        self.metrics.failed(&channel);
                        let tries = letter.tries.saturating_add(1);
                        let wait = error.pause().unwrap_or_else(|| pause(tries, letter.id));
                        tracing::warn!(
                            channel,
                            error = cause,
                            tries,
                            again_in_s = wait.as_secs(),
                            "a message could not be delivered"
                        );
                        self.marks.insert(letter.id, Mark::Due(self.now().saturating_add(millis(wait))));
                    }
                    None => {
                        self.metrics.failed(&channel);
                        tracing::warn!(channel, error = cause, "what was said past the outbox was not heard");
                    }
                }
            }
        }
    }

    /// Lets go of what waits for the end of a silence, and is over, or has newer word behind it.
    fn let_go(&mut self) {
        let quiet = std::mem::take(&mut self.quiet);
        for (id, (channel, message)) in quiet {
            if self.still_stands(&channel, &message) || self.busy.contains(&channel) {
                self.quiet.insert(id, (channel, message));
            } else {
                self.marks.insert(id, Mark::Fate(Fate::Silenced));
            }
        }
    }

    /// Whether what a message tells lasts, and nothing newer was told of it.
    fn still_stands(&self, channel: &str, message: &Message) -> bool {
        let of = |message: &Message| (message.kind, message.at_unix_ms);
        let is_it = |told: &Message| told.key == message.key && of(told) == of(message);
        let desk = self.desk.as_ref().filter(|_| message.phase == Phase::Lasts);
        desk.is_some_and(|(_, desk)| desk.told(channel).any(is_it))
    }

    fn end(&mut self, channel: &str, id: u64, fate: Fate) {
        self.metrics.ended(channel, fate, 1);
        self.marks.insert(id, Mark::Fate(fate));
    }

    /// Writes the marks. Nothing is sent while one is missing, lest it be sent in every round.
    async fn write_marks(&mut self) -> Result<(), JournalError> {
        let now = self.now();
        for (id, mark) in self.marks.clone() {
            match mark {
                Mark::Fate(fate) => self.outbox.settle(id, fate, now).await?,
                Mark::Due(due_unix_ms) => self.outbox.put_off(id, due_unix_ms).await?,
            }
            self.marks.remove(&id);
        }
        Ok(())
    }

    fn now(&self) -> i64 {
        self.clock.now().unix_ms()
    }
}

/// The message that the journal takes nothing, or takes entries again. It is about the agent as a whole, so no routing
/// by service keeps it from anybody.
fn journal_lost(agent: &AgentName, phase: Phase, since: i64, now: i64) -> Option<Message> {
    let kind = if phase == Phase::Over { Kind::Over } else { Kind::JournalLost };
    let (title, happened) = match phase {
        Phase::Over => ("the journal takes entries again", "redrover decides and acts again."),
        Phase::Alone | Phase::Lasts | Phase::Acknowledged => (
            "the journal takes no entries: redrover does nothing",
            "Nothing that is decided can be written down, and without a durable record nothing is done.",
        ),
    };
    let todo = match phase {
        Phase::Over => "Nothing.",
        Phase::Alone | Phase::Lasts | Phase::Acknowledged => {
            "Look at the disk of this agent: it may be full, read-only or broken."
        }
    };
    Some(Message {
        key: format!("agent/{agent}/journal"),
        condition: "journal_lost".to_owned(),
        service: ServiceName::new("redrover").ok()?,
        datacenter: None,
        incident: None,
        kind,
        phase,
        level: Level::Critical,
        level_before: None,
        at_unix_ms: now,
        since_unix_ms: since,
        title: format!("{agent}: {title}"),
        happened: happened.to_owned(),
        why: Vec::new(),
        done: vec!["Nothing was moved.".to_owned()],
        todo: vec![todo.to_owned()],
        earlier: Vec::new(),
        held_back: 0,
    })
}

/// An error and its causes, in one line.
fn causes(error: &JournalError) -> String {
    let first: &dyn std::error::Error = error;
    let all = std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string);
    // A cause that is no more than the error around it is said once.
    let mut parts: Vec<String> = all.collect();
    parts.dedup();
    parts.join(": ")
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn written<T: serde::Serialize>(value: &T) -> String {
    // Maps with text keys, texts and numbers: nothing in it can fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn letter(addressed: Addressed) -> NewLetter {
    let message = addressed.message;
    NewLetter {
        channel: addressed.channel,
        key: message.key.clone(),
        rank: message.level as u8,
        made_unix_ms: message.at_unix_ms,
        body: written(&message),
    }
}
