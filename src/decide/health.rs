//! From one site's snapshot to a judgement: how badly it fails, and whether something there still answers.

use std::time::Duration;

use super::terms::is_unreachable;
use crate::config::Policy;
use crate::types::{CanaryResult, Check, Gap, GapReason, Ratio, Role, Snapshot, TargetSnapshot};

/// From this severity on a site counts as down; also the least severity of a partial loss.
pub const DOWN_SEVERITY: f64 = 0.6;
/// The greatest severity of mere slowness.
const SLOW_SEVERITY_MAX: f64 = 0.5;
/// Share of the deadline from which an answer counts as slow.
const SLOW_FROM: f64 = 0.25;

/// The state of a site, for people and for `redrover_health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It serves.
    Healthy,
    /// It serves, badly.
    Degraded,
    /// It fails, not yet for the whole confirm window.
    Failing,
    /// It has failed for the whole confirm window.
    Failed,
    /// It could not be judged.
    Unknown,
}

impl Health {
    /// All states, in order.
    pub const ALL: [Self; 5] = [Self::Healthy, Self::Degraded, Self::Failing, Self::Failed, Self::Unknown];

    /// The state as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether a failing site still gives a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// Something there answers: a reset, an error, or another address.
    Answers,
    /// Nothing there answers: a dead site and a cut line look the same.
    Silent,
}

/// What a site has to do at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Take reads and writes.
    Serve,
    /// Be there: a replica that waits to be promoted.
    Stand,
}

/// What one agent makes of one site.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// How badly it fails; `None` when this agent cannot say.
    pub severity: Option<Ratio>,
    /// Signs of life.
    pub sight: Sight,
    /// The worst target's gap, for the explanation.
    pub gap: Option<Gap>,
    /// Whether all else in its datacenter is silent too; `None` when there is nothing else to look at.
    pub is_domain_silent: Option<bool>,
}

impl Judgement {
    /// Whether the site counts as down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.severity.is_some_and(|s| s.get() >= DOWN_SEVERITY)
    }
}

/// What one look is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Lens<'a> {
    /// Caps and budgets.
    pub policy: &'a Policy,
    /// The deadline of the look.
    pub probe_timeout: Duration,
    /// How long the site has been loading already.
    pub loading_for: Duration,
    /// Names resolve at this agent, so one that does not is the site's fault.
    pub resolves: bool,
    /// Whether each vantage in the site's failure domain answered.
    pub vantages_there: &'a [bool],
}

/// Judges a site by its duty.
///
/// The severity of a site with several targets is the mean over them, at least [`DOWN_SEVERITY`] when any of them is
/// down.
#[must_use]
pub fn judge(snapshot: &Snapshot, duty: Duty, lens: &Lens<'_>) -> Judgement {
    let judged: Vec<(Option<Ratio>, Option<&Gap>)> =
        snapshot.targets.iter().map(|t| target(t, duty, lens)).collect();
    let worst = judged.iter().filter(|(s, _)| s.is_some()).max_by(|a, b| severity(a).total_cmp(&severity(b)));
    let known: Vec<f64> = judged.iter().filter_map(|(s, _)| s.map(Ratio::get)).collect();
    let severity = if known.len() < judged.len() || known.is_empty() {
        // A target that this agent cannot judge leaves the site unjudged: missing is never down.
        None
    } else {
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let any_down = known.iter().any(|s| *s >= DOWN_SEVERITY);
        Some(Ratio::clamped(if any_down { mean.max(DOWN_SEVERITY) } else { mean }))
    };
    let is_domain_silent = domain_silence(&snapshot.domain, lens);
    let answers = snapshot.targets.iter().any(|t| is_sign_of_life(t.ping.as_ref().err()))
        || snapshot.control.as_ref().is_some_and(|c| is_sign_of_life(c.as_ref().err()))
        || is_domain_silent == Some(false);
    Judgement {
        severity,
        sight: if answers { Sight::Answers } else { Sight::Silent },
        gap: worst.and_then(|(_, gap)| (*gap).cloned()),
        is_domain_silent,
    }
}

/// Whether everything else in the datacenter is silent. A name that cannot be resolved here says nothing.
fn domain_silence(checks: &[Check], lens: &Lens<'_>) -> Option<bool> {
    let of_check = |check: &Check| match &check.result {
        Err(gap) if gap.reason == GapReason::Dns && !lens.resolves => None,
        result => Some(!is_sign_of_life(result.as_ref().err())),
    };
    let of_vantages = lens.vantages_there.iter().map(|answered| !answered);
    checks.iter().filter_map(of_check).chain(of_vantages).reduce(|all, silent| all && silent)
}

