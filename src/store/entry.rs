//! The entries of the journal.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use super::audit::{Anchor, Configured, Denial};
use super::remembered::Remembered;
use crate::decide::saga::{Fencing, Outcome, Step};
use crate::decide::{Closing, Comparison, Decision, Evidence, Plan};
use crate::types::{Alert, Fence, ServiceName, SiteName};

/// What a person ordered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum OperatorAction {
    /// No automatic action until resumed.
    Pause,
    /// Ends a pause.
    Resume,
    /// Ends a halt, lifts the interval and the damping, and accepts the fence as it stands.
    Acknowledge {
        /// The epoch of the fence at that moment, where it could be read.
        epoch: Option<u64>,
    },
    /// Move to a site.
    Failover {
        /// Where to.
        to: SiteName,
    },
    /// Move back to the site that was left last.
    Failback {
        /// Where to.
        to: SiteName,
        /// Whether before it was stable for as long as is asked of it.
        early: bool,
    },
    /// The old primary at a site was made a replica; by a person's command, not by the agent.
    Demote {
        /// The site.
        site: SiteName,
        /// The address of its primary.
        primary: String,
    },
    /// No automatic action for a site, or for the whole service, until a moment.
    Maintain {
        /// The site; absent for the whole service.
        site: Option<SiteName>,
        /// Until when, Unix milliseconds; a moment in the past ends it.
        until_unix_ms: i64,
    },
}

impl fmt::Display for OperatorAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause => f.write_str("pause"),
            Self::Resume => f.write_str("resume"),
            Self::Acknowledge { epoch: Some(epoch) } => {
                write!(f, "acknowledge, with the fence at epoch {epoch}")
            }
            Self::Acknowledge { epoch: None } => f.write_str("acknowledge"),
            Self::Failover { to } => write!(f, "failover to {to}"),
            Self::Failback { to, early: false } => write!(f, "failback to {to}"),
            Self::Failback { to, early: true } => write!(f, "failback to {to}, although early"),
            Self::Demote { site, primary } => write!(f, "demotion of {site} to a replica of {primary}"),
            Self::Maintain { site, until_unix_ms } => {
                let until = Duration::from_millis(u64::try_from(*until_unix_ms).unwrap_or(0));
                let until = humantime::format_rfc3339_seconds(UNIX_EPOCH + until);
                match site {
                    Some(site) => write!(f, "maintenance of {site} until {until}"),
                    None => write!(f, "maintenance of all sites until {until}"),
                }
            }
        }
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// The first fence was written, or a fence was written anew, on a person's word.
    Adopted {
        /// The fence's epoch.
        epoch: u64,
        /// The site it calls active.
        active: SiteName,
        /// Who: the system's user name; absent in entries of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Alerts about the service came in.
    Notified {
        /// They.
        alerts: Vec<Alert>,
    },
    /// A decision, whatever its verdict.
    Decided {
        /// It.
        decision: Box<Decision>,
        /// What it rests on, as [`Evidence::abridged`] leaves it; absent in entries of earlier versions.
        ///
        /// Bounded: 2.3 KB with two sites of one target (the decision itself has 2 to 3 KB), 0.8 KB more for each further
        /// target, 0.3 KB for each vantage, 0.2 KB for each alert.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
        evidence: Option<Box<Evidence>>,
    },
    /// The intent to act.
    Ticketed {
        /// What shall be done.
        plan: Box<Plan>,
    },
    /// One step of a switch was done.
    Stepped {
        /// The plan's decision.
        decision: String,
        /// The step.
        step: Step,
        /// How long it took, milliseconds.
        took_ms: u64,
    },
    /// A switch ended.
    Ended {
        /// The plan's decision.
        decision: String,
        /// How.
        outcome: Outcome,
        /// The fence's epoch afterwards, where it is known.
        epoch: Option<u64>,
    },
    /// Automation is frozen until a person acknowledges.
    Halted {
        /// Why.
        why: String,
    },
    /// An old primary that claims to be one was kept from taking writes, or could not be.
    Held {
        /// Its site.
        site: SiteName,
        /// What went wrong; absent when it is held.
        error: Option<String>,
        /// How each of its Redis is kept from writes; empty in entries of earlier versions, and where something went wrong.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        how: Vec<Fencing>,
    },
    /// Another agent wrote the fence, and this one builds on it.
    Observed {
        /// The fence.
        fence: Fence,
    },
    /// An incident is over.
    Closed {
        /// What came out of it.
        closing: Closing,
    },
    /// How the new site does, some time after a switch.
    Compared {
        /// Beside the old one.
        comparison: Comparison,
    },
    /// A person ordered something.
    Ordered {
        /// What.
        action: OperatorAction,
        /// Who: the system's user name.
        by: String,
    },
    /// The agent read its configuration. Of the agent as a whole, as are the two that follow.
    Configured {
        /// What came of it.
        configured: Box<Configured>,
    },
    /// Callers were turned away.
    Denied {
        /// Who, and where.
        denial: Denial,
    },
    /// The oldest entries of a chain were dropped.
    Dropped {
        /// Up to where.
        anchor: Anchor,
    },
    /// What the entries about the service said up to here, before the oldest of them are dropped.
    Remembered {
        /// It.
        remembered: Box<Remembered>,
    },
}

