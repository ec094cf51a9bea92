//! Time as an argument. [`SystemClock`] is the only reader of the system's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One moment, on two clocks: the monotonic one measures, the wall clock labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    /// Time since the clock's own start; never goes backwards, meaningless in another process.
    pub mono: Duration,
    /// Time since the Unix epoch; may jump.
    pub wall: Duration,
}

impl Moment {
    /// The monotonic time that passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono)
    }

    /// Wall-clock milliseconds since the Unix epoch, for what is stored and shown.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        i64::try_from(self.wall.as_millis()).unwrap_or(i64::MAX)
    }

    /// Wall-clock seconds since the Unix epoch, for the fence.
    #[must_use]
    pub fn unix_seconds(self) -> u64 {
        self.wall.as_secs()
    }

    /// This moment moved forward on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { mono: self.mono.saturating_add(by), wall: self.wall.saturating_add(by) }
    }
}

/// Where moments come from. The second implementation is virtual time in tests.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic side starts at zero.
    #[must_use]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
        let start = Instant::now();
        Self { start }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        // A clock set before 1970 reads as 1970: the moment is wrong, but nothing panics.
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { mono: self.start.elapsed(), wall }
    }
}
