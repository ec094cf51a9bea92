//! What a service's decisions remember from round to round.

use std::collections::VecDeque;
use std::time::Duration;

use super::decision::Decision;
use super::evidence::Evidence;
use super::health::{Judgement, Sight};
use super::incident::IncidentState;
use super::lags::{KnownLag, Lags};
use super::latency::Latency;
use super::terms::has_lost_link;
use super::watch::Watch;
use crate::config::Service;
use crate::types::{GapReason, Guard, Moment, SiteName, Snapshot};

/// Looks remembered for the success ratio.
const HISTORY_MAX: usize = 240;
/// Rounds that must be seen before anything may move: with fewer, stability cannot be told from luck.
pub(super) const WARM_UP_ROUNDS: u32 = 25;
/// Wall and monotonic clock may drift apart by so much between two rounds.
const CLOCK_JUMP_MAX: Duration = Duration::from_secs(2);
/// So long the agent only observes after a clock jump or a standstill.
const DISTURBED_FOR: Duration = Duration::from_secs(30);
/// A round may be so many intervals late before the agent counts as having stood still,
const STANDSTILL_INTERVALS: u32 = 4;
/// and so long more, which a provider that does not answer may cost the round.
const STANDSTILL_GRACE: Duration = Duration::from_secs(5);

/// What survives a restart: a hint for the first rounds, taken from the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resume {
    /// The incident that was open.
    pub incident: Option<String>,
    /// The lags that were known, with their ages as of now, or as of the moment when the outage that was seen began.
    pub lags: Vec<KnownLag>,
}

impl Resume {
    /// What a decision leaves behind for whoever goes on so much later. Where no outage had begun by then, it may have
    /// begun right after: the lags are as old as the time that passed since.
    #[must_use]
    pub fn after(decision: &Decision, away: Duration) -> Self {
        let more = if decision.is_outage { 0.0 } else { away.as_secs_f64() };
        let older = |lag: &KnownLag| KnownLag { age_seconds: lag.age_seconds + more, ..lag.clone() };
        Self { incident: decision.incident.clone(), lags: decision.lags.iter().map(older).collect() }
    }
}

/// The memory of one service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    last: Option<Moment>,
    counted: Option<Moment>,
    is_round: bool,
    active: Option<SiteName>,
    rounds: u32,
    disturbed_until: Option<Duration>,
    sites: Vec<SiteState>,
    lags: Lags,
    is_suppressed: bool,
    /// The epoch of another agent's claim, and when it was first seen.
    claim: Option<(u64, Moment)>,
    pub(super) incident: IncidentState,
    pub(super) watch: Watch,
    pub(super) decisions: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct SiteState {
    name: SiteName,
    successes: VecDeque<bool>,
    loading_since: Option<Moment>,
    down_since: Option<Moment>,
    down_rounds: u32,
    was_silent: bool,
    /// Since when it is fit for what it has to do, without a break.
    healthy_since: Option<Moment>,
    /// Rounds in a row in which it said that it does not hear from the active site.
    link_down_rounds: u32,
    latency: Latency,
}

impl SiteState {
    fn new(name: &SiteName) -> Self {
        Self {
            name: name.clone(),
            successes: VecDeque::new(),
            loading_since: None,
            down_since: None,
            down_rounds: 0,
            was_silent: false,
            healthy_since: None,
            link_down_rounds: 0,
            latency: Latency::default(),
        }
    }
}

impl State {
    /// A state that continues an open incident.
    #[must_use]
    pub fn resumed(resume: Resume) -> Self {
        Self {
            incident: IncidentState::resumed(resume.incident),
            lags: Lags::inherit(resume.lags),
            ..Self::default()
        }
    }

    /// Notes that a round begins: clocks are compared, and after a jump or a standstill all windows start anew.
    pub(super) fn begin(&mut self, evidence: &Evidence, now: Moment) {
        if let Some(last) = self.last {
            let mono = now.mono.saturating_sub(last.mono);
            let wall = now.wall.abs_diff(last.wall);
            let went_back = now.wall < last.wall || now.mono < last.mono;
            let stood_still = mono
                > evidence.probe_interval * STANDSTILL_INTERVALS + evidence.probe_timeout + STANDSTILL_GRACE;
            if went_back || mono.abs_diff(wall) > CLOCK_JUMP_MAX || stood_still {
                self.disturbed_until = Some(now.mono.saturating_add(DISTURBED_FOR));
                for site in &mut self.sites {
                    site.down_since = None;
                    site.down_rounds = 0;
                }
            }
        }
        self.last = Some(now);
        // A burst of notifications makes many looks, but no more rounds than the time that passed allows.
        let since = self.counted.map_or(Duration::MAX, |counted| now.since(counted));
        self.is_round = since >= evidence.probe_interval / 2;
        if self.is_round {
            self.counted = Some(now);
            self.rounds = self.rounds.saturating_add(1);
        }
        for snapshot in &evidence.snapshots {
            self.note_look(snapshot, now);
        }
    }

