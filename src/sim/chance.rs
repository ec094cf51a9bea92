//! The only source of chance: the same seed gives the same run.

use std::time::Duration;

/// A generator of numbers: SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014).
#[derive(Debug, Clone)]
pub(super) struct Chance {
    state: u64,
}

impl Chance {
    /// A generator that begins at a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub(super) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit, which is at least 1.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        // A range of some dozens makes the bias of a remainder invisible.
        usize::try_from(self.number() % limit.max(1) as u64).unwrap_or(0)
    }

    /// A number from 0 to 1, without 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.share() < probability
    }

    /// A time below a limit.
    pub(super) fn time(&mut self, limit: Duration) -> Duration {
        limit.mul_f64(self.share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        let numbers = |seed| {
            let mut chance = Chance::new(seed);
            [chance.number(), chance.number(), chance.number()]
        };
        // The published test vector of SplitMix64 for the seed 1234567.
        assert_eq!(
            numbers(1_234_567),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn shares_and_numbers_keep_their_ranges() {
        let mut chance = Chance::new(7);
        let shares: Vec<f64> = (0..1000).map(|_| chance.share()).collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        assert!((0..1000).all(|_| chance.below(3) < 3));
        assert!(!chance.happens(0.0) && chance.happens(1.0));
    }
}
