//! What `check --connect` found, line by line, and its end.

use anyhow::bail;

use crate::types::{Gap, GapReason};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    missing: usize,
    failed: usize,
}

/// Why something is not as it must be.
#[derive(Debug)]
pub(super) enum Fault {
    /// It answers, and something must be given to it: a permission, a record, a fence.
    Missing(String),
    /// It could not be asked, or does not work.
    Failed(String),
}

impl Fault {
    /// Sorts a gap by who has to do something about it.
    pub(super) fn of(what: &str, gap: &Gap) -> Self {
        let text = format!("{what}: {} ({})", gap.reason.as_str(), gap.detail);
        match gap.reason {
            GapReason::Auth | GapReason::Permission => Self::Missing(text),
            GapReason::Refused
            | GapReason::Reset
            | GapReason::Closed
            | GapReason::Unreachable
            | GapReason::ConnectTimeout
            | GapReason::Timeout
            | GapReason::Dns
            | GapReason::Tls
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
            | GapReason::ErrorReply
            | GapReason::NotAsked => Self::Failed(text),
        }
    }
}

impl Report {
    pub(super) fn good(&self, what: &str, why: &str) {
        println!("  ok       {what}: {why}");
    }

    pub(super) fn bad(&mut self, what: &str, fault: &Fault) {
        let (count, word, why) = match fault {
            Fault::Missing(why) => (&mut self.missing, "MISSING", why),
            Fault::Failed(why) => (&mut self.failed, "FAILED ", why),
        };
        *count += 1;
        println!("  {word}  {what}: {why}");
    }

    /// Whether all is well.
    pub(super) fn end(&self) -> anyhow::Result<()> {
        match (self.missing, self.failed) {
            (0, 0) => Ok(()),
            (missing, 0) => bail!("{missing} missing"),
            (0, failed) => bail!("{failed} failed"),
            (missing, failed) => bail!("{missing} missing, {failed} failed"),
        }
    }
}
