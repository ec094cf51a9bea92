//! The token bucket of the account.

use tokio::time::Instant;

use crate::options::ThrottleOptions;

/// A bucket that holds `burst` tokens and regains some every second.
#[derive(Debug)]
pub struct Bucket {
    options: ThrottleOptions,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket.
    pub fn new(options: ThrottleOptions, now: Instant) -> Self {
        Self { options, tokens: f64::from(options.burst), filled: now }
    }

    /// Takes one token, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let elapsed_seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        let gained = elapsed_seconds * self.options.per_second;
        self.tokens = (self.tokens + gained).min(f64::from(self.options.burst));
        let has_token = self.tokens >= 1.0;
        if has_token {
            self.tokens -= 1.0;
        }
        has_token
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn tokens_run_out_and_come_back() {
        let start = Instant::now();
        let mut bucket = Bucket::new(ThrottleOptions { burst: 2, per_second: 10.0 }, start);
        for (millis, passes) in
            [(0, true), (0, true), (0, false), (99, false), (101, true), (102, false), (5000, true)]
        {
            assert_eq!(bucket.take(start + Duration::from_millis(millis)), passes, "{millis}");
        }
    }
}
