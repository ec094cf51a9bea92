//! How long answers took, in the last looks.

use std::collections::VecDeque;
use std::time::Duration;

use crate::types::{Gap, GapReason, Ratio};

/// Looks that are remembered: five minutes at the usual interval of 5 s.
const LOOKS_MAX: usize = 60;
/// Looks for a median.
const MEDIAN_MIN: usize = 5;
/// Looks for a tail: fewer have no 95th percentile that is not their largest.
const TAIL_MIN: usize = 20;
/// What the tail is.
const TAIL: f64 = 0.95;

/// The last durations, as shares of what they may take.
#[derive(Debug, Clone, Default)]
pub(super) struct Latency {
    shares: VecDeque<Ratio>,
    /// The same by size, smallest first: quantiles are asked for after every look.
    by_size: Vec<Ratio>,
}

impl Latency {
    /// Takes a duration, or its gap: what had no answer in time took all of it, and what failed otherwise has no
    /// duration.
    pub(super) fn see(&mut self, took: Result<Duration, &Gap>, limit: Duration) {
        let share = match took {
            Ok(took) if !limit.is_zero() => Ratio::clamped(took.as_secs_f64() / limit.as_secs_f64()),
            Err(gap) if matches!(gap.reason, GapReason::Timeout | GapReason::ConnectTimeout) => Ratio::ONE,
            Ok(_) | Err(_) => return,
        };
        if self.shares.len() == LOOKS_MAX
            && let Some(oldest) = self.shares.pop_front()
        {
            let place = self.place(oldest);
            self.by_size.remove(place);
        }
        self.shares.push_back(share);
        let place = self.place(share);
        self.by_size.insert(place, share);
    }

    /// How many of those that are remembered are smaller.
    fn place(&self, share: Ratio) -> usize {
        self.by_size.partition_point(|known| *known < share)
    }

    /// The middle of what is remembered.
    pub(super) fn median(&self) -> Option<Ratio> {
        self.quantile(0.5, MEDIAN_MIN)
    }

    /// What only one in twenty exceeds.
    pub(super) fn tail(&self) -> Option<Ratio> {
        self.quantile(TAIL, TAIL_MIN)
    }

    /// The nearest rank.
    fn quantile(&self, share: f64, least: usize) -> Option<Ratio> {
        let rank = (share * self.by_size.len() as f64).ceil() as usize;
        self.by_size.get(rank.saturating_sub(1)).filter(|_| self.by_size.len() >= least).copied()
    }

    /// How many looks are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shares.len()
    }
}
