//! The walk through a server's keys: batch by batch, so that it serves others in between, and not beyond its time.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::super::blocked::{Blocked, Why};
use super::super::command::{Command, Pipeline};
use super::super::link::{Answers, Link};
use super::super::resp::Reply;
use super::details::Missing;
use super::groups::Tally;
use super::labels::label;
use super::plan::{Plan, Tasks};
use super::seen::Seen;
use crate::config::KeyCheckKind;
use crate::monitor::socket::Ends;
use crate::types::Moment;

/// Keys whose details are asked for at once.
pub(super) const KEYS_MAX: usize = 500;

/// A walk that is under way.
pub(in crate::monitor::exporter) struct Walk<'w> {
    pub(super) plan: &'w Plan<'w>,
    pub(super) seen: Seen,
    link: &'w mut Link,
    ends: Ends,
    /// No batch begins later.
    last_start: Instant,
    blocked: Blocked,
    now: Moment,
    outcomes: BTreeMap<Command, Option<Why>>,
    is_complete: bool,
}

/// What came of a walk.
pub(in crate::monitor::exporter) struct Walked {
    /// What was seen.
    pub seen: Seen,
    /// The commands that were answered, and those that were refused for good.
    pub outcomes: BTreeMap<Command, Option<Why>>,
    /// Whether the connection may be used again.
    pub is_link_whole: bool,
}

/// Why something was not looked at.
pub(super) enum Stop {
    /// The server would not; the rest is looked at.
    Refused,
    /// The time is up.
    Late,
    /// The connection is of no use any more.
    Lost,
}

/// What SCAN searches for.
#[derive(Default)]
struct Search<'s> {
    pattern: Option<&'s str>,
    kind: Option<&'s str>,
}

/// A part of what SCAN found.
struct Found {
    /// Where to go on; `None` at the end.
    next: Option<Vec<u8>>,
    keys: Vec<Vec<u8>>,
}

impl<'w> Walk<'w> {
    /// A walk that ends when three quarters of the time until `ends` are over.
    pub fn new(link: &'w mut Link, plan: &'w Plan<'w>, ends: Ends, known: (Blocked, Moment)) -> Self {
        let (blocked, now) = known;
        let began = Instant::now();
        let last_start = began + ends.end.saturating_duration_since(began) * 3 / 4;
        let (seen, outcomes) = (Seen::default(), BTreeMap::new());
        Self { plan, seen, link, ends, last_start, blocked, now, outcomes, is_complete: true }
    }

    /// Looks at everything that the plan names, for which there is time.
    pub async fn run(mut self) -> Walked {
        let end = self.everything().await;
        self.seen.is_complete = Some(self.is_complete && end.is_ok());
        let is_link_whole = !matches!(end, Err(Stop::Lost));
        Walked { seen: self.seen, outcomes: self.outcomes, is_link_whole }
    }

    async fn everything(&mut self) -> Result<(), Stop> {
        if self.plan.is_cluster_replica {
            let done = self.ask_one(Command::Readonly, &[]).await;
            self.tolerate(done)?;
        }
        let plan = self.plan;
        for (database, tasks) in &plan.databases {
            let done = self.database(*database, tasks).await;
            self.tolerate(done)?;
        }
        Ok(())
    }

    async fn database(&mut self, database: u32, tasks: &Tasks<'_>) -> Result<(), Stop> {
        if self.link.database != database {
            self.ask_one(Command::Select, &[database.to_string().as_bytes()]).await?;
            self.link.database = database;
        }
        for (kind, pattern) in &tasks.checks {
            let one = [pattern.as_bytes().to_vec()];
            let done = match kind {
                KeyCheckKind::Key => self.look_at_keys(database, &one, Missing::Empty).await,
                KeyCheckKind::Keys => self.find_keys(database, pattern).await,
                KeyCheckKind::Count => self.count(database, pattern).await,
                KeyCheckKind::Stream => self.look_at_streams(database, &one).await,
                KeyCheckKind::Streams => self.find_streams(database, pattern).await,
            };
            self.tolerate(done)?;
        }
        if tasks.groups { self.count_groups(database).await } else { Ok(()) }
    }

    async fn find_keys(&mut self, database: u32, pattern: &str) -> Result<(), Stop> {
        let search = Search { pattern: Some(pattern), ..Search::default() };
        let mut from = Some(b"0".to_vec());
        while let Some(cursor) = from {
            let found = self.scan(&search, &cursor).await?;
            let new = |key: &Vec<u8>| !self.seen.keys.contains_key(&(database, label(key)));
            let mut keys: Vec<_> = found.keys.into_iter().filter(new).collect();
            keys.truncate(self.room_for(keys.len(), self.seen.keys.len())?);
            self.look_at_keys(database, &keys, Missing::Gone).await?;
            from = found.next;
        }
        Ok(())
    }

    async fn find_streams(&mut self, database: u32, pattern: &str) -> Result<(), Stop> {
        let search = Search { pattern: Some(pattern), kind: Some("stream") };
        let mut from = Some(b"0".to_vec());
        while let Some(cursor) = from {
            let found = self.scan(&search, &cursor).await?;
            let new = |key: &Vec<u8>| !self.seen.streams.contains_key(&(database, label(key)));
            let mut keys: Vec<_> = found.keys.into_iter().filter(new).collect();
            keys.truncate(self.room_for(keys.len(), self.seen.streams.len())?);
            self.look_at_streams(database, &keys).await?;
            from = found.next;
        }
        Ok(())
    }

