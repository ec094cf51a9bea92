//! Every reason the house can give. One wording feeds log, label, journal, explanation and message.

use std::fmt;

use super::AlertLevel;
use crate::types::{AgentName, GapReason, SiteName};

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
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Control => "the cluster's API",
            Self::Client => "the query about applications",
        }
    }
}

impl Reason {
    /// Whether it leaves the active site above suspicion, and the record as it was.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        matches!(
            self,
            Self::ActiveServes
                | Self::AlertContradicted { .. }
                | Self::StandbyDown { .. }
                | Self::StandbyBehind { .. }
                | Self::LinkDown { .. }
                | Self::FailbackReady { .. }
                | Self::Slow { .. }
                | Self::ControlUnavailable { .. }
                | Self::SourceSilent { .. }
                | Self::Anomalous { .. }
                | Self::TtlDrift { .. }
                | Self::NoLeader
        )
    }

    /// Whether it says that somebody else changed the record or the fence.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::ForeignFence { .. } | Self::ForeignRecord { .. } | Self::DamagedFence { .. })
    }

    /// The reason as a label value.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::ActiveServes => "active_serves",
            Self::AlertContradicted { .. } => "alert_contradicted",
            Self::Confirming { .. } => "confirming",
            Self::BelowThreshold { .. } => "below_threshold",
            Self::Confirmed => "confirmed",
            Self::NotAdopted => "not_adopted",
            Self::UnfamiliarFence { .. } => "unfamiliar_fence",
            Self::ForeignFence { .. } => "foreign_fence",
            Self::ForeignRecord { .. } => "foreign_record",
            Self::DamagedFence { .. } => "damaged_fence",
            Self::RecordUnread { .. } => "record_unread",
            Self::Halted { .. } => "halted",
            Self::NotDurable => "not_durable",
            Self::Disturbed => "disturbed",
            Self::WarmingUp { .. } => "warming_up",
            Self::NoMajority { .. } => "no_majority",
            Self::Switching => "switching",
            Self::NoTarget { .. } => "no_target",
            Self::LagAbove { .. } => "lag_above",
            Self::LagUnknown => "lag_unknown",
            Self::NoCapacity => "no_capacity",
            Self::NoPromotion => "no_promotion",
            Self::Unfenceable { .. } => "unfenceable",
            Self::SilentSite { .. } => "silent_site",
            Self::FewVantages { .. } => "few_vantages",
            Self::Flapping { .. } => "flapping",
            Self::TooSoon { .. } => "too_soon",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::Paused => "paused",
            Self::NotLeading => "not_leading",
            Self::Mode { .. } => "mode",
            Self::StandbyDown { .. } => "standby_down",
            Self::ConfigFault { .. } => "config_fault",
            Self::SelfCheckFailed { .. } => "self_check_failed",
            Self::ClockOff { .. } => "clock_off",
            Self::Late { .. } => "late",
            Self::MassFailure { .. } => "mass_failure",
            Self::Maintenance { .. } => "maintenance",
            Self::DryRun => "dry_run",
            Self::NoLeader => "no_leader",
            Self::RecordRefused { .. } => "record_refused",
            Self::FellowActed { .. } => "fellow_acted",
            Self::FellowClaims { .. } => "fellow_claims",
            Self::Requested { .. } => "requested",
            Self::AlreadyThere { .. } => "already_there",
            Self::NotInStep { .. } => "not_in_step",
            Self::FailbackReady { .. } => "failback_ready",
            Self::Slow { .. } => "slow",
            Self::StandbyBehind { .. } => "standby_behind",
            Self::LinkDown { .. } => "link_down",
            Self::ControlUnavailable { .. } => "control_unavailable",
            Self::SourceSilent { .. } => "source_silent",
            Self::Anomalous { .. } => "anomalous",
            Self::TtlDrift { .. } => "ttl_drift",
        }
    }

    /// How loudly people must hear of it by itself, whatever the verdict is.
    #[must_use]
    pub fn level(&self) -> AlertLevel {
        match self {
            Self::StandbyDown { .. }
            | Self::ConfigFault { .. }
            | Self::UnfamiliarFence { .. }
            | Self::MassFailure { .. }
            | Self::LinkDown { .. }
            | Self::ControlUnavailable { .. } => AlertLevel::Page,
            // Refused credentials stay refused until a person mends them.
            Self::SourceSilent { gap, .. } if gap == GapReason::Auth.as_str() => AlertLevel::Page,
            Self::SourceSilent { .. }
            | Self::RecordUnread { .. }
            | Self::NoMajority { .. }
            | Self::Disturbed
            | Self::SelfCheckFailed { .. }
            | Self::ClockOff { .. }
            | Self::Late { .. }
            | Self::NoLeader
            | Self::NotInStep { .. }
            | Self::Slow { .. }
            | Self::StandbyBehind { .. }
            | Self::TtlDrift { .. } => AlertLevel::Warn,
            Self::AlertContradicted { .. }
            | Self::Anomalous { .. }
            | Self::FellowActed { .. }
            | Self::FellowClaims { .. }
            | Self::Requested { .. }
            | Self::AlreadyThere { .. }
            | Self::FailbackReady { .. } => AlertLevel::Info,
            // What the verdict itself says loudly enough, or what is no news.
            Self::ActiveServes
            | Self::Confirming { .. }
            | Self::BelowThreshold { .. }
            | Self::Confirmed
            | Self::NotAdopted
            | Self::ForeignFence { .. }
            | Self::ForeignRecord { .. }
            | Self::DamagedFence { .. }
            | Self::RecordRefused { .. }
            | Self::Halted { .. }
            | Self::NotDurable
            | Self::WarmingUp { .. }
            | Self::Switching
            | Self::NoTarget { .. }
            | Self::LagAbove { .. }
            | Self::LagUnknown
            | Self::NoCapacity
            | Self::NoPromotion
            | Self::Unfenceable { .. }
            | Self::SilentSite { .. }
            | Self::FewVantages { .. }
            | Self::Flapping { .. }
            | Self::TooSoon { .. }
            | Self::AttemptFailed { .. }
            | Self::Paused
            | Self::Maintenance { .. }
            | Self::DryRun
            | Self::NotLeading
            | Self::Mode { .. } => AlertLevel::None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ActiveServes => f.write_str("the active site serves"),
            Self::AlertContradicted { alerts } => {
                write!(
                    f,
                    "{alerts} alert(s) fire, but the active site serves: an alert is a reason to look, no more"
                )
            }
            Self::Confirming { seconds, seconds_needed, rounds, rounds_needed } => write!(
                f,
                "the active site fails for {seconds} s of {seconds_needed} s and {rounds} of {rounds_needed} rounds"
            ),
            Self::BelowThreshold { confidence, threshold } => {
                write!(f, "confidence {confidence:.3} is below {threshold:.2}")
            }
            Self::Confirmed => {
                f.write_str("the active site is down for the whole confirm window, and the target is fit")
            }
            Self::NotAdopted => f.write_str("no fence stands in DNS; run `redrover adopt` for this service"),
            Self::UnfamiliarFence { epoch } => write!(
                f,
                "the journal knows nothing of the fence in DNS (epoch {epoch}); observing until `redrover ack`"
            ),
            Self::ForeignFence { known, found } => {
                write!(
                    f,
                    "the fence is not as this agent left it (epoch {known}); found {found:?}; `redrover adopt` accepts the record as it stands"
                )
            }
            Self::ForeignRecord { found, active } => {
                write!(
                    f,
                    "the record holds {found:?}, which is not the target of the active site {active}; put it back, or `redrover adopt` it"
                )
            }
            Self::DamagedFence { detail } => write!(f, "the fence cannot be read: {detail}"),
            Self::RecordUnread { detail } => write!(f, "the record could not be read: {detail}"),
            Self::Halted { why } => {
                write!(f, "halted until a person has looked and runs `redrover ack`: {why}")
            }
            Self::NotDurable => f.write_str("the journal takes no entries: no durable record, no action"),
            Self::Disturbed => f.write_str("the clock jumped or the agent stood still; observing first"),
            Self::WarmingUp { seen, needed } => write!(f, "warming up: {seen} of {needed} rounds seen"),
            Self::NoMajority { down, configured } => {
                write!(f, "{down} of {configured} configured vantages see it down, which is no majority")
            }
            Self::Switching => f.write_str("a switch is under way"),
            Self::NoTarget { site: Some(site), detail } => {
                write!(f, "no standby is fit to take over; {site}: {detail}")
            }
            Self::NoTarget { site: None, detail } => write!(f, "no standby is fit to take over: {detail}"),
            Self::LagAbove { seconds, limit_seconds } => write!(
                f,
                "the target was {seconds:.1} s behind before the outage; the limit is {limit_seconds:.1} s"
            ),
            Self::LagUnknown => f.write_str("no lag was measured recently enough before the outage"),
            Self::NoCapacity => f.write_str("the target cannot hold the load, or its memory is unknown"),
            Self::NoPromotion => f.write_str("the topology needs a promotion, and none is configured"),
            Self::Unfenceable { site } => {
                write!(f, "the old primary at {site} can be neither paused nor proven gone")
            }
            Self::SilentSite { site } => write!(
                f,
                "all of {site} is silent and there are fewer than three vantages: a cut line would look the same"
            ),
            Self::FewVantages { configured } => write!(
                f,
                "automatic needs three vantages in different failure domains, there are {configured}"
            ),
            Self::Flapping { penalty } => write!(f, "too many switches lately (penalty {penalty:.0})"),
            Self::TooSoon { remaining_seconds } => {
                write!(f, "the last switch is too recent; {remaining_seconds} s remain, or `redrover ack`")
            }
            Self::AttemptFailed { why } => write!(f, "the last attempt was given up: {why}"),
            Self::Paused => f.write_str("paused by a person; `redrover resume` ends it"),
            Self::NotLeading => f.write_str("this agent does not lead"),
            Self::Mode { mode } => write!(f, "the mode is {}", mode.as_str()),
            Self::StandbyDown { site } => write!(f, "the standby {site} does not serve: redundancy is lost"),
            Self::ConfigFault { site, gap } => {
                write!(f, "{site} refuses this agent ({gap}): credentials, permissions or TLS need a person")
            }
            Self::SelfCheckFailed { checks } => {
                write!(f, "this agent does not reach {checks}: its own eyes may be the problem")
            }
            Self::ClockOff { seconds } => {
                write!(f, "this agent's clock differs by {seconds} s or more from those of most vantages")
            }
            Self::Late { seconds } => {
                write!(
                    f,
                    "a look took {seconds:.1} s, far beyond its deadline: this agent does not get to run"
                )
            }
            Self::MassFailure { down, total } => write!(
                f,
                "{down} of {total} services look down at once from here: the place may be the problem"
            ),
            Self::Maintenance { site: Some(site) } => write!(f, "{site} is in maintenance"),
            Self::Maintenance { site: None } => f.write_str("the service is in maintenance"),
            Self::DryRun => f.write_str("dry run: nothing is changed"),
            Self::NoLeader => f.write_str("nobody leads: without a leader nothing moves by itself"),
            Self::RecordRefused { detail } => write!(f, "the provider refuses the record: {detail}"),
            Self::FellowActed { owner, epoch, active } => {
                write!(f, "{owner} has written the fence (epoch {epoch}); {active} is active")
            }
            Self::FellowClaims { owner, to } => write!(f, "{owner} has claimed the fence to move to {to}"),
            Self::Requested { by, to } => write!(f, "{by} asked to move to {to}"),
            Self::AlreadyThere { site } => write!(f, "the name points to {site} already"),
            Self::NotInStep { site, seconds: Some(seconds) } => {
                write!(f, "{site} is {seconds:.1} s behind; a planned switch waits until it is in step")
            }
            Self::NotInStep { site, seconds: None } => {
                write!(f, "how far {site} is behind is not known; a planned switch needs to know")
            }
            Self::FailbackReady { site, healthy_seconds, lag_seconds } => write!(
                f,
                "{site} was active before, is healthy for {healthy_seconds} s and {lag_seconds:.1} s behind: \
                 a person may move back"
            ),
            Self::Slow { milliseconds, usual_milliseconds } => write!(
                f,
                "the active site answers in {milliseconds:.1} ms, usually in {usual_milliseconds:.1} ms"
            ),
            Self::StandbyBehind { site, seconds } => {
                write!(f, "the standby {site} is {seconds:.1} s behind: it could not take over")
            }
            Self::LinkDown { site } => {
                write!(f, "the standby {site} does not hear from the active site, which serves")
            }
            Self::ControlUnavailable { site, code } => {
                write!(f, "the cluster at {site} calls its database unavailable ({code})")
            }
            Self::SourceSilent { source, site: Some(site), gap } => {
                write!(f, "{} at {site} says nothing ({gap})", source.as_str())
            }
            Self::SourceSilent { source, site: None, gap } => {
                write!(f, "{} says nothing ({gap})", source.as_str())
            }
            Self::Anomalous { score } => {
                write!(f, "the anomaly score is {score:.2}, and the active site serves")
            }
            Self::TtlDrift { found_seconds, configured_seconds } => write!(
                f,
                "the record lives {found_seconds} s in caches instead of {configured_seconds} s: \
                 clients would follow a switch that late"
            ),
        }
    }
}
