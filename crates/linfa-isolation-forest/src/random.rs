//! A small generator of our own, so that a seed names the same forest in every release.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
pub(crate) struct Random {
    state: u64,
}

/// The step of the sequence: an odd number near 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of one tree.
    ///
    /// The pair is hashed, not combined by arithmetic on the step: two trees whose starts lie a few steps apart
    /// would draw the same numbers shifted by a few places, and so grow alike.
    pub(crate) fn of_tree(seed: u64, tree: u64) -> Self {
        Self { state: mix(mix(seed.wrapping_add(STEP)).wrapping_add(tree)) }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A number from 0 to `end` without `end`, which must not be 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let product = u128::from(self.bits()) * end as u128;
        (product >> 64) as usize
    }

    /// A number from 0 to 1 without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
        (self.bits() >> 11) as f64 * SCALE
    }

    /// A nearly normal number: the sum of twelve uniform ones, less its mean.
    ///
    /// It needs additions only, so every platform draws the same number to the last bit.
    pub(crate) fn normal(&mut self) -> f64 {
        let mut sum = 0u64;
        for _ in 0..3 {
            let bits = self.bits();
            sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        }
        // Twelve times the mean of a 16-bit number is 393,210.
        (sum as f64 - 393_210.0) / 65_536.0
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_neighbouring_trees_share_no_numbers() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..4 {
            for tree in 0..50 {
                let mut random = Random::of_tree(seed, tree);
                for _ in 0..500 {
                    assert!(seen.insert(random.bits()), "seed {seed}, tree {tree}");
                }
            }
        }
    }

    #[test]
    fn normal_has_mean_nought_and_deviation_one() {
        let mut random = Random::of_tree(1, 1);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|draw| draw * draw).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let mut random = Random::of_tree(3, 0);
        let mut counts = [0; 5];
        for _ in 0..5_000 {
            counts[random.below(5)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
