//! Failures on demand, consumed in order.

use std::collections::VecDeque;
use std::time::Duration;

use crate::service::Operation;
use crate::zone::Refusal;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection closes before the request is executed.
    LoseRequest,
    /// The request is executed, then the connection closes without an answer.
    LoseReply,
    /// `Throttling`, 400.
    Throttle,
    /// `PriorRequestNotComplete`, 400.
    PriorRequestNotComplete,
    /// `AccessDenied`, 403.
    AccessDenied,
    /// `ServiceUnavailable`, 503.
    Unavailable,
    /// The request hangs for `delay_ms` and is then executed, whether or not the client still waits.
    Delay,
}

impl FaultKind {
    /// The fault as its JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoseRequest => "lose_request",
            Self::LoseReply => "lose_reply",
            Self::Throttle => "throttle",
            Self::PriorRequestNotComplete => "prior_request_not_complete",
            Self::AccessDenied => "access_denied",
            Self::Unavailable => "unavailable",
            Self::Delay => "delay",
        }
    }

    /// The answer of a fault that answers.
    pub fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Throttle => Some(Refusal::Throttling),
            Self::PriorRequestNotComplete => Some(Refusal::PriorRequestNotComplete),
            Self::AccessDenied => {
                Some(Refusal::AccessDenied("the sandbox was told to deny this request".to_owned()))
            }
            Self::Unavailable => Some(Refusal::ServiceUnavailable),
            Self::LoseRequest | Self::LoseReply | Self::Delay => None,
        }
    }
}

/// One entry of the queue.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub fault: FaultKind,
    /// For which operation.
    #[serde(default)]
    pub operation: Operation,
    /// For which hosted zone only.
    #[serde(default)]
    pub zone_id: Option<String>,
    /// How often.
    #[serde(default = "once")]
    pub count: u32,
    /// How long the request hangs first; every fault may have it.
    #[serde(default)]
    pub delay_ms: u64,
}

impl Fault {
    /// How long the request hangs before anything else.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}

/// The queue.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    faults: VecDeque<Fault>,
}

impl Faults {
    /// Takes the first fault that is meant for the operation in the zone.
    pub fn take(&mut self, operation: Operation, zone_id: Option<&str>) -> Option<Fault> {
        self.faults.retain(|fault| fault.count > 0);
        let is_meant = |fault: &&mut Fault| {
            fault.operation == operation && fault.zone_id.as_deref().is_none_or(|id| Some(id) == zone_id)
        };
        let fault = self.faults.iter_mut().find(is_meant)?;
        fault.count -= 1;
        Some(fault.clone())
    }
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_taken_in_order_for_their_operation() {
        let mut faults: Faults = serde_json::from_str(
            r#"{"faults":[{"fault":"throttle","count":2},{"fault":"delay","operation":"GetChange","delay_ms":7},
                {"fault":"unavailable","zone_id":"Z2"},{"fault":"lose_reply"}]}"#,
        )
        .unwrap();
        let mut take = |operation| faults.take(operation, Some("Z1")).map(|f| (f.fault, f.delay_ms));
        assert_eq!(take(Operation::ListResourceRecordSets), None);
        assert_eq!(take(Operation::ChangeResourceRecordSets), Some((FaultKind::Throttle, 0)));
        assert_eq!(take(Operation::GetChange), Some((FaultKind::Delay, 7)));
        assert_eq!(take(Operation::ChangeResourceRecordSets), Some((FaultKind::Throttle, 0)));
        assert_eq!(take(Operation::ChangeResourceRecordSets), Some((FaultKind::LoseReply, 0)));
        assert_eq!(take(Operation::ChangeResourceRecordSets), None);
        assert_eq!(take(Operation::GetChange), None);
        let other = faults.take(Operation::ChangeResourceRecordSets, Some("Z2"));
        assert_eq!(other.map(|fault| fault.fault), Some(FaultKind::Unavailable));
    }
}
