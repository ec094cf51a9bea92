//! One worker for each service: it waits for the next reason to look, runs one cycle, and owns the service's switch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::analysis::analysis_settings;
use super::command::Wakers;
use super::cycle::Cause;
use super::flood::Flood;
use super::{Metrics, View};
use crate::act::{Hands, Pace, Permit, Refusal, Switch};
use crate::analyse::{Analyser, Settings};
use crate::config::{Agent, Config, Service};
use crate::decide::saga::Outcome;
use crate::decide::{Decision, Resume, State};
use crate::learn::Lessons;
use crate::monitor::{Peers, SignalBook};
use crate::store::{Body, Entry, JournalError, Kind, NewEntry, OperatorAction, Query, Story, Ticket};
use crate::types::{Moment, RecordView, ServiceName, SiteName, TargetName};

/// A switch that is under way may take so long to reach a safe place when the program stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// What the worker of a service needs to know of the configuration; replaced as a whole by a reload.
#[derive(Clone)]
pub struct Setup {
    /// The service.
    pub service: Arc<Service>,
    /// The ports.
    pub hands: Hands,
    /// The other vantages.
    pub peers: Arc<dyn Peers>,
    /// Which switches of this agent may go on.
    pub pace: Pace,
    /// Time from one round to the next.
    pub probe_interval: Duration,
    /// Deadline of one look at one target.
    pub probe_timeout: Duration,
    /// Who this agent is, and who the others are.
    pub agent: Arc<Agent>,
    /// How what is unusual is found.
    pub analysis: Settings,
    /// Who learns from what is seen; nobody in a simulation.
    pub lessons: Option<Lessons>,
}

impl Setup {
    /// Picks what concerns one service out of the configuration.
    #[must_use]
    pub fn new(
        config: &Config,
        service: Arc<Service>,
        hands: Hands,
        peers: Arc<dyn Peers>,
        pace: Pace,
    ) -> Self {
        Self {
            service,
            hands,
            peers,
            pace,
            probe_interval: config.global.probe_interval,
            probe_timeout: config.global.probe_timeout,
            agent: Arc::new(config.agent.clone()),
            analysis: analysis_settings(&config.analysis),
            lessons: None,
        }
    }

    /// Lets what is seen be learned from.
    #[must_use]
    pub fn taught(self, lessons: Lessons) -> Self {
        Self { lessons: Some(lessons), ..self }
    }
}

/// The worker of one service.
pub struct Worker {
    pub(super) setup: Setup,
    pub(super) view: View,
    pub(super) metrics: Metrics,
    pub(super) analyser: Analyser,
    pub(super) signals: SignalBook,
    pub(super) state: State,
    pub(super) story: Story,
    pub(super) record: Option<RecordView>,
    pub(super) last: Option<(u64, Arc<Decision>)>,
    /// When that was written, Unix milliseconds.
    pub(super) last_written: i64,
    /// No incident was open in the last round.
    pub(super) was_calm: bool,
    /// The targets that it told of as unlike their peers.
    pub(super) told_unlike: Vec<(SiteName, TargetName)>,
    /// What the log was told last: it is not told again in every round while the journal takes nothing.
    pub(super) announced: Option<Arc<Decision>>,
    pub(super) held: BTreeMap<SiteName, bool>,
    pub(super) is_durable: bool,
    /// The journal has told the story so far.
    is_informed: bool,
    flood: Flood,
    pub(super) switching_to: Option<SiteName>,
    switches: JoinSet<()>,
    setups: watch::Receiver<Setup>,
    /// The last round was broken off for a new configuration.
    has_begun_anew: bool,
    wake: Arc<Notify>,
}

impl Worker {
    /// A worker that knows its service's story so far, or will know it as soon as the journal can be read: until then it
    /// does nothing but look. New setups arrive by the watch.
    pub async fn load(setups: watch::Receiver<Setup>, wakers: &Wakers, view: View, metrics: Metrics) -> Self {
        let setup = setups.borrow().clone();
        let name = setup.service.name.clone();
        let analysis = setup.analysis.clone();
        metrics.expect(&name);
        let mut worker = Self {
            wake: wakers.join(&name),
            setup,
            view,
            metrics,
            analyser: Analyser::new(analysis),
            signals: SignalBook::default(),
            state: State::default(),
            story: Story::default(),
            record: None,
            last: None,
            announced: None,
            last_written: 0,
            was_calm: false,
            told_unlike: Vec::new(),
            held: BTreeMap::new(),
            is_durable: true,
            is_informed: false,
            flood: Flood::default(),
            switching_to: None,
            switches: JoinSet::new(),
            setups,
            has_begun_anew: false,
        };
        if let Err(error) = worker.inform().await {
            worker.lost_journal(&error);
        }
        worker
    }

