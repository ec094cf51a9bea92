//! One target of the exporter: what to ask it, over which connection, and what it has refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::blocked::{Blocked, Why};
use super::command::{Command, Pipeline};
use super::error::ScrapeError;
use super::families::samples;
use super::keys::{Plan, Seen, Walk, Walked};
use super::link::{Answers, Link};
use super::reading::{Asked, EVERY_PARAMETER, Reading, WatchedRow};
use super::resp::Reply;
use crate::config::{Exporter as Wants, KeyCheck, Target};
use crate::monitor::catalog::{CATALOG, Names, asked, house};
use crate::monitor::exposition::Page;
use crate::monitor::info::InfoReply;
use crate::monitor::login::password;
use crate::monitor::socket::{Ends, Farewell, open};
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{Clock, Moment};

/// Scrapes of one target at the same time; a target that hangs holds no more connections than this.
pub(super) const SCRAPES_MAX: usize = 4;
/// Primaries of one Sentinel that are looked at.
const WATCHED_MAX: usize = 64;
/// Parameters that are asked for one by one, where not all of them are wanted.
const PARAMETERS: [&str; 6] =
    ["databases", "maxclients", "maxmemory", "io-threads", "repl-backlog-size", "client-output-buffer-limit"];
/// All sections of INFO; an older server answers it with nothing.
const EVERYTHING: &str = "everything";

/// Whether a scrape may use the connection of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connections {
    /// It may, and connects where there is none.
    #[default]
    Kept,
    /// It connects: each scrape proves that connecting works.
    Fresh,
}

/// One target.
pub(super) struct Prober {
    target: Target,
    profiles: Arc<TlsProfiles>,
    clock: Arc<dyn Clock>,
    connections: Connections,
    permits: Semaphore,
    kept: Mutex<Option<Link>>,
    memory: Mutex<Memory>,
}

/// What was learned about the server.
#[derive(Debug, Default)]
struct Memory {
    blocked: Blocked,
    is_cluster: bool,
    is_sentinel: bool,
    knows_no_everything: bool,
}