    /// How many of so many more there is room for; where there is none, the search has an end.
    fn room_for(&mut self, more: usize, present: usize) -> Result<usize, Stop> {
        let room = self.plan.keys.series_max.saturating_sub(present);
        if more > room {
            self.is_complete = false;
        }
        if more > 0 && room == 0 { Err(Stop::Refused) } else { Ok(more.min(room)) }
    }

    async fn count(&mut self, database: u32, pattern: &str) -> Result<(), Stop> {
        let search = Search { pattern: Some(pattern), ..Search::default() };
        let (mut from, mut count) = (Some(b"0".to_vec()), 0);
        while let Some(cursor) = from {
            let found = self.scan(&search, &cursor).await?;
            count += found.keys.len() as u64;
            from = found.next;
        }
        // Only a whole number is told: a part of it would look like a loss of keys.
        self.seen.counts.insert((database, label(pattern.as_bytes())), count);
        Ok(())
    }

    async fn count_groups(&mut self, database: u32) -> Result<(), Stop> {
        let began = Instant::now();
        let mut tally = Tally::new(&self.plan.keys.groups);
        let mut from = Some(b"0".to_vec());
        while let Some(cursor) = from {
            let found = self.scan(&Search::default(), &cursor).await?;
            for keys in found.keys.chunks(KEYS_MAX) {
                let memory = self.memory_of(keys).await?;
                keys.iter().zip(memory).for_each(|(key, bytes)| tally.add(key, bytes));
            }
            from = found.next;
        }
        let (distinct, rows) = tally.finish(self.plan.keys.groups_max);
        self.seen.distinct.insert(database, distinct);
        self.seen.groups.extend(rows.into_iter().map(|(name, row)| ((database, name), row)));
        *self.seen.groups_took.get_or_insert_default() += began.elapsed();
        Ok(())
    }

    async fn scan(&mut self, search: &Search<'_>, cursor: &[u8]) -> Result<Found, Stop> {
        let batch = self.plan.keys.batch.to_string();
        let mut words = vec![cursor, b"COUNT", batch.as_bytes()];
        for (word, value) in [("MATCH", search.pattern), ("TYPE", search.kind)] {
            if let Some(value) = value {
                words.extend([word.as_bytes(), value.as_bytes()]);
            }
        }
        let answers = self.ask_one(Command::Scan, &words).await?;
        let replies = answers.replies().map_err(|_| Stop::Lost)?;
        let [Reply::Text(next), Reply::List(keys)] = replies.first().map(Reply::items).unwrap_or_default()
        else {
            return Err(Stop::Refused);
        };
        let bytes = |key: &Reply<'_>| match key {
            Reply::Text(key) => Some(key.to_vec()),
            Reply::Error(_) | Reply::Number(_) | Reply::Nil | Reply::List(_) => None,
        };
        let next = (*next != b"0").then(|| next.to_vec());
        Ok(Found { next, keys: keys.iter().filter_map(bytes).collect() })
    }

    /// Asks one thing, which must not be answered with an error.
    async fn ask_one(&mut self, command: Command, words: &[&[u8]]) -> Result<Answers, Stop> {
        if !self.may(command) {
            return Err(Stop::Refused);
        }
        let mut batch = Pipeline::default();
        batch.ask_all(command, words);
        let answers = self.ask(&batch).await?;
        let is_answered = {
            let replies = answers.replies().map_err(|_| Stop::Lost)?;
            replies.first().is_some_and(|reply| self.note(command, reply))
        };
        if is_answered { Ok(answers) } else { Err(Stop::Refused) }
    }

    /// Sends a batch and reads its answers.
    pub(super) async fn ask(&mut self, batch: &Pipeline) -> Result<Answers, Stop> {
        if Instant::now() >= self.last_start {
            return Err(Stop::Late);
        }
        let answers = self.link.exchange(batch.bytes(), batch.count(), self.ends).await;
        answers.map_err(|error| {
            tracing::debug!(detail = error.gap().detail, "the walk through the keys was cut short");
            Stop::Lost
        })
    }

    /// Whether a command is worth asking.
    pub(super) fn may(&self, command: Command) -> bool {
        self.blocked.may_ask(command, self.now)
    }

    /// Notes what an answer says of its command; whether it is one.
    pub(super) fn note(&mut self, command: Command, reply: &Reply<'_>) -> bool {
        let Reply::Error(line) = reply else {
            self.outcomes.entry(command).or_insert(None);
            return true;
        };
        if let Some(why) = Why::of_key_error(line) {
            self.blocked.note(command, why, self.now);
            self.outcomes.insert(command, Some(why));
        }
        // What lives at another node of the cluster is not missing here.
        if !line.starts_with(b"MOVED ") {
            self.is_complete = false;
        }
        false
    }

    /// Notes that something was left out.
    pub(super) fn leave_out(&mut self) {
        self.is_complete = false;
    }

    fn tolerate<T>(&mut self, done: Result<T, Stop>) -> Result<(), Stop> {
        match done {
            Ok(_) => Ok(()),
            Err(Stop::Refused) => {
                self.is_complete = false;
                Ok(())
            }
            Err(stop @ (Stop::Late | Stop::Lost)) => Err(stop),
        }
    }
}