    fn note_look(&mut self, snapshot: &Snapshot, now: Moment) {
        let is_loading = snapshot.targets.iter().any(|t| {
            t.facts.as_ref().is_ok_and(|f| f.loading == Some(true))
                || t.ping.as_ref().is_err_and(|gap| gap.reason == GapReason::Loading)
        });
        let succeeded = snapshot.targets.iter().all(|t| t.ping.is_ok());
        let site = self.site_mut(&snapshot.site);
        site.loading_since = if is_loading { site.loading_since.or(Some(now)) } else { None };
        site.successes.push_back(succeeded);
        if site.successes.len() > HISTORY_MAX {
            site.successes.pop_front();
        }
    }

    fn site_mut(&mut self, name: &SiteName) -> &mut SiteState {
        let place = self.sites.iter().position(|s| s.name == *name).unwrap_or_else(|| {
            self.sites.push(SiteState::new(name));
            self.sites.len() - 1
        });
        &mut self.sites[place]
    }

    fn site(&self, name: &SiteName) -> Option<&SiteState> {
        self.sites.iter().find(|s| s.name == *name)
    }

    /// Notes whether a site is down by majority. One other answer resets the window; so does not knowing.
    pub(super) fn note_verdict(&mut self, site: &SiteName, is_down: bool, sight: Sight, now: Moment) {
        let is_round = self.is_round;
        let state = self.site_mut(site);
        let is_silent = sight == Sight::Silent;
        // A sign of life after silence begins another kind of outage, with its own, shorter window.
        let begins = state.down_since.is_none() || (state.was_silent && !is_silent);
        state.was_silent = is_silent;
        if is_down && begins {
            state.down_since = Some(now);
            state.down_rounds = 1;
        } else if is_down {
            state.down_rounds = state.down_rounds.saturating_add(u32::from(is_round));
        } else {
            state.down_since = None;
            state.down_rounds = 0;
        }
    }

    /// Notes whether a site is fit for what it has to do, and how fast it answers.
    pub(super) fn note_health(
        &mut self,
        site: &SiteName,
        judgement: &Judgement,
        seen: &Snapshot,
        now: Moment,
    ) {
        let is_round = self.is_round;
        let is_fit = judgement.severity.is_some() && !judgement.is_down() && judgement.gap.is_none();
        let slowest = seen.targets.iter().filter_map(|t| t.ping.as_ref().ok()).max().copied();
        let has_lost_link = has_lost_link(seen);
        let state = self.site_mut(site);
        let rounds = state.link_down_rounds.saturating_add(u32::from(is_round));
        state.link_down_rounds = if has_lost_link { rounds } else { 0 };
        state.healthy_since = if is_fit { state.healthy_since.or(Some(now)) } else { None };
        if let Some(took) = slowest.filter(|_| is_round && is_fit) {
            state.latency.note(took);
        }
    }

    /// How long a site has been fit without a break.
    pub(super) fn healthy_for(&self, site: &SiteName, now: Moment) -> Option<Duration> {
        self.site(site).and_then(|s| s.healthy_since).map(|since| now.since(since))
    }

    /// For how many rounds in a row a site has said that it does not hear from the active one.
    pub(super) fn link_down_rounds(&self, site: &SiteName) -> u32 {
        self.site(site).map_or(0, |s| s.link_down_rounds)
    }

    /// How long a site takes to answer and what it usually takes, while that is conspicuous for `rounds` rounds.
    pub(super) fn slowness(&self, site: &SiteName, rounds: u32) -> Option<(Duration, Duration)> {
        self.site(site)?.latency.conspicuous(rounds)
    }

