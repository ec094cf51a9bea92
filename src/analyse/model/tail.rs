//! How rare a score is among those that a model was fitted on.

/// The highest scores are all kept, for alarms are judged there.
const TOP: usize = 1024;
/// Of the others, so many are.
const REST: usize = 512;
/// The share of scores whose distance to the highest one is the unit beyond it.
const UNIT_FROM: f64 = 0.99;

/// The tail probabilities of scores, as their negative decimal logarithms.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Tail {
    count: u32,
    /// Some of the scores, the least first,
    scores: Vec<f64>,
    /// and how many of all are at least as high.
    at_least: Vec<u32>,
    /// From here on no score was left out.
    exact_from: u32,
    unit: f64,
}

impl Tail {
    /// Of scores; what differs by less than `unit_min` beyond the highest one is hardly rarer.
    pub(super) fn fit(mut all: Vec<f64>, unit_min: f64) -> Self {
        all.sort_unstable_by(f64::total_cmp);
        let count = all.len();
        let below = count.saturating_sub(TOP);
        let step = below.div_ceil(REST).max(1);
        let places: Vec<usize> = (0..below).step_by(step).chain(below..count).collect();
        let exact_from = places.iter().position(|place| *place >= below).unwrap_or(0);
        let at_least = |place: usize| count - all.partition_point(|score| *score < all[place]);
        let unit = match (all.last(), all.get((UNIT_FROM * count as f64) as usize)) {
            (Some(top), Some(from)) => (top - from).max(unit_min),
            _ => unit_min,
        };
        Self {
            count: count as u32,
            scores: places.iter().map(|place| all[*place]).collect(),
            at_least: places.iter().map(|place| at_least(*place) as u32).collect(),
            exact_from: exact_from as u32,
            unit,
        }
    }

    /// -log10 of the share of scores at least as high; beyond the highest it goes on growing, by 1 for each distance
    /// between the highest and the 99th part in a hundred.
    pub(super) fn rarity(&self, score: f64) -> f64 {
        let probability = (self.at_least(score) + 1.0) / (f64::from(self.count) + 1.0);
        let top = self.scores.last().copied().unwrap_or(0.0);
        -probability.log10() + ((score - top) / self.unit).max(0.0)
    }

    fn at_least(&self, score: f64) -> f64 {
        let place = self.scores.partition_point(|known| *known < score);
        let known = |place: usize| Some((*self.scores.get(place)?, f64::from(*self.at_least.get(place)?)));
        let Some((above, rank)) = known(place) else { return 0.0 };
        if place == 0 || place > self.exact_from as usize {
            return rank;
        }
        match known(place - 1) {
            Some((below, more)) if above > below => more + (rank - more) * (score - below) / (above - below),
            _ => rank,
        }
    }

    /// Whether it can be what it says it is.
    pub(super) fn is_whole(&self) -> bool {
        !self.scores.is_empty()
            && self.scores.len() == self.at_least.len()
            && self.scores.iter().all(|score| score.is_finite())
            && self.scores.is_sorted()
            && self.at_least.iter().all(|rank| *rank <= self.count)
            && self.unit > 0.0
            && self.unit.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rarity_is_the_decimal_logarithm_and_goes_on_beyond_the_highest() {
        let tail = Tail::fit((0..999).map(f64::from).collect(), 1.0);
        assert!(tail.is_whole());
        assert_eq!(tail.rarity(-1.0), 0.0);
        assert_eq!(tail.rarity(0.0), 0.0);
        assert_eq!(tail.rarity(900.0), 1.0, "a hundred of a thousand");
        assert!((tail.rarity(989.5) - 2.0).abs() < 1e-12);
        let top = tail.rarity(998.0);
        assert!(tail.rarity(999.0) > top && tail.rarity(5000.0) > 100.0);
    }

    #[test]
    fn what_is_left_out_is_told_from_what_is_kept() {
        let squares: Vec<f64> = (0..40_000).map(|n| f64::from(n) * f64::from(n)).collect();
        let (whole, tail) = (squares.clone(), Tail::fit(squares, 1.0));
        assert!(tail.scores.len() <= TOP + REST);
        for place in (0..40_000).step_by(37) {
            let exact = (40_001.0 / (40_001.0 - place as f64)).log10();
            assert!((tail.rarity(whole[place]) - exact).abs() < 1e-3, "{place}");
        }
        let mut last = 0.0;
        for score in (0..1_600_000_000).step_by(999_983) {
            let rarity = tail.rarity(f64::from(score));
            assert!(rarity >= last, "{score}: it never falls");
            last = rarity;
        }
    }

    #[test]
    fn scores_that_are_all_alike_have_no_tail_until_one_is_higher() {
        let tail = Tail::fit(vec![2.0; 50], 0.1);
        assert_eq!(tail.rarity(2.0), 0.0);
        let rarity = tail.rarity(2.1);
        assert!((2.7..2.8).contains(&rarity), "{rarity}");
    }
}
