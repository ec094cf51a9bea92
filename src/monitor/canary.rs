//! The write canary: a value that no other write made, too long for one TCP segment, written and read back.

use std::time::Duration;

use crate::types::{AgentName, Moment, SiteName};

/// Length of a canary's payload in bytes: over the 1,460 of one TCP segment, so that a path that drops full-sized
/// packets is found by it.
pub const CANARY_PAYLOAD_BYTES: usize = 2048;
/// A canary's life: an agent that stops leaves nothing behind.
pub const CANARY_TTL: Duration = Duration::from_secs(60);

/// One write canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryProbe {
    /// The key, `{prefix}{agent}:{site}`: two agents never write the same one.
    pub key: String,
    /// The payload.
    pub payload: Vec<u8>,
}

impl CanaryProbe {
    /// The canary of an agent for a site; `sequence` and the moment make the payload unique.
    #[must_use]
    pub fn new(prefix: &str, agent: &AgentName, site: &SiteName, sequence: u64, moment: Moment) -> Self {
        let stamp =
            format!("{agent} {site} {sequence} {} {};", moment.mono.as_nanos(), moment.wall.as_nanos());
        let payload = stamp.bytes().cycle().take(CANARY_PAYLOAD_BYTES).collect();
        Self { key: format!("{prefix}{agent}:{site}"), payload }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_long_and_unique() {
        let (agent, site) = (AgentName::new("a1").unwrap(), SiteName::new("dc-a").unwrap());
        let at = |ms| Moment { mono: Duration::from_millis(ms), wall: Duration::from_millis(ms) };
        let make = |sequence, ms| CanaryProbe::new("_rr:", &agent, &site, sequence, at(ms));
        let one = make(1, 1);
        assert_eq!(one.key, "_rr:a1:dc-a");
        assert_eq!(one.payload.len(), CANARY_PAYLOAD_BYTES);
        assert_eq!(one, make(1, 1));
        assert_ne!(one.payload, make(2, 1).payload);
        assert_ne!(one.payload, make(1, 2).payload);
    }
}
