//! From the outbox to the channels, and what became of each letter.

use std::sync::Arc;
use std::time::Duration;

use super::{Courier, millis};
use crate::act::notify::backoff::{GIVEN_UP_AFTER, pause};
use crate::act::notify::channel::{Channels, Delivery, DeliveryError, REPOST_MS};
use crate::act::notify::message::{Message, Phase};
use crate::store::{Fate, JournalError, Letter};

/// A message about what lasts waits out a silence; so often it is asked whether that is over.
const QUIET_AGAIN: Duration = Duration::from_secs(30);

/// What became of one delivery.
pub(super) struct Done {
    pub(super) channel: String,
    /// Absent for what was only said once more.
    pub(super) letter: Option<Letter>,
    pub(super) result: Result<Delivery, DeliveryError>,
}

/// A mark that must still be written beside a letter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Fate(Fate),
    Due(i64),
}

impl Courier {
    /// Begins the next delivery of every channel that is not busy.
    pub(super) async fn send(&mut self, channels: &Channels) -> Result<(), JournalError> {
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
    pub(super) fn repeat(&mut self, channels: &Channels) {
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

    pub(super) fn note(&mut self, done: Done) {
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
    pub(super) async fn write_marks(&mut self) -> Result<(), JournalError> {
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
}