    /// How long another agent's claim has stood, as seen from here.
    pub(super) fn claim_age(&mut self, epoch: u64, now: Moment) -> Duration {
        match self.claim {
            Some((seen, since)) if seen == epoch => now.since(since),
            Some(_) | None => {
                self.claim = Some((epoch, now));
                Duration::ZERO
            }
        }
    }

    /// Whether the active site was ever read from the fence.
    pub(super) fn has_active(&self) -> bool {
        self.active.is_some()
    }

    /// How long a site has been down without a break, and over how many rounds.
    pub(super) fn down_for(&self, site: &SiteName, now: Moment) -> (Duration, u32) {
        self.site(site).map_or((Duration::ZERO, 0), |s| {
            (s.down_since.map_or(Duration::ZERO, |since| now.since(since)), s.down_rounds)
        })
    }

    /// How long it takes until the active site has been down for as long as its window is, if nothing changes. `None`
    /// while it is not down, once the window is full, and while more rounds are missing than one.
    #[must_use]
    pub fn window_left(&self, service: &Service, now: Moment) -> Option<Duration> {
        let site = self.site(self.active.as_ref()?)?;
        let policy = &service.policy;
        let window = if site.was_silent { policy.isolation_confirm } else { policy.confirm_window };
        let left = window.checked_sub(now.since(site.down_since?)).filter(|left| !left.is_zero());
        left.filter(|_| site.down_rounds.saturating_add(1) >= policy.confirm_rounds)
    }

    /// How long a site has been loading.
    pub(super) fn loading_for(&self, site: &SiteName, now: Moment) -> Duration {
        self.site(site).and_then(|s| s.loading_since).map_or(Duration::ZERO, |since| now.since(since))
    }

    /// How many of the remembered looks at a site succeeded, and how many there are.
    pub(super) fn successes(&self, site: &SiteName) -> (u32, u32) {
        self.site(site).map_or((0, 0), |s| {
            let good = s.successes.iter().filter(|ok| **ok).count();
            (u32::try_from(good).unwrap_or(u32::MAX), u32::try_from(s.successes.len()).unwrap_or(u32::MAX))
        })
    }

    /// The active site: what the fence says, or what it said last while it cannot be read.
    pub(super) fn active(&mut self, fence: Option<SiteName>, is_read: bool) -> Option<SiteName> {
        if is_read {
            self.active.clone_from(&fence);
        }
        self.active.clone()
    }

    /// Rounds seen since the start.
    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Whether the agent only observes after a clock jump or a standstill.
    pub(super) fn is_disturbed(&self, now: Moment) -> bool {
        self.disturbed_until.is_some_and(|until| now.mono < until)
    }

    /// Memory the active site used when it was last seen, bytes.
    pub(super) fn active_memory_bytes(&self) -> Option<u64> {
        self.lags.active_memory_bytes()
    }

    /// Flap suppression with hysteresis: starts at `suppress`, ends below `reuse`.
    pub(super) fn suppress(&mut self, penalty: f64, suppress: f64, reuse: f64) -> bool {
        self.is_suppressed = if self.is_suppressed { penalty >= reuse } else { penalty >= suppress };
        self.is_suppressed
    }

    /// Notes how far the standbys are behind.
    pub(super) fn note_lags(&mut self, active: &SiteName, evidence: &Evidence, now: Moment) {
        if self.down_for(active, now).1 == 0 {
            self.lags.take_reports(active, evidence, now);
        }
        self.lags.measure(active, evidence, now);
    }

    /// When the outage of the active site began; now, while there is none. A site that loads takes no writes, so nothing
    /// is lost from there on, although it is not down yet.
    fn outage_began(&self, now: Moment) -> Moment {
        let site = self.active.as_ref().and_then(|active| self.site(active));
        let signs = site.map_or([None; 2], |s| [s.down_since, s.loading_since]);
        signs.into_iter().flatten().min_by_key(|m| m.mono).unwrap_or(now)
    }

    /// The last known lag of a standby, if it was measured recently enough before the outage of the active site
    /// began (before now, while there is none).
    pub(super) fn known_lag(&self, standby: &SiteName, age_max: Duration, now: Moment) -> Option<Duration> {
        let (lag, age) = self.lags.last(standby, self.outage_began(now))?;
        (age <= age_max || !Guard::Freshness.stands()).then_some(lag)
    }

    /// All known lags, for the journal.
    pub(super) fn lags(&self, now: Moment) -> Vec<KnownLag> {
        self.lags.known(self.outage_began(now))
    }
}
