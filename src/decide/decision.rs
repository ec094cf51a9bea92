//! What comes out: a verdict with its reasons, and for a failover the plan. Only this folder can make a plan.

use std::collections::BTreeSet;

use super::{Closing, Comparison, Confidence, Health, KnownLag, Reason, Recovery, TargetFitness, Veto};
use crate::types::{Fence, Moment, RecordState, ServiceName, SiteName, Vote};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing.
    Hold,
    /// A person should switch.
    Recommend,
    /// Switch.
    Failover,
    /// Nothing at all, until a person has looked.
    Halt,
}

impl Verdict {
    /// All verdicts, in order of their rank; halt stands apart.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Recommend, Self::Failover, Self::Halt];

    /// The verdict as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Recommend => "recommend",
            Self::Failover => "failover",
            Self::Halt => "halt",
        }
    }
}

/// How loudly people must hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertLevel {
    /// Not at all.
    None,
    /// In the log.
    Info,
    /// Tomorrow.
    Warn,
    /// Now.
    Page,
}

impl AlertLevel {
    /// The level as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Page => "page",
        }
    }
}

/// An order that follows every switch: the old primary is paused while it claims to be one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StandingOrder {
    /// The site whose targets must be paused.
    pub pause: SiteName,
}

/// Who wanted a switch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The evidence.
    #[default]
    Automatic,
    /// A person.
    Operator,
}

impl Trigger {
    /// The trigger as a label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Operator => "operator",
        }
    }
}

/// A switch, fully spelled out: nothing is left to be decided while acting.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The decision's id; it stands in the fence.
    pub decision: String,
    /// The service.
    pub service: ServiceName,
    /// The site to leave.
    pub from: SiteName,
    /// The site to move to.
    pub to: SiteName,
    /// The record as it must stand now.
    pub expected: RecordState,
    /// The fence in `expected`, read.
    pub fence: Fence,
    /// What the record shall hold.
    #[serde(alias = "to_value", deserialize_with = "one_or_several")]
    pub to_values: BTreeSet<String>,
    /// With which time to live, seconds.
    pub ttl_seconds: u32,
    /// When the decision was made, Unix milliseconds.
    pub made_unix_ms: i64,
    /// When the plan expires, Unix milliseconds.
    pub expires_unix_ms: i64,
    /// Whether the old primary must be fenced and the target promoted before DNS changes.
    pub promotes: bool,
    /// Who wanted it.
    #[serde(default)]
    pub trigger: Trigger,
    /// Whether no acknowledged write may be lost: the site to leave serves, and a person moves away from it.
    #[serde(default)]
    pub lossless: bool,
}

/// Journals of earlier versions hold one value.
fn one_or_several<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeSet<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        Several(BTreeSet<String>),
    }
    Ok(match serde::Deserialize::deserialize(from)? {
        Written::One(value) => BTreeSet::from([value]),
        Written::Several(values) => values,
    })
}

impl Plan {
    /// Whether it only takes a dead claim back.
    #[must_use]
    pub fn is_clearing(&self) -> bool {
        self.from == self.to
    }
}

/// The decision about one service at one moment, with everything it rests on.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// Its id.
    pub id: String,
    /// The service.
    pub service: ServiceName,
    /// When, on both clocks.
    pub made: Moment,
    /// What to do.
    pub verdict: Verdict,
    /// How loudly people must hear of it.
    pub level: AlertLevel,
    /// The reasons, weightiest first.
    pub reasons: Vec<Reason>,
    /// The active site, where the record tells.
    pub active: Option<SiteName>,
    /// The best standby.
    pub target: Option<SiteName>,
    /// Failure domains that see the active site down.
    #[serde(default)]
    pub down_votes: usize,
    /// Failure domains with a configured vantage.
    #[serde(default)]
    pub vantages: usize,
    /// The arithmetic.
    pub confidence: Confidence,
    /// The thresholds it was held against: automatic, recommend.
    pub thresholds: (f64, f64),
    /// The fitness of every standby.
    pub fitness: Vec<TargetFitness>,
    /// What stands against acting.
    pub vetoes: Vec<Veto>,
    /// The health of every site.
    pub health: Vec<(SiteName, Health)>,
    /// Sites that claim to accept writes, for topologies where only one may.
    pub writable_primaries: usize,
    /// Old primaries to pause.
    pub orders: Vec<StandingOrder>,
    /// Sites that are replicas by now, and need no pause any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demoted: Vec<SiteName>,
    /// The incident it belongs to.
    pub incident: Option<String>,
    /// The incident that ends with it.
    #[serde(default)]
    pub closing: Option<Closing>,
    /// How the new site does, some time after a switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What this agent alone makes of every site; other agents ask for it. Empty while it mistrusts itself.
    #[serde(default)]
    pub votes: Vec<Vote>,
    /// The last known lags of the standbys: an agent that restarts in an outage cannot measure them again.
    #[serde(default)]
    pub lags: Vec<KnownLag>,
    /// The active site is down, as a majority sees it.
    #[serde(default)]
    pub is_outage: bool,
    /// The site that was active before, and how far it is back.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// The fence of another agent, to be written down before anything builds on it.
    #[serde(default)]
    pub accepted: Option<Fence>,
    /// The switch to make; present exactly when the verdict is failover.
    pub plan: Option<Plan>,
    /// A dead claim to be taken back: a plan from the active site to itself.
    #[serde(default)]
    pub clearing: Option<Plan>,
}

impl Decision {
    /// Whether this agent has a lasting cause to mistrust its own eyes or its clock. Having stood still is none: that
    /// passes by itself.
    #[must_use]
    pub fn mistrusts_itself(&self) -> bool {
        self.reasons.iter().any(|r| matches!(r, Reason::SelfCheckFailed { .. } | Reason::ClockOff { .. }))
    }

    /// Whether another decision says the same thing: verdict, reasons and vetoes by kind, active and target, orders, and
    /// the strength of every group of evidence, to a twentieth.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        fn kinds(d: &Decision) -> impl Iterator<Item = &'static str> {
            d.reasons.iter().map(Reason::label).chain(d.vetoes.iter().map(|v| v.reason.label()))
        }
        fn strengths(d: &Decision) -> impl Iterator<Item = Option<i64>> {
            d.confidence.terms.iter().map(|term| term.strength.map(|s| (s.get() * 20.0).round() as i64))
        }
        // A lag that is measured no more grows older, which the next start must know.
        fn ages(d: &Decision) -> impl Iterator<Item = (&SiteName, i64)> {
            d.lags.iter().map(|lag| (&lag.site, (lag.age_seconds / 30.0) as i64))
        }
        self.verdict == other.verdict
            && ages(self).eq(ages(other))
            && self.level == other.level
            && self.active == other.active
            && self.target == other.target
            && self.health == other.health
            && self.orders == other.orders
            && strengths(self).eq(strengths(other))
            && kinds(self).eq(kinds(other))
    }
}
