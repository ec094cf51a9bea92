//! What becomes of DNS.

use std::time::Duration;

use crate::types::{RecordName, SiteName};

/// What the DNS provider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsState {
    /// It works.
    Up,
    /// It refuses the next changes because there are too many requests.
    Throttled(u32),
    /// It refuses changes for so long, because another one is in progress.
    Busy(Duration),
    /// The next change takes effect, and its answer is lost.
    ReplyLostAfter,
    /// The next change is lost on its way.
    ReplyLostBefore,
    /// The next change takes effect so much later, if the record is still as it expects, and nobody answers it.
    ArrivesLate(Duration),
    /// It denies every change.
    Denied,
    /// It answers nothing: no reads, no changes. Name servers answer.
    Unavailable,
    /// It does not know the zone.
    NoZone,
    /// It never says that a change is complete.
    Pending,
    /// Of two zones it applies the next change to the first, and refuses every change in the second.
    HalfApplied,
}

/// What somebody makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordEdit {
    /// It names this site.
    Site(SiteName),
    /// It names a host that redrover does not know.
    Other(RecordName),
    /// It is deleted.
    Missing,
}

/// What somebody makes of a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FenceEdit {
    /// It holds this text.
    Text(String),
    /// It is deleted.
    Missing,
}
