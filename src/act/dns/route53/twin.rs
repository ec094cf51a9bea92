//! A public and a private zone that hold the same. Route 53 changes one zone at a time, so the two can come apart; what
//! is done about that is in three rules.
//!
//! 1. **The public zone judges.** Every agent changes it first; who loses there touches the private zone never. So the
//!    private zone is changed by winners only, one after the other.
//! 2. **Nothing is sent unless both are as expected**, looked at right before. A switch is claimed in both zones before
//!    anything moves, so that a zone that cannot be changed shows while nothing has moved.
//! 3. **Half a change is unknown**, and read back: as a state that is like no other. The one who made it may bring the
//!    second zone after, each time asked anew whether that is still wanted; for everybody else it is a halt.
//!
//! Absent on purpose: taking the first half back. That would be one more change which can fail, and epochs never sink.

use std::time::Duration;

use super::zone::Zone;
use crate::act::dns::{DnsError, Receipt, RecordChange, SendBy};
use crate::act::swap::describe;
use crate::types::RecordState;

/// Reads of two zones that do not agree: somebody may be between its two changes at this moment.
const READS_MAX: u32 = 4;
/// Time between two of them.
const READ_PAUSE: Duration = Duration::from_millis(250);

/// Two zones of one name.
pub(super) struct Twin {
    /// The public zone.
    pub(super) first: Zone,
    /// The private zone.
    pub(super) second: Zone,
}

impl Twin {
    /// What both hold.
    pub(super) async fn read(&self) -> Result<RecordState, DnsError> {
        let mut state = self.look().await?.2;
        for _ in 1..READS_MAX {
            if state.parted().is_none() {
                break;
            }
            tokio::time::sleep(READ_PAUSE).await;
            state = self.look().await?.2;
        }
        Ok(state)
    }

    /// Each zone, and both as one state.
    async fn look(&self) -> Result<(RecordState, RecordState, RecordState), DnsError> {
        let (first, second) = tokio::try_join!(self.first.read(), self.second.read())?;
        let both = RecordState::joined(&first, &second, &self.second.id);
        Ok((first, second, both))
    }

    /// Changes the public zone, and then the private one. What the first half of a change has made as it is wanted is left.
    pub(super) async fn change(
        &self,
        change: &RecordChange,
        send: &SendBy,
    ) -> Result<Vec<Receipt>, DnsError> {
        let (first, second, both) = self.look().await.map_err(unsent)?;
        if both != change.expected {
            return Err(DnsError::Conflict { detail: describe(&both) });
        }
        let wanted = &change.wanted;
        let is_half_way = both.parted().is_some() && first == *wanted;
        let mut receipts = Vec::new();
        if !is_half_way {
            let change = RecordChange { expected: first, wanted: wanted.clone() };
            receipts.push(self.first.change(&change, send).await?);
        }
        let change = RecordChange { expected: second, wanted: wanted.clone() };
        match self.second.change(&change, send).await {
            Ok(receipt) => receipts.push(receipt),
            Err(error) => {
                let (public, private) = (&self.first.id, &self.second.id);
                let detail = format!("the zone {public} was changed, and {private} perhaps not: {error}");
                return Err(DnsError::Unknown { detail });
            }
        }
        Ok(receipts)
    }
}

/// Nothing was sent when the look before failed, whatever is said of it.
fn unsent(error: DnsError) -> DnsError {
    match error {
        DnsError::Unknown { detail } => DnsError::Unavailable { detail },
        DnsError::Conflict { .. }
        | DnsError::Throttled { .. }
        | DnsError::Denied { .. }
        | DnsError::Misconfigured { .. }
        | DnsError::Unavailable { .. } => error,
    }
}
