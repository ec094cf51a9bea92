//! From what the journal holds since the last round to letters in the outbox.

use std::time::Duration;

use super::trouble::journal_lost;
use super::{Courier, ENTRIES_MAX, millis, written};
use crate::act::notify::channel::Channels;
use crate::act::notify::desk::Addressed;
use crate::act::notify::message::Phase;
use crate::store::{Fate, Journal as _, JournalError, NewLetter, Query};

/// The journal is asked at least so often whether it takes anything.
const WRITE_EVERY: Duration = Duration::from_secs(30);

impl Courier {
    /// Makes messages of what the journal holds since the last round, and puts them into the outbox.
    pub(super) async fn follow(&mut self, channels: &Channels) -> Result<(), JournalError> {
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
