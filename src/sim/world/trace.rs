//! What happened, in order: the world's own log, which no agent can write.

use std::time::Duration;

use crate::decide::Decision;
use crate::types::RecordState;

/// One line of the log.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Trace {
    /// When, since the world began.
    pub(in crate::sim) at: Duration,
    /// What.
    pub(in crate::sim) what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub(in crate::sim) enum What {
    /// Something of the timeline.
    Event(String),
    /// An agent wrote a decision that says something new.
    Decided {
        /// The agent.
        agent: usize,
        /// The service.
        service: usize,
        /// The decision.
        decision: Box<Decision>,
        /// The agent led at that moment.
        leads: bool,
    },
    /// An agent wrote another entry into its journal.
    Wrote {
        /// The agent.
        agent: usize,
        /// The service.
        service: usize,
        /// What it says, for people.
        text: String,
    },
    /// A record or a fence changed.
    Changed {
        /// The service.
        service: usize,
        /// The agent that did it; `None` is somebody else.
        by: Option<usize>,
        /// What stood there.
        before: RecordState,
        /// What stands there.
        after: RecordState,
    },
    /// An agent did something at a Redis.
    Acted {
        /// The agent.
        agent: usize,
        /// The service.
        service: usize,
        /// What.
        text: String,
    },
    /// An agent began or ended.
    Life {
        /// The agent.
        agent: usize,
        /// What became of it.
        text: &'static str,
    },
    /// A switch of an agent stopped halfway: only a person can tell how to go on.
    NeedsPerson {
        /// The service.
        service: usize,
    },
    /// An agent found its journal damaged, and began with an empty one.
    Forgot {
        /// The agent.
        agent: usize,
    },
    /// An agent refused a new configuration, and kept the old one.
    RefusedConfig {
        /// The agent.
        agent: usize,
    },
    /// A notification was answered.
    Notified {
        /// The agent that was told.
        agent: usize,
        /// Its HTTP status.
        status: u16,
        /// How many were answered so, one after the other.
        times: u32,
    },
    /// A rule was broken.
    Broken(Violation),
}

/// A rule that holds in every world, and how it was broken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The rule, as the fault matrix names it.
    pub rule: &'static str,
    /// What happened.
    pub detail: String,
}

/// Whether a change moved the record, and not the fence alone.
pub(in crate::sim) fn moves(before: &RecordState, after: &RecordState) -> bool {
    let values = |state: &RecordState| state.record.as_ref().map(|set| set.values.clone());
    values(before) != values(after)
}
