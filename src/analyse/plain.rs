//! A plain isolation forest on the raw columns, to hold the analysis against.

use linfa::DatasetBase;
use linfa::prelude::Fit as _;
use linfa_isolation_forest::{IsolationForest, IsolationForestError};
use ndarray::{Array2, ArrayView2};

use super::model::Table;

/// The score of each row of `test` by a forest that was fitted on `train`; a gap counts as 0.
///
/// # Errors
/// The tables have no rows, or other columns.
pub fn plain(train: &Table, test: &Table, seed: u64) -> Result<Vec<f64>, IsolationForestError> {
    let forest = IsolationForest::params().seed(seed).fit(&DatasetBase::from(cells(train)?))?;
    Ok(forest.try_scores(&cells(test)?)?.to_vec())
}

fn cells(table: &Table) -> Result<Array2<f64>, IsolationForestError> {
    let cells: Vec<f64> = (0..table.rows()).flat_map(|row| table.row(row).iter().copied()).collect();
    let shape = (table.rows(), table.columns());
    let cells = ArrayView2::from_shape(shape, &cells).map_err(linfa::Error::from)?;
    Ok(cells.mapv(|cell| if cell.is_finite() { cell } else { 0.0 }))
}
