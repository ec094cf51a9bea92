//! Where normal ends.

use linfa::Float;
use ndarray::{ArrayBase, Data, Ix2};

use crate::algorithm::IsolationForest;
use crate::error::Result;
use crate::grow::Ground;
use crate::hyperparams::{check_contamination, check_threshold};
use crate::path;
use crate::records;
use crate::sample::Sampler;

impl<F: Float> IsolationForest<F> {
    /// Returns the threshold: scores above it are anomalies.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Sets the threshold.
    ///
    /// # Errors
    ///
    /// Refuses scores outside 0 to 1.
    pub fn set_threshold(&mut self, score: f64) -> Result<()> {
        check_threshold(score)?;
        self.threshold = score;
        Ok(())
    }

    /// Sets the threshold so that at most this share of `records` is above it, and returns it.
    ///
    /// Take rows the forest was not fitted on, from the time it is to be used in: the scores of fitted rows tell
    /// little of the rows to come.
    ///
    /// # Errors
    ///
    /// Refuses records that cannot be scored, no rows at all, and shares not above 0 and at most 0.5.
    pub fn calibrate<D: Data<Elem = F>>(&mut self, records: &ArrayBase<D, Ix2>, share: f64) -> Result<f64> {
        check_contamination(share)?;
        records::check(&records.view())?;
        self.threshold = above(self.try_scores(records)?.into_raw_vec_and_offset().0, share);
        Ok(self.threshold)
    }

    /// Scores the rows of the ground by the trees that did not sample them, by all trees where each did.
    pub(crate) fn out_of_sample_scores(&self, ground: &Ground<'_, F>) -> Vec<F> {
        let trees = self.trees.len();
        let mut totals = self.totals(&ground.records);
        let mut counts = vec![trees; totals.len()];
        let whole = totals.clone();
        let mut sampler = Sampler::default();
        for tree in 0..trees {
            let (sample, _) = ground.sample(tree as u64, &mut sampler);
            for &row in sample {
                let value =
                    records::with_rows(&ground.records, row, row + 1, |row| self.trees.path_in(tree, row));
                totals[row] -= u64::from(value);
                counts[row] -= 1;
            }
        }
        let scores = totals.into_iter().zip(counts).zip(whole);
        scores
            .map(|((total, count), whole)| {
                F::cast(if count > 0 { path::score(total, count) } else { path::score(whole, trees) })
            })
            .collect()
    }
}

/// Returns the threshold that at most this share of the scores exceeds.
pub(crate) fn above<F: Float>(mut scores: Vec<F>, share: f64) -> f64 {
    let place = (share * scores.len() as f64) as usize;
    let (_, threshold, _) = scores.select_nth_unstable_by(place, |one, other| {
        other.partial_cmp(one).unwrap_or(std::cmp::Ordering::Equal)
    });
    threshold.to_f64().unwrap_or(1.0)
}