    /// Learns from the journal what a worker must know before it decides anything.
    pub(super) async fn inform(&mut self) -> Result<(), JournalError> {
        if self.is_informed {
            return Ok(());
        }
        // Orders of the past were heard by the worker of that time.
        let _ = self.catch_up(STORY_KINDS.to_vec()).await?;
        let newest = Query {
            service: Some(self.name().clone()),
            kinds: vec![Kind::Decided],
            is_newest_first: true,
            limit: 1,
            ..Query::default()
        };
        let mut resume = Resume::default();
        for entry in self.setup.hands.journal.read(newest).await? {
            self.story.tell(&entry);
            resume = resumption(&entry, self.setup.hands.clock.now());
        }
        self.state = State::resumed(resume);
        self.is_informed = true;
        Ok(())
    }

    /// Looks and decides until cancelled; then lets a switch under way reach its end, within a limit.
    pub async fn run(mut self, cancelled: CancellationToken) {
        let mut ticks = self.ticks();
        let mut has_looked_once_more = false;
        loop {
            // Once between two rounds, whatever the clock says meanwhile.
            let window_full = if has_looked_once_more { None } else { self.window_full() };
            let cause = tokio::select! {
                // In this order, so that a run can be repeated. What is rare comes first: rounds that take longer than the
                // interval leave a tick waiting each time.
                biased;
                () = cancelled.cancelled() => break,
                changed = self.setups.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let setup = self.setups.borrow_and_update().clone();
                    self.follow(setup);
                    ticks = self.ticks();
                    continue;
                }
                Some(_) = self.switches.join_next(), if !self.switches.is_empty() => {
                    self.switching_to = None;
                    self.record = None;
                    Cause::SwitchEnded
                }
                _ = ticks.tick() => {
                    has_looked_once_more = false;
                    Cause::Timer
                }
                () = self.wake.notified() => Cause::Notification,
                () = tokio::time::sleep(window_full.unwrap_or_default()), if window_full.is_some() => {
                    has_looked_once_more = true;
                    Cause::Timer
                }
            };
            self.cycle(cause).await;
        }
        if tokio::time::timeout(DRAIN_LIMIT, async { while self.switches.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::warn!(service = %self.name(), "stopping in the middle of a switch; the next start goes on with it");
        }
        // Whoever goes on with the switch must be the only one.
        self.switches.shutdown().await;
        self.view.withdraw(self.name());
    }

    /// When to look once more between two rounds: a window that becomes full right after a round would otherwise cost the
    /// whole time to the next one.
    fn window_full(&self) -> Option<Duration> {
        let now = self.setup.hands.clock.now();
        let left = self.state.window_left(&self.setup.service, now)?;
        (left < self.setup.probe_interval && self.switching_to.is_none()).then_some(left)
    }

    pub(super) fn name(&self) -> &ServiceName {
        &self.setup.service.name
    }

