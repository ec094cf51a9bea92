//! What each column adds to a score.

use linfa::Float;

use crate::algorithm::IsolationForest;
use crate::error::Result;
use crate::path::{self, EXPECTED};
use crate::records;
use crate::tree::Trees;

impl<F: Float> IsolationForest<F> {
    /// Scores a row and writes what each column contributed, in one pass and without allocating.
    ///
    /// Each step of a path from a node to its child changes the path length that is to be expected of the row:
    /// v(node) = level + c(rows of the sample in the node). The contribution of a column is the sum of
    /// v(node) - v(child) over all splits on it, averaged over the trees and divided by c(sample size). In between,
    /// all terms cancel, so the contributions add up to
    ///
    /// 1 - E(h)/c = log2(score / 0.5),
    ///
    /// the excess of the score over 0.5, which is expected of an ordinary row, on the logarithmic scale of the
    /// score. A hyperplane's gain is shared among its columns by the size of weight times (value - mean in the node).
    ///
    /// **What they mean:** the columns in which this row left the others early. Positive contributions raise the
    /// score, negative ones lower it.
    ///
    /// **What they do not mean:** a cause, nor a distance or a direction. Of two columns that always move together,
    /// chance decides which gets a split, and they share what one of them would have got. Small contributions are
    /// within the noise of the forest. The columns a reader looks for are often ranked better by how far they are
    /// from their usual values, which [`RobustScale`](crate::RobustScale) tells.
    ///
    /// # Errors
    ///
    /// Refuses a row or a buffer with another number of columns, and values that are NaN or infinite.
    pub fn explain_row(&self, row: &[F], contributions: &mut [f64]) -> Result<F> {
        self.check_row(row)?;
        records::check_columns(self.columns, contributions.len())?;
        contributions.fill(0.0);

        // The gains are whole numbers, of which a double holds sums without rounding.
        let mut total = 0;
        for tree in 0..self.trees.len() {
            let mut value = EXPECTED;
            self.trees.follow(tree, row, |place, below| {
                let gain = f64::from(value) - f64::from(below);
                value = below;
                if gain != 0.0 {
                    self.share_out(gain, place, row, contributions);
                }
            });
            total += u64::from(value);
        }
        let unit = self.trees.len() as f64 * f64::from(EXPECTED);
        contributions.iter_mut().for_each(|contribution| *contribution /= unit);
        Ok(F::cast(path::score(total, self.trees.len())))
    }

    /// Credits the columns of the split at `place` with `gain`.
    fn share_out(&self, gain: f64, place: usize, row: &[F], contributions: &mut [f64]) {
        if self.trees.terms == 1 {
            contributions[usize::from(self.trees.columns[place])] += gain;
            return;
        }
        let sizes = || {
            self.trees.terms_at(place, row).map(|(column, term)| (column, term.abs().to_f64().unwrap_or(0.0)))
        };
        let whole: f64 = sizes().map(|(_, size)| size).sum();
        let mut left = gain;
        let mut largest = (0, 0.0);
        for (column, size) in sizes() {
            // Whole numbers again, so that nothing is lost to rounding.
            let share = (gain * (size / whole)).round();
            let share = if share.is_finite() { share } else { 0.0 };
            contributions[column] += share;
            left -= share;
            if size >= largest.1 {
                largest = (column, size);
            }
        }
        contributions[largest.0] += left;
    }
}

impl<F: Float> Trees<F> {
    /// Returns by how much each column of the hyperplane at `place` moves the row from the node's middle.
    fn terms_at<'a>(&'a self, place: usize, row: &'a [F]) -> impl Iterator<Item = (usize, F)> + 'a {
        let range = place * self.terms..(place + 1) * self.terms;
        let columns = self.columns[range.clone()].iter().map(|&column| usize::from(column));
        let weights = self.weights[range.clone()].iter().zip(&self.centres[range]);
        columns.zip(weights).map(|(column, (&weight, &centre))| (column, weight * (row[column] - centre)))
    }
}
