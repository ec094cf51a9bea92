//! The way of one switch, as a state machine without hands: what was done, what stands in DNS, and so what comes next.
//!
//! ticket -> re-check -> claim (fence alone, epoch n+1) -> fence the old primary -> promote -> prove by a write ->
//! switch (record and fence, epoch n+2) -> verify -> settle. All three states of record and fence follow from the plan,
//! so an unknown outcome is told apart by reading.

use std::fmt;

use super::Plan;
use crate::types::{AgentName, Fence, RecordState, ResourceSet, SiteName};

/// How an old primary was kept from taking writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fencing {
    /// `CLIENT PAUSE … WRITE` was accepted.
    Paused,
    /// Its host refuses connections: the process is gone.
    Gone,
    /// Its cluster has stopped its traffic, until somebody resumes it.
    Stopped,
    /// Neither, and the configuration allows that.
    Waived,
}

/// One thing done on the way; each is an entry in the journal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The fence carries the intent.
    Claimed,
    /// The hooks that come first were called.
    Prepared {
        /// What came of each.
        said: Vec<String>,
    },
    /// The old primary takes no writes.
    Fenced {
        /// How, for each of its targets.
        how: Vec<Fencing>,
    },
    /// The target was waited for, until it had all writes of the paused old primary or the time was over.
    CaughtUp {
        /// How much it lacked at the end, bytes of the stream of replication; `None` where that could not be told.
        missing_bytes: Option<u64>,
    },
    /// The promotion is about to be ordered: from here on it may have happened.
    Promoting,
    /// The target says that it is a primary.
    Promoted,
    /// A write to the target was read back.
    Proven,
    /// Record and fence name the target.
    Switched,
    /// What the name servers answered, as one line.
    Verified {
        /// The line.
        answers: String,
    },
    /// Resolvers were asked, and a write was sent through the name.
    Reached {
        /// What was seen, in lines.
        said: Vec<String>,
        /// The name leads to the target, and the write was read back.
        is_good: bool,
    },
    /// The hooks that come last are about to be called: from here on they may have been.
    Following,
    /// They were called.
    Followed {
        /// What came of each.
        said: Vec<String>,
    },
}

impl Step {
    /// The step's phase as a label value.
    #[must_use]
    pub fn phase(&self) -> &'static str {
        match self {
            Self::Claimed => "claim",
            Self::Prepared { .. } => "prepare",
            Self::Fenced { .. } => "fence",
            Self::CaughtUp { .. } => "catch_up",
            Self::Promoting => "recheck",
            Self::Promoted => "promote",
            Self::Proven => "prove",
            Self::Switched => "switch",
            Self::Verified { .. } => "verify",
            Self::Reached { .. } => "reach",
            Self::Following => "settle",
            Self::Followed { .. } => "follow",
        }
    }
}

/// How a switch ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The name points to the target.
    Switched,
    /// Nothing was changed for good.
    Abandoned {
        /// Why.
        why: String,
    },
    /// The target is promoted, and the name still points to the old primary: only a person continues.
    PromotedNotSwitched {
        /// Why.
        why: String,
    },
    /// A dead claim was taken back; the name points where it pointed.
    Cleared,
    /// Record or fence are not as this agent left them: only a person continues.
    Foreign {
        /// What was found.
        why: String,
    },
}

impl Outcome {
    /// The outcome as a label value.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Switched => "switched",
            Self::Abandoned { .. } => "abandoned",
            Self::Cleared => "cleared",
            Self::PromotedNotSwitched { .. } => "promoted_not_switched",
            Self::Foreign { .. } => "foreign",
        }
    }

    /// Whether nothing may happen to the service until a person has looked.
    #[must_use]
    pub fn halts(&self) -> bool {
        match self {
            Self::Switched | Self::Abandoned { .. } | Self::Cleared => false,
            Self::PromotedNotSwitched { .. } | Self::Foreign { .. } => true,
        }
    }
}

/// Record and fence once the switch is claimed.
#[must_use]
pub fn claimed(plan: &Plan, owner: &AgentName) -> RecordState {
    let fence =
        next(plan, owner, 1, plan.fence.active.clone(), plan.fence.from.clone(), Some(plan.to.clone()));
    RecordState { record: plan.expected.record.clone(), fence: Some(fence_set(plan, &fence)) }
}

/// Record and fence once the switch is made.
#[must_use]
pub fn switched(plan: &Plan, owner: &AgentName) -> RecordState {
    let fence = next(plan, owner, 2, plan.to.clone(), plan.from.clone(), None);
    RecordState {
        record: Some(ResourceSet { ttl_seconds: plan.ttl_seconds, values: plan.to_values.clone() }),
        fence: Some(fence_set(plan, &fence)),
    }
}

/// Record and fence once a claim is given back.
#[must_use]
pub fn unclaimed(plan: &Plan, owner: &AgentName) -> RecordState {
    let fence = next(plan, owner, 2, plan.fence.active.clone(), plan.fence.from.clone(), None);
    RecordState { record: plan.expected.record.clone(), fence: Some(fence_set(plan, &fence)) }
}

/// Record and fence once a dead claim is taken back.
#[must_use]
pub fn cleared(plan: &Plan, owner: &AgentName) -> RecordState {
    let fence = next(plan, owner, 1, plan.fence.active.clone(), plan.fence.from.clone(), None);
    RecordState { record: plan.expected.record.clone(), fence: Some(fence_set(plan, &fence)) }
}

