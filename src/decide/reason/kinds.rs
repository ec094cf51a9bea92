//! Every reason the house can give, as data.

use crate::types::{AgentName, SiteName};

/// Why a verdict is what it is, or what stands against acting.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// The active site serves.
    ActiveServes,
    /// Alerts fire, yet the active site serves: the alert only led to a look.
    AlertContradicted {
        /// How many alerts fire.
        alerts: usize,
    },
    /// The active site fails, and the confirm window is not full.
    Confirming {
        /// Seconds of continuous failure.
        seconds: u64,
        /// Seconds the window needs.
        seconds_needed: u64,
        /// Consecutive failing rounds.
        rounds: u32,
        /// Rounds the window needs.
        rounds_needed: u32,
    },
    /// The confidence does not reach a threshold.
    BelowThreshold {
        /// The confidence or potential.
        confidence: f64,
        /// The threshold.
        threshold: f64,
    },
    /// Everything a failover needs is there.
    Confirmed,
    /// The service has no fence: nobody has adopted it.
    NotAdopted,
    /// The journal knows nothing of the fence that stands in DNS.
    UnfamiliarFence {
        /// The fence's epoch.
        epoch: u64,
    },
    /// The fence is not the one this agent wrote or saw last.
    ForeignFence {
        /// The epoch the journal knows.
        known: u64,
        /// What stands in DNS.
        found: String,
    },
    /// The record does not point to the active site.
    ForeignRecord {
        /// The value found.
        found: String,
        /// The site the fence calls active.
        active: String,
    },
    /// The two zones of the record do not hold the same.
    ZonesApart {
        /// What the public zone holds.
        public: String,
        /// What the private zone holds.
        private: String,
    },
    /// A person adopts the service: the fence is there, its entry in the journal is not yet.
    Adopting {
        /// The fence's epoch.
        epoch: u64,
    },
    /// The fence cannot be read.
    DamagedFence {
        /// What is wrong with it.
        detail: String,
    },
    /// The provider could not be asked.
    RecordUnread {
        /// The provider's words.
        detail: String,
    },
    /// The service is halted until a person acknowledges.
    Halted {
        /// What happened.
        why: String,
    },
    /// The journal does not take entries: no durable record, no action.
    NotDurable,
    /// The clock jumped or the agent stood still; it observes first.
    Disturbed,
    /// Too few rounds were seen since the start.
    WarmingUp {
        /// Rounds seen.
        seen: u32,
        /// Rounds needed.
        needed: u32,
    },
    /// Fewer than a majority of the configured vantages see the site down.
    NoMajority {
        /// Votes for down.
        down: usize,
        /// Configured vantages.
        configured: usize,
    },
    /// A switch is under way.
    Switching,
    /// No standby has just passed every mandatory check.
    NoTarget {
        /// The best standby, if there is any.
        site: Option<SiteName>,
        /// What is wrong with it.
        detail: String,
    },
    /// The last known lag is too large.
    LagAbove {
        /// Seconds.
        seconds: f64,
        /// The limit.
        limit_seconds: f64,
    },
    /// No lag was measured recently enough before the outage.
    LagUnknown,
    /// The target cannot hold the load.
    NoCapacity,
    /// The topology needs a promotion that is not configured.
    NoPromotion,
    /// The old primary could be neither paused nor proven gone.
    Unfenceable {
        /// The old primary's site.
        site: SiteName,
    },
    /// Fewer than three vantages, and the whole site is silent: a cut line would look the same.
    SilentSite {
        /// The silent site.
        site: SiteName,
    },
    /// Fewer than three vantages in different failure domains, and the configuration does not accept that.
    FewVantages {
        /// Configured vantages.
        configured: usize,
    },
    /// Too many switches lately.
    Flapping {
        /// The present penalty.
        penalty: f64,
    },
    /// The last switch is too recent.
    TooSoon {
        /// Seconds until the interval is over.
        remaining_seconds: u64,
    },
    /// The last attempt was abandoned a moment ago.
    AttemptFailed {
        /// Why.
        why: String,
    },
    /// A person has paused the service.
    Paused,
    /// This agent does not lead.
    NotLeading,
    /// The service's mode allows no more.
    Mode {
        /// The mode.
        mode: crate::config::Mode,
    },
    /// A standby does not serve: redundancy is lost.
    StandbyDown {
        /// The standby.
        site: SiteName,
    },
    /// This agent's credentials or TLS are refused: an answer, not an outage.
    ConfigFault {
        /// The site.
        site: SiteName,
        /// The class of the fault.
        gap: String,
    },
    /// What this agent must reach does not answer: its own eyes are the problem.
    SelfCheckFailed {
        /// The checks that failed.
        checks: String,
    },
    /// This agent's wall clock differs from those of most vantages.
    ClockOff {
        /// By at least so many seconds.
        seconds: u64,
    },
    /// This agent's looks ended long after their deadline: it is starved.
    Late {
        /// The longest look, seconds.
        seconds: f64,
    },
    /// Many services look down at once, from this place.
    MassFailure {
        /// Services whose active site is seen down.
        down: usize,
        /// Services watched.
        total: usize,
    },
    /// A person has put it into maintenance.
    Maintenance {
        /// The site; `None` is the whole service.
        site: Option<SiteName>,
    },
    /// A person has silenced the alerts about the service's incidents in Alertmanager.
    Silenced {
        /// The silence.
        id: String,
        /// Who asked for it.
        by: String,
        /// Why.
        comment: String,
    },
    /// The service only rehearses.
    DryRun,
    /// Nobody leads, as far as this agent can tell.
    NoLeader,
    /// The provider says that the zone or the name is wrong.
    RecordRefused {
        /// The provider's words.
        detail: String,
    },
    /// Another agent has moved the record.
    FellowActed {
        /// The agent.
        owner: AgentName,
        /// The epoch of its fence.
        epoch: u64,
        /// The site it made, or left, active.
        active: SiteName,
    },
    /// Another agent has claimed the fence and is about to switch.
    FellowClaims {
        /// The agent.
        owner: AgentName,
        /// Where to.
        to: SiteName,
    },
    /// A person asked for the switch.
    Requested {
        /// Who.
        by: String,
        /// Where to.
        to: SiteName,
    },
    /// A person asked for a switch to where the name points already.
    AlreadyThere {
        /// The site.
        site: SiteName,
    },
    /// A planned switch waits for a target that is in step.
    NotInStep {
        /// The target.
        site: SiteName,
        /// How far it is behind, seconds; `None` when that is not known.
        seconds: Option<f64>,
    },
    /// A person asked for the way back to a site that no switch has left last.
    NotLeft {
        /// The site.
        site: SiteName,
    },
    /// A person asked for the way back to a site that is not stable for long enough.
    NotStable {
        /// The site.
        site: SiteName,
        /// Since so many seconds it is fit.
        seconds: u64,
        /// So many are asked for.
        needed_seconds: u64,
    },
    /// The old active site is back, stable and in step: a person may move back.
    FailbackReady {
        /// The site.
        site: SiteName,
        /// Since so many seconds it is healthy.
        healthy_seconds: u64,
        /// How far it is behind, seconds.
        lag_seconds: f64,
    },
    /// The active site answers slower than it usually does.
    Slow {
        /// Milliseconds.
        milliseconds: f64,
        /// What it usually takes, milliseconds.
        usual_milliseconds: f64,
    },
    /// A standby is far behind, or has lost its link, while the active site serves.
    StandbyBehind {
        /// The standby.
        site: SiteName,
        /// Seconds.
        seconds: f64,
    },
    /// A standby no longer hears from the active site, which serves.
    LinkDown {
        /// The standby.
        site: SiteName,
    },
    /// The control plane of a site calls its database unavailable.
    ControlUnavailable {
        /// The site.
        site: SiteName,
        /// The control plane's code.
        code: String,
    },
    /// A configured source says nothing.
    SourceSilent {
        /// The source.
        source: Source,
        /// The site it speaks of, where it speaks of one.
        site: Option<SiteName>,
        /// The class of the fault.
        gap: String,
    },
    /// The anomaly score is high.
    Anomalous {
        /// The score.
        score: f64,
    },
    /// The record's time to live is not the configured one.
    TtlDrift {
        /// What the record has, seconds.
        found_seconds: u32,
        /// What is configured, seconds.
        configured_seconds: u32,
    },
}

/// A configured source of evidence that may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A cluster's control plane.
    Control,
    /// The query about applications.
    Client,
    /// Alertmanager, about its silences.
    Silences,
}

impl Source {
    /// The source as a word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Client => "client",
            Self::Silences => "silences",
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Control => "the cluster's API",
            Self::Client => "the query about applications",
            Self::Silences => "Alertmanager, asked for silences,",
        }
    }
}