impl Prober {
    /// A prober that connects at its first scrape.
    ///
    /// # Errors
    /// The target's TLS files cannot be used.
    pub fn new(
        target: Target,
        profiles: &Arc<TlsProfiles>,
        clock: Arc<dyn Clock>,
        connections: Connections,
    ) -> Result<Self, TlsError> {
        // Files that are wrong from the start are the operator's to hear of; they are read again at each connection.
        profiles.identity(&target)?;
        let (permits, profiles) = (Semaphore::new(SCRAPES_MAX), Arc::clone(profiles));
        Ok(Self {
            target,
            profiles,
            clock,
            connections,
            permits,
            kept: Mutex::default(),
            memory: Mutex::default(),
        })
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Asks everything and writes the page of it, before the deadline.
    pub async fn scrape(&self, order: &Order<'_>, deadline: Duration, page: &mut Page) {
        let began = self.clock.now();
        let ends = Ends { end: Instant::now() + deadline, deadline };
        let mut connect = Duration::ZERO;
        let seen = self.look(order, &mut connect, ends, page).await;
        let error = match &seen {
            Ok(()) => "",
            Err(error) => {
                let gap = error.gap();
                tracing::debug!(target_name = %self.target.name, detail = gap.detail, "a scrape saw nothing");
                gap.reason.as_str()
            }
        };
        const NONE: [(&str, &str); 0] = [];
        let is_failed = f64::from(u8::from(seen.is_err()));
        page.family(&house::UP, [(NONE, 1.0 - is_failed)]);
        page.family(&asked::LAST_SCRAPE_ERROR, [([("err", error)], is_failed)]);
        let elapsed = self.clock.now().since(began);
        page.family(&asked::LAST_SCRAPE_DURATION, [(NONE, elapsed.as_secs_f64())]);
        page.family(&asked::LAST_SCRAPE_CONNECT, [(NONE, connect.as_secs_f64())]);
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let blocked = memory
            .blocked
            .iter()
            .map(|(command, why)| ([("command", command.as_str()), ("reason", why.as_str())], 1.0));
        page.family(&asked::BLOCKED, blocked);
    }

    async fn look(
        &self,
        order: &Order<'_>,
        connect: &mut Duration,
        ends: Ends,
        page: &mut Page,
    ) -> Result<(), ScrapeError> {
        let late = |_| ScrapeError::Timeout { deadline: ends.deadline };
        let permit = timeout_at(ends.end, self.permits.acquire()).await.map_err(late)?;
        let pipeline = self.first_pipeline(order.wants);
        let (mut link, first) = self.exchange_timed(&pipeline, connect, ends).await?;
        let mut replies = first.replies()?.into_iter();
        let (info, mut asked) = match info_of(replies.next())? {
            Some(info) => (info, join(&pipeline, replies)),
            None => (self.plain_info(&mut link, ends).await?, join(&pipeline, replies)),
        };
        self.remember(&info);
        let more = self.second_pipeline(&pipeline, &info, order.wants);
        let second = match more.count() {
            0 => None,
            count => Some(link.exchange(more.bytes(), count, ends).await?),
        };
        if let Some(answers) = &second {
            asked.extend(join_all(&more, answers.replies()?.into_iter()));
        }
        self.note_refusals(&asked);
        let keys = self.walk(link, order, &info, ends).await;
        drop(permit);
        let reading = Reading { info: &info, asked: &asked, keys: &keys, now: self.clock.now() };
        for spec in CATALOG.iter().filter(|spec| order.names.have(spec)) {
            let mut block = page.block(spec);
            samples(&reading, spec, &mut |ending, labels, value| {
                block.sample(ending, labels.iter().copied(), value);
            });
        }
        Ok(())
    }

    /// Looks at the keys that are asked for, and keeps the connection where it may be used again.
    async fn walk(&self, mut link: Link, order: &Order<'_>, info: &InfoReply, ends: Ends) -> Seen {
        let Some(plan) = Plan::new(&order.wants.keys, order.checks, info) else {
            self.keep(link);
            return Seen::default();
        };
        let now = self.clock.now();
        let blocked = self.memory.lock().unwrap_or_else(PoisonError::into_inner).blocked.clone();
        let Walked { seen, outcomes, is_link_whole } =
            Walk::new(&mut link, &plan, ends, (blocked, now)).run().await;
        if is_link_whole {
            self.keep(link);
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        for (command, outcome) in outcomes {
            match outcome {
                Some(why) => self.note_refusal(&mut memory.blocked, command, why, now),
                None => memory.blocked.clear(command),
            }
        }
        seen
    }

    /// INFO first, and what is asked of every server.
    fn first_pipeline(&self, wants: &Wants) -> Pipeline {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let mut pipeline = Pipeline::default();
        pipeline.ask(Command::Info, if memory.knows_no_everything { "" } else { EVERYTHING });
        if memory.is_sentinel {
            return pipeline;
        }
        let parameters = if wants.parameters { &[EVERY_PARAMETER][..] } else { &PARAMETERS[..] };
        let others =
            [Command::SlowlogLen, Command::SlowlogGet, Command::LatencyLatest, Command::LatencyHistogram];
        let cluster = memory.is_cluster.then_some((Command::ClusterInfo, ""));
        let all = parameters.iter().map(|name| (Command::ConfigGet, *name));
        for (command, argument) in all.chain(others.map(|command| (command, ""))).chain(cluster) {
            if memory.blocked.may_ask(command, now) {
                pipeline.ask(command, argument);
            }
        }
        pipeline
    }

    /// What only INFO shows to be worth asking.
    fn second_pipeline(&self, first: &Pipeline, info: &InfoReply, wants: &Wants) -> Pipeline {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let mut pipeline = Pipeline::default();
        let mut ask = |command, argument: &str| {
            if memory.blocked.may_ask(command, now) {
                pipeline.ask(command, argument);
            }
        };
        if memory.is_sentinel {
            ask(Command::SentinelMasters, "");
            for name in WatchedRow::all(info).filter_map(|row| row.part("name")).take(WATCHED_MAX) {
                ask(Command::SentinelReplicas, name);
                ask(Command::SentinelSentinels, name);
                ask(Command::SentinelQuorum, name);
            }
            return pipeline;
        }
        if memory.is_cluster && !first.asked().iter().any(|(command, _)| *command == Command::ClusterInfo) {
            ask(Command::ClusterInfo, "");
        }
        // The list is as long as there are clients, and Redis stands still while it writes it.
        let clients = info.count("connected_clients").unwrap_or(u64::MAX);
        if wants.clients_max > 0 && clients <= u64::from(wants.clients_max) {
            ask(Command::ClientList, "");
        }
        pipeline
    }

    /// Over the kept connection, or over a new one where there is none, or where the server has closed it.
    pub(super) async fn exchange(
        &self,
        pipeline: &Pipeline,
        ends: Ends,
    ) -> Result<(Link, Answers), ScrapeError> {
        let mut connect = Duration::ZERO;
        self.exchange_timed(pipeline, &mut connect, ends).await
    }

    /// Keeps a connection that all went well over.
    pub(super) fn keep(&self, link: Link) {
        if self.connections == Connections::Kept {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
        }
    }

    /// As [`Self::exchange`], and tells how long connecting took.
    async fn exchange_timed(
        &self,
        pipeline: &Pipeline,
        connect: &mut Duration,
        ends: Ends,
    ) -> Result<(Link, Answers), ScrapeError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut link) = kept {
            match link.exchange(pipeline.bytes(), pipeline.count(), ends).await {
                Ok(answers) => return Ok((link, answers)),
                // The server closed an idle connection: that is no news about the server.
                Err(ScrapeError::Lost { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let began = self.clock.now();
        let tls = self.profiles.identity(&self.target).map_err(|source| ScrapeError::Papers { source })?;
        let stream = open(&self.target.address, tls.as_ref(), ends, Farewell::Finish).await;
        let mut link = Link::new(stream.map_err(|source| ScrapeError::Open { source })?);
        *connect = self.clock.now().since(began);
        let Some(password) = password(&self.target, ends).await else {
            let answers = link.exchange(pipeline.bytes(), pipeline.count(), ends).await?;
            return Ok((link, answers));
        };
        let mut login = Pipeline::default();
        login.auth(self.target.username.as_deref(), password.expose());
        let bytes = [login.bytes(), pipeline.bytes()].concat();
        let mut answers = link.exchange(&bytes, 1 + pipeline.count(), ends).await?;
        if let Reply::Error(line) = answers.take_first()? {
            return Err(ScrapeError::auth(line));
        }
        Ok((link, answers))
    }

    /// Plain INFO, for a server that does not know the section of everything.
    async fn plain_info(&self, link: &mut Link, ends: Ends) -> Result<InfoReply, ScrapeError> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).knows_no_everything = true;
        let mut pipeline = Pipeline::default();
        pipeline.ask(Command::Info, "");
        let answers = link.exchange(pipeline.bytes(), pipeline.count(), ends).await?;
        match answers.replies()?.into_iter().next() {
            Some(Reply::Text(bytes)) => {
                InfoReply::parse(bytes).map_err(|source| ScrapeError::Info { source })
            }
            Some(Reply::Error(line)) => Err(ScrapeError::refused(line)),
            Some(Reply::Number(_) | Reply::Nil | Reply::List(_)) | None => Err(ScrapeError::no_info()),
        }
    }

    fn remember(&self, info: &InfoReply) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.is_cluster = info.get("cluster_enabled") == Some("1");
        memory.is_sentinel = info.get("redis_mode") == Some("sentinel");
    }

    /// Remembers which commands the server does not let this user run, and says so once.
    fn note_refusals(&self, asked: &[Asked<'_>]) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        for one in asked {
            let Reply::Error(line) = one.reply else {
                memory.blocked.clear(one.command);
                continue;
            };
            // A Sentinel that is met for the first time knows little of what it was asked.
            if memory.is_sentinel && !one.command.is_of_sentinel() {
                continue;
            }
            if let Some(why) = Why::of_error(line) {
                self.note_refusal(&mut memory.blocked, one.command, why, now);
            }
        }
    }

    fn note_refusal(&self, blocked: &mut Blocked, command: Command, why: Why, now: Moment) {
        if blocked.note(command, why, now) {
            tracing::info!(
                target_name = %self.target.name,
                command = command.as_str(),
                reason = why.as_str(),
                "the server does not let this command run; it is left out, and tried again in an hour"
            );
        }
    }
}

/// What one scrape wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// What the configuration wants.
    pub wants: &'a Wants,
    /// What the caller wants to know of keys beside it.
    pub checks: &'a [KeyCheck],
    /// Which names the page has.
    pub names: Names,
}