fn next(
    plan: &Plan,
    owner: &AgentName,
    epochs: u64,
    active: SiteName,
    from: SiteName,
    intent: Option<SiteName>,
) -> Fence {
    Fence {
        owner: owner.clone(),
        epoch: plan.fence.epoch.saturating_add(epochs),
        active,
        from,
        at: u64::try_from(plan.made_unix_ms / 1000).unwrap_or(0),
        decision: plan.decision.clone(),
        intent,
    }
}

fn fence_set(plan: &Plan, fence: &Fence) -> ResourceSet {
    let ttl = plan.expected.fence.as_ref().map_or(plan.ttl_seconds, |set| set.ttl_seconds);
    ResourceSet::single(ttl, fence.to_string())
}

/// Where record and fence stand on the way of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As the plan found them.
    Untouched,
    /// Claimed.
    Claimed,
    /// Switched.
    Switched,
    /// The claim was given back.
    Unclaimed,
    /// None of these.
    Foreign,
}

/// Tells where record and fence stand.
#[must_use]
pub fn standing(plan: &Plan, owner: &AgentName, found: &RecordState) -> Standing {
    if *found == plan.expected {
        Standing::Untouched
    } else if *found == claimed(plan, owner) {
        Standing::Claimed
    } else if *found == switched(plan, owner) {
        Standing::Switched
    } else if *found == unclaimed(plan, owner) {
        Standing::Unclaimed
    } else {
        Standing::Foreign
    }
}

/// What to do about an unfinished switch after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing was changed, or it was given back: write the outcome down.
    Drop,
    /// Claimed, and certainly not promoted: give the claim back.
    Unclaim,
    /// Claimed and promoted: prove the target and switch.
    Finish,
    /// Switched: verify and write the outcome down.
    Verify,
    /// A dead claim was taken back: write the outcome down.
    Cleared,
    /// Claimed, and nobody can tell whether the target was promoted.
    Stuck,
    /// Record and fence are not what this agent left.
    Foreign,
}

/// Decides how to go on after a restart. `is_primary` is what the target itself says of its role, `None` when it does not answer.
#[must_use]
pub fn recover(
    plan: &Plan,
    owner: &AgentName,
    steps: &[Step],
    found: &RecordState,
    is_primary: Option<bool>,
) -> Recovery {
    if plan.is_clearing() {
        return match found {
            found if *found == plan.expected => Recovery::Drop,
            found if *found == cleared(plan, owner) => Recovery::Cleared,
            _ => Recovery::Foreign,
        };
    }
    let may_be_promoted = steps.contains(&Step::Promoting);
    match standing(plan, owner, found) {
        Standing::Switched => Recovery::Verify,
        Standing::Foreign => Recovery::Foreign,
        // A claim is given back only by a target that says it is no primary; it must still say so.
        Standing::Unclaimed if may_be_promoted && is_primary == Some(false) => Recovery::Drop,
        Standing::Untouched | Standing::Unclaimed if may_be_promoted => Recovery::Stuck,
        Standing::Untouched | Standing::Unclaimed => Recovery::Drop,
        Standing::Claimed if !may_be_promoted => Recovery::Unclaim,
        Standing::Claimed => match is_primary {
            Some(true) => Recovery::Finish,
            Some(false) => Recovery::Unclaim,
            None => Recovery::Stuck,
        },
    }
}

impl fmt::Display for Fencing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "its writes are paused",
            Self::Gone => "its process is gone",
            Self::Stopped => "its cluster has stopped its traffic",
            Self::Waived => "the configuration does without",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claimed => f.write_str("the fence was claimed"),
            Self::Prepared { said } => write!(f, "the hooks before it were called: {}", shown(said)),
            Self::Fenced { how } => {
                let how = how.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "the old primary was fenced ({how})")
            }
            Self::CaughtUp { missing_bytes: Some(0) } => {
                f.write_str("the target has every write of the old primary")
            }
            Self::CaughtUp { missing_bytes: Some(bytes) } => {
                write!(f, "the target lacked {bytes} bytes of the old primary's writes")
            }
            Self::CaughtUp { missing_bytes: None } => {
                f.write_str("nobody could tell which writes of the old primary the target lacked")
            }
            Self::Promoting => f.write_str("the promotion was about to be ordered"),
            Self::Promoted => f.write_str("the target was promoted"),
            Self::Proven => f.write_str("a write to the target was read back"),
            Self::Switched => f.write_str("record and fence were changed"),
            // What servers answer is somebody else's text.
            Self::Verified { answers } => {
                write!(f, "the name servers were asked: {}", answers.escape_debug())
            }
            Self::Reached { said, is_good: true } => {
                write!(f, "the name leads to the target: {}", shown(said))
            }
            Self::Reached { said, is_good: false } => {
                write!(f, "the name does NOT lead to the target, as seen from here: {}", shown(said))
            }
            Self::Following => f.write_str("the hooks after it were about to be called"),
            Self::Followed { said } => write!(f, "the hooks after it were called: {}", shown(said)),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switched => f.write_str("the name points to the target"),
            Self::Abandoned { why } => write!(f, "given up, nothing was changed for good: {why}"),
            Self::PromotedNotSwitched { why } => {
                write!(f, "the target is promoted, the name was NOT changed; a person must continue: {why}")
            }
            Self::Cleared => f.write_str("a dead claim was taken back; the name points where it pointed"),
            Self::Foreign { why } => write!(f, "record or fence are not as this agent left them: {why}"),
        }
    }
}

/// What hooks said, which is somebody else's text.
fn shown(said: &[String]) -> String {
    said.iter().map(|line| line.escape_debug().to_string()).collect::<Vec<_>>().join("; ")
}
