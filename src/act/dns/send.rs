//! Until when a change may leave this agent.

use std::sync::Arc;
use std::time::Duration;

use super::DnsError;
use crate::types::{Clock, Guard, Moment};

/// Until when a change may leave this agent: what was right before it stood still may not be right after. A provider
/// asks as late as it can, with the request ready and before its first byte.
#[derive(Clone)]
pub struct SendBy {
    clock: Arc<dyn Clock>,
    last: Moment,
}

impl SendBy {
    /// From now on for so long, but not beyond a moment on the monotonic clock, such as the end of a term.
    #[must_use]
    pub fn within(limit: Duration, until: Option<Moment>, clock: Arc<dyn Clock>) -> Self {
        let last = clock.now().plus(limit);
        let mono = until.map_or(last.mono, |until| until.mono.min(last.mono));
        Self { clock, last: Moment { mono, ..last } }
    }

    /// Refuses when it is too late. A machine that slept may show that on one of its clocks only, so either counts.
    ///
    /// # Errors
    /// It is; nothing was sent.
    pub fn check(&self) -> Result<(), DnsError> {
        let now = self.clock.now();
        let is_over = now.mono >= self.last.mono || now.wall >= self.last.wall;
        if is_over && Guard::Expiry.stands() {
            let detail = "this agent stood still and did not send the change in time".to_owned();
            return Err(DnsError::Unavailable { detail });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Hand(Mutex<Moment>);

    impl Clock for Hand {
        fn now(&self) -> Moment {
            *self.0.lock().unwrap()
        }
    }

    fn at(mono: u64, wall: u64) -> Moment {
        Moment { mono: Duration::from_secs(mono), wall: Duration::from_secs(wall) }
    }

    #[test]
    fn it_is_too_late_when_either_clock_says_so_or_the_term_is_over() {
        let rows = [
            (None, at(104, 1004), true),
            (None, at(105, 1000), false),
            (None, at(100, 1005), false),
            // A clock that was set back says nothing.
            (None, at(104, 10), true),
            (Some(at(103, 0)), at(102, 1002), true),
            (Some(at(103, 0)), at(103, 1003), false),
            (Some(at(900, 0)), at(105, 1004), false),
        ];
        for (until, then, may_send) in rows {
            let clock = Arc::new(Hand(Mutex::new(at(100, 1000))));
            let send = SendBy::within(Duration::from_secs(5), until, clock.clone());
            *clock.0.lock().unwrap() = then;
            let said = send.check();
            assert_eq!(said.is_ok(), may_send, "{until:?} {then:?}");
            assert!(said.err().is_none_or(|error| error.is_retryable()), "nothing was sent");
        }
    }
}
