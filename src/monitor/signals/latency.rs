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
        if self.shares.len() == LOOKS_MAX {
            self.shares.pop_front();
        }
        self.shares.push_back(share);
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
        if self.shares.len() < least {
            return None;
        }
        let mut shares: Vec<f64> = self.shares.iter().map(|share| share.get()).collect();
        let rank = (share * shares.len() as f64).ceil() as usize;
        let (_, value, _) = shares.select_nth_unstable_by(rank.saturating_sub(1), f64::total_cmp);
        Some(Ratio::clamped(*value))
    }

    /// How many looks are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shares.len()
    }
}