/// The answer to INFO; `None` where the server does not know the section.
fn info_of(reply: Option<Reply<'_>>) -> Result<Option<InfoReply>, ScrapeError> {
    match reply {
        Some(Reply::Text(b"")) => Ok(None),
        // A proxy answers an unknown section with an error.
        Some(Reply::Error(line)) if line.starts_with(b"ERR ") => Ok(None),
        Some(Reply::Error(line)) => Err(ScrapeError::refused(line)),
        Some(Reply::Text(bytes)) => {
            InfoReply::parse(bytes).map(Some).map_err(|source| ScrapeError::Info { source })
        }
        Some(Reply::Number(_) | Reply::Nil | Reply::List(_)) | None => Err(ScrapeError::no_info()),
    }
}

/// The answers after that to INFO, and what they answer.
fn join<'a>(pipeline: &'a Pipeline, replies: impl Iterator<Item = Reply<'a>>) -> Vec<Asked<'a>> {
    let asked = pipeline.asked().iter().skip(1).zip(replies);
    asked.map(|((command, argument), reply)| Asked { command: *command, argument, reply }).collect()
}

/// All answers, and what they answer.
fn join_all<'a>(
    pipeline: &'a Pipeline,
    replies: impl Iterator<Item = Reply<'a>>,
) -> impl Iterator<Item = Asked<'a>> {
    let asked = pipeline.asked().iter().zip(replies);
    asked.map(|((command, argument), reply)| Asked { command: *command, argument, reply })
}