/// Evidence in another version's words is as good as none: an agent must start beside it, and no decision rests on it.
fn if_understood<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<Box<Evidence>>, D::Error> {
    let value = <serde_json::Value as serde::Deserialize>::deserialize(source)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Body::Adopted`].
    Adopted,
    /// [`Body::Notified`].
    Notified,
    /// [`Body::Decided`].
    Decided,
    /// [`Body::Ticketed`].
    Ticketed,
    /// [`Body::Stepped`].
    Stepped,
    /// [`Body::Ended`].
    Ended,
    /// [`Body::Halted`].
    Halted,
    /// [`Body::Held`].
    Held,
    /// [`Body::Observed`].
    Observed,
    /// [`Body::Closed`].
    Closed,
    /// [`Body::Compared`].
    Compared,
    /// [`Body::Ordered`].
    Ordered,
    /// [`Body::Configured`].
    Configured,
    /// [`Body::Denied`].
    Denied,
    /// [`Body::Dropped`].
    Dropped,
    /// [`Body::Remembered`].
    Remembered,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Adopted,
        Self::Notified,
        Self::Decided,
        Self::Ticketed,
        Self::Stepped,
        Self::Ended,
        Self::Halted,
        Self::Held,
        Self::Observed,
        Self::Closed,
        Self::Compared,
        Self::Ordered,
        Self::Configured,
        Self::Denied,
        Self::Dropped,
        Self::Remembered,
    ];

    /// The kind as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Notified => "notified",
            Self::Decided => "decided",
            Self::Ticketed => "ticketed",
            Self::Stepped => "stepped",
            Self::Ended => "ended",
            Self::Halted => "halted",
            Self::Held => "held",
            Self::Observed => "observed",
            Self::Closed => "closed",
            Self::Compared => "compared",
            Self::Ordered => "ordered",
            Self::Configured => "configured",
            Self::Denied => "denied",
            Self::Dropped => "dropped",
            Self::Remembered => "remembered",
        }
    }
}

impl Body {
    /// The entry's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Adopted { .. } => Kind::Adopted,
            Self::Notified { .. } => Kind::Notified,
            Self::Decided { .. } => Kind::Decided,
            Self::Ticketed { .. } => Kind::Ticketed,
            Self::Stepped { .. } => Kind::Stepped,
            Self::Ended { .. } => Kind::Ended,
            Self::Halted { .. } => Kind::Halted,
            Self::Held { .. } => Kind::Held,
            Self::Observed { .. } => Kind::Observed,
            Self::Closed { .. } => Kind::Closed,
            Self::Compared { .. } => Kind::Compared,
            Self::Ordered { .. } => Kind::Ordered,
            Self::Configured { .. } => Kind::Configured,
            Self::Denied { .. } => Kind::Denied,
            Self::Dropped { .. } => Kind::Dropped,
            Self::Remembered { .. } => Kind::Remembered,
        }
    }
}

/// An entry to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// About which service; [`ServiceName::agent`] for the agent as a whole.
    pub service: ServiceName,
    /// In which incident.
    pub incident: Option<String>,
    /// What.
    pub body: Body,
}

/// An entry as it stands in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place; rises with time.
    pub seq: u64,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// When it was last repeated word for word, Unix milliseconds.
    pub last_unix_ms: i64,
    /// How often it was said.
    pub count: u64,
    /// About which service; [`ServiceName::agent`] for the agent as a whole.
    pub service: ServiceName,
    /// In which incident.
    pub incident: Option<String>,
    /// What.
    pub body: Body,
}
