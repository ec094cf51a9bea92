//! Scores of rows.

use linfa::Float;
use linfa::traits::PredictInplace;
use ndarray::{Array1, ArrayBase, ArrayView2, Data, Ix2};

use crate::algorithm::IsolationForest;
use crate::error::{IsolationForestError, Result};
use crate::path;
use crate::records;
use crate::threads;

/// The bytes of rows scored together: what the trees are compared with stays in the processor's first cache.
const BLOCK_BYTES: usize = 48 * 1024;
/// The most rows scored together.
const BLOCK_ROWS_MAX: usize = 256;
/// The fewest rows scored together.
const BLOCK_ROWS_MIN: usize = 8;

impl<F: Float> IsolationForest<F> {
    /// Scores rows: above 0 and at most 1, higher is more anomalous, 0.5 is as expected.
    ///
    /// # Errors
    ///
    /// Refuses rows with another number of columns and values that are NaN or infinite.
    pub fn try_scores<D: Data<Elem = F>>(&self, records: &ArrayBase<D, Ix2>) -> Result<Array1<F>> {
        let records = records.view();
        records::check_columns(self.columns, records.ncols())?;
        let scores = self.scores(&records);
        if scores.iter().any(|score| score.is_nan()) {
            records::check_finite(&records)?;
        }
        Ok(scores)
    }

    /// Scores a single row, without allocating.
    ///
    /// # Errors
    ///
    /// Refuses a row with another number of columns and values that are NaN or infinite.
    pub fn score_row(&self, row: &[F]) -> Result<F> {
        self.check_row(row)?;
        Ok(F::cast(path::score(self.trees.path(row), self.trees.len())))
    }

    /// Refuses a row that has no score.
    pub(crate) fn check_row(&self, row: &[F]) -> Result<()> {
        records::check_columns(self.columns, row.len())?;
        if records::is_finite(row) {
            return Ok(());
        }
        let column = row.iter().position(|cell| !cell.is_finite()).unwrap_or(0);
        Err(IsolationForestError::NotFinite { row: 0, column })
    }

    /// Scores rows; what has no score is NaN.
    fn scores(&self, records: &ArrayView2<'_, F>) -> Array1<F> {
        if records.ncols() != self.columns {
            return Array1::from_elem(records.nrows(), F::nan());
        }
        let trees = self.trees.len();
        let totals = self.totals(records).into_iter();
        totals
            .map(|total| if total == NO_SCORE { F::nan() } else { F::cast(path::score(total, trees)) })
            .collect()
    }

    /// Adds up the paths of rows that have the right number of columns.
    pub(crate) fn totals(&self, records: &ArrayView2<'_, F>) -> Vec<u64> {
        let block = (BLOCK_BYTES / (self.columns * size_of::<F>())).clamp(BLOCK_ROWS_MIN, BLOCK_ROWS_MAX);
        let block = block - block % BLOCK_ROWS_MIN;
        let mut totals = vec![0; records.nrows()];
        let blocks = totals.chunks_mut(block).enumerate();
        threads::for_each(
            blocks,
            || (),
            |(), (number, totals)| {
                let first = number * block;
                records::with_rows(records, first, first + totals.len(), |cells| {
                    self.add_block(cells, totals)
                });
            },
        );
        totals
    }

    fn add_block(&self, cells: &[F], totals: &mut [u64]) {
        self.trees.add_paths(cells, self.columns, totals);
        if !records::is_finite(cells) {
            for (row, total) in cells.chunks_exact(self.columns).zip(totals) {
                if !records::is_finite(row) {
                    *total = NO_SCORE;
                }
            }
        }
    }
}

/// The total of a row that has no score; no sum of paths is as high.
const NO_SCORE: u64 = u64::MAX;

/// Predicts scores. What has no score is NaN: rows with a value that is NaN or infinite, and all rows when they
/// have another number of columns than the forest. [`try_scores`](IsolationForest::try_scores) says why.
impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<F>> for IsolationForest<F> {
    fn predict_inplace(&self, records: &ArrayBase<D, Ix2>, scores: &mut Array1<F>) {
        *scores = self.scores(&records.view());
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<F> {
        Array1::from_elem(records.nrows(), F::nan())
    }
}
