//! The counters of the last minute, and how much they have grown in it.

use std::collections::VecDeque;
use std::time::Duration;

use super::reading::{Counters, Reading};
use crate::types::Moment;

/// Growth is measured over so long, or since the last look where looks are rarer.
const WINDOW: Duration = Duration::from_secs(60);
/// Looks that are remembered; where they are more frequent, the window is shorter.
const LOOKS_MAX: usize = 64;

/// What was counted at the looks of the last minute, all of one process.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    run: String,
    looks: VecDeque<(Moment, Counters)>,
}

/// How much the counters have grown, and in which time; `None` where it is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) seconds: f64,
    pub(super) counters: Counters,
}

impl Window {
    /// Takes the counters of a look. The growth since the window's begin; `None` at the first look, and at the first
    /// after a reset: what was counted before it is lost, and a difference would be made up.
    pub(super) fn grow(&mut self, reading: &Reading, now: Moment) -> Option<Growth> {
        let counters = reading.counters;
        let is_reset = self.run != reading.run
            || self.looks.back().is_some_and(|(_, before)| before.have_shrunk_to(&counters));
        if is_reset {
            self.looks.clear();
            self.run.clone_from(&reading.run);
        }
        while self.looks.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW)
            || self.looks.len() >= LOOKS_MAX
        {
            self.looks.pop_front();
        }
        let first = self.looks.front().copied();
        self.looks.push_back((now, counters));
        let (at, before) = first?;
        let seconds = now.since(at).as_secs_f64();
        (seconds > 0.0).then(|| Growth { seconds, counters: before.grown_to(&counters) })
    }

    /// How many looks are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.looks.len()
    }
}

impl Counters {
    fn each(&self) -> [Option<f64>; 8] {
        let Self { hits, misses, received, rejected, evicted, cpu_seconds, calls, failed } = *self;
        [hits, misses, received, rejected, evicted, cpu_seconds, calls, failed]
    }

    /// Whether one of them is smaller afterwards, as only a reset makes it.
    fn have_shrunk_to(&self, after: &Self) -> bool {
        let both = self.each().into_iter().zip(after.each());
        both.filter_map(|(before, after)| Some((before?, after?))).any(|(before, after)| after < before)
    }

    fn grown_to(&self, after: &Self) -> Self {
        let by = |before: Option<f64>, after: Option<f64>| Some((after? - before?).max(0.0));
        Self {
            hits: by(self.hits, after.hits),
            misses: by(self.misses, after.misses),
            received: by(self.received, after.received),
            rejected: by(self.rejected, after.rejected),
            evicted: by(self.evicted, after.evicted),
            cpu_seconds: by(self.cpu_seconds, after.cpu_seconds),
            calls: by(self.calls, after.calls),
            failed: by(self.failed, after.failed),
        }
    }
}