    fn ticks(&self) -> tokio::time::Interval {
        let mut ticks = tokio::time::interval(self.setup.probe_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    /// Tells the story what the journal holds since the last read, and the log what people have ordered since.
    pub(super) async fn read_story(&mut self, kinds: Vec<Kind>) -> Result<(), JournalError> {
        let dropped = self.story.dropped;
        for (order, by) in self.catch_up(kinds).await? {
            tracing::info!(service = %self.name(), %order, by, "a person's order was read");
        }
        let dropped = self.story.dropped.saturating_sub(dropped);
        self.metrics.dropped(&self.setup.service.name, dropped);
        self.flood.note(&self.setup.service.name, &self.story, dropped);
        Ok(())
    }

    /// Tells the story what the journal holds since the last read; returns what people have ordered, and who.
    async fn catch_up(&mut self, kinds: Vec<Kind>) -> Result<Vec<(OperatorAction, String)>, JournalError> {
        let mut orders = Vec::new();
        loop {
            let query = Query {
                service: Some(self.name().clone()),
                kinds: kinds.clone(),
                after: self.story.seq,
                ..Query::default()
            };
            let entries = self.setup.hands.journal.read(query).await?;
            let is_last = entries.len() < Query::LIMIT_MAX;
            let epoch = self.story.epoch;
            entries.iter().for_each(|entry| self.story.tell(entry));
            if self.story.epoch != epoch {
                // Somebody wrote the fence: what was read of the record before is too old.
                self.record = None;
            }
            orders.extend(entries.into_iter().filter_map(|entry| order(entry.body)));
            if is_last {
                return Ok(orders);
            }
        }
    }

    /// Goes on with a new configuration. A switch under way has heard of it already.
    fn follow(&mut self, setup: Setup) {
        self.analyser.configure(setup.analysis.clone());
        self.setup = setup;
        self.record = None;
    }

    /// Whether a new configuration waits, and this round should not decide by the old one. Reloads that follow one another
    /// faster than rounds do not keep it from deciding at all.
    pub(super) fn must_begin_anew(&mut self) -> bool {
        let is_outdated = self.setups.has_changed().unwrap_or(false);
        self.has_begun_anew = is_outdated && !self.has_begun_anew;
        self.has_begun_anew
    }

    /// Whether any service of this agent is being switched.
    pub(super) fn is_any_switching(&self) -> bool {
        self.switching_to.is_some() || self.setup.pace.is_busy()
    }

    /// Carries out a ticketed plan beside the cycles.
    pub(super) fn begin_switch(&mut self, ticket: Ticket) {
        let setup = self.setup.clone();
        self.switching_to = Some(ticket.plan().to.clone());
        self.switches.spawn(async move {
            let turn = setup.pace.turn().await;
            let hands = &setup.hands;
            let decision = ticket.plan().decision.clone();
            let granted = match hands.election.standing().term(hands.clock.now()) {
                Some(term) => Permit::grant(ticket, term, hands).await,
                None => Err(Refusal::NotLeading),
            };
            let ended = match granted {
                Ok(permit) => Switch::run(hands, &setup.service, &setup.agent, permit, turn).await,
                Err(refusal) => refuse(&setup, &decision, &refusal).await.map(Some),
            };
            report(&setup, &decision, ended);
        });
    }

    /// Goes on with a switch that a restart, or a lost journal, interrupted.
    pub(super) fn resume_switch(&mut self) {
        let Some(unfinished) = self.story.unfinished.clone() else { return };
        let setup = self.setup.clone();
        self.switching_to = Some(unfinished.plan.to.clone());
        self.switches.spawn(async move {
            let decision = unfinished.plan.decision.clone();
            let ended = Switch::resume(&setup.hands, &setup.service, &setup.agent, &unfinished).await;
            report(&setup, &decision, ended);
        });
    }
}

/// The kinds that make up the story; decisions are read one by one.
pub(super) const STORY_KINDS: [Kind; 10] = [
    Kind::Adopted,
    Kind::Notified,
    Kind::Ticketed,
    Kind::Stepped,
    Kind::Ended,
    Kind::Halted,
    Kind::Ordered,
    Kind::Observed,
    Kind::Closed,
    Kind::Remembered,
];

fn order(body: Body) -> Option<(OperatorAction, String)> {
    if let Body::Ordered { action, by } = body { Some((action, by)) } else { None }
}

/// What the last decision before a restart leaves behind.
fn resumption(entry: &Entry, now: Moment) -> Resume {
    let Body::Decided { decision, .. } = &entry.body else { return Resume::default() };
    let away = u64::try_from(now.unix_ms().saturating_sub(entry.last_unix_ms)).unwrap_or(0);
    Resume::after(decision, Duration::from_millis(away))
}

/// Writes down that a ticketed plan was not permitted.
async fn refuse(setup: &Setup, decision: &str, refusal: &Refusal) -> Result<Outcome, JournalError> {
    let outcome = Outcome::Abandoned { why: refusal.to_string() };
    let body = Body::Ended { decision: decision.to_owned(), outcome: outcome.clone(), epoch: None };
    let (at_unix_ms, service) = (setup.hands.clock.now().unix_ms(), setup.service.name.clone());
    setup.hands.journal.append(vec![NewEntry { at_unix_ms, service, incident: None, body }]).await?;
    Ok(outcome)
}

fn report(setup: &Setup, decision: &str, ended: Result<Option<Outcome>, JournalError>) {
    let service = &setup.service.name;
    match ended {
        Ok(Some(outcome)) if outcome.halts() => {
            tracing::error!(%service, decision, %outcome, "the switch needs a person: run `redrover explain`");
        }
        Ok(Some(outcome @ Outcome::Abandoned { .. })) => {
            tracing::error!(%service, decision, %outcome, "the switch was given up");
        }
        Ok(Some(outcome)) => tracing::info!(%service, decision, %outcome, "the switch ended"),
        Ok(None) => {
            tracing::warn!(%service, decision, "the record cannot be read; the switch stays unfinished")
        }
        Err(error) => tracing::error!(%service, decision, error = &error as &dyn std::error::Error,
            "the journal takes no entries; the switch stays unfinished"),
    }
}