/// Whether something else at the site answers; `None` where nothing else is looked at.
///
/// A refused connection proves that a process is gone only if its host is there to refuse it: a device on the way refuses
/// just as well, and the process behind it goes on taking writes.
#[must_use]
pub fn answers_beside(seen: &Snapshot) -> Option<bool> {
    let control = seen.control.as_ref().map(|said| match said {
        Ok(_) => true,
        Err(gap) => is_sign_of_life(Some(gap)) && !is_unreachable(gap.reason),
    });
    let checks = seen.domain.iter().map(|check| check.result.is_ok());
    control.into_iter().chain(checks).reduce(|any, answers| any || answers)
}

fn severity((severity, _): &(Option<Ratio>, Option<&Gap>)) -> f64 {
    severity.map_or(0.0, Ratio::get)
}

fn target<'a>(seen: &'a TargetSnapshot, duty: Duty, lens: &Lens<'_>) -> (Option<Ratio>, Option<&'a Gap>) {
    let eta = seen.facts.as_ref().ok().and_then(|f| f.loading_eta);
    let round_trip = match &seen.ping {
        Err(gap) => return (of_gap(gap.reason, lens, eta), Some(gap)),
        Ok(round_trip) => *round_trip,
    };
    let is_replica = seen.facts.as_ref().is_ok_and(|f| f.role == Some(Role::Replica));
    let slow = of_latency(round_trip, lens.probe_timeout);
    match &seen.canary {
        _ if duty == Duty::Stand => (Some(slow), None),
        CanaryResult::Failed(gap) => (of_gap(gap.reason, lens, eta), Some(gap)),
        CanaryResult::Written(took) => (Some(slow.max(of_latency(*took, lens.probe_timeout))), None),
        // A primary that says it is a replica takes no writes, canary or not.
        CanaryResult::NotAsked if is_replica => (Some(Ratio::ONE), None),
        CanaryResult::NotAsked => (Some(slow), None),
    }
}

/// The severity of a gap at a site that must serve; `None` where the gap says something about the agent instead.
fn of_gap(reason: GapReason, lens: &Lens<'_>, eta: Option<Duration>) -> Option<Ratio> {
    let budget = lens.policy.loading_budget;
    let is_back_soon = lens.loading_for < budget && eta.is_none_or(|left| left < budget);
    match reason {
        GapReason::Refused
        | GapReason::Reset
        | GapReason::Closed
        | GapReason::Unreachable
        | GapReason::ConnectTimeout
        | GapReason::Timeout
        | GapReason::Readonly
        | GapReason::Misconf
        | GapReason::Oom
        | GapReason::Masterdown
        | GapReason::Clusterdown
        | GapReason::Busy
        | GapReason::Noreplicas
        | GapReason::Mismatch => Some(Ratio::ONE),
        // Made by people, mended in seconds: enough to recommend, never to act.
        GapReason::Auth | GapReason::Permission | GapReason::Tls => {
            Some(lens.policy.config_error_severity_cap)
        }
        GapReason::Loading if is_back_soon => Some(Ratio::ZERO),
        GapReason::Loading => Some(Ratio::ONE),
        // The clients that are connected are still served.
        GapReason::Maxclients => Some(Ratio::clamped(SLOW_SEVERITY_MAX)),
        GapReason::Protocol | GapReason::ErrorReply => Some(Ratio::clamped(DOWN_SEVERITY)),
        // Where other names resolve, the fault is the name's: clients follow the same name and get nowhere either.
        GapReason::Dns if lens.resolves => Some(Ratio::ONE),
        GapReason::Dns | GapReason::NotAsked => None,
    }
}

fn of_latency(took: Duration, deadline: Duration) -> Ratio {
    let share = took.as_secs_f64() / deadline.as_secs_f64().max(f64::MIN_POSITIVE);
    Ratio::clamped((share - SLOW_FROM) / (1.0 - SLOW_FROM)) * Ratio::clamped(SLOW_SEVERITY_MAX)
}

/// A reset or any answer proves that the host lives; silence proves nothing.
pub(super) fn is_sign_of_life(gap: Option<&Gap>) -> bool {
    match gap.map(|gap| gap.reason) {
        None => true,
        Some(
            GapReason::Unreachable
            | GapReason::ConnectTimeout
            | GapReason::Timeout
            | GapReason::Dns
            | GapReason::NotAsked,
        ) => false,
        Some(
            GapReason::Refused
            | GapReason::Reset
            | GapReason::Closed
            | GapReason::Tls
            | GapReason::Auth
            | GapReason::Permission
            | GapReason::Loading
            | GapReason::Readonly
            | GapReason::Misconf
            | GapReason::Oom
            | GapReason::Masterdown
            | GapReason::Clusterdown
            | GapReason::Busy
            | GapReason::Noreplicas
            | GapReason::Maxclients
            | GapReason::Mismatch
            | GapReason::Protocol
            | GapReason::ErrorReply,
        ) => true,
    }
}
