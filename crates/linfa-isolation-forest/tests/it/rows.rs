//! Rows to test with.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_isolation_forest::{IsolationForest, IsolationForestParams, Result};
use ndarray::{Array1, Array2};

/// Makes a cloud around the origin, about as wide as a normal one, of `columns` independent columns.
pub fn cloud(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    Array2::from_shape_simple_fn((rows, columns), || (0..12).map(|_| uniform()).sum::<f64>() - 6.0)
}

/// Fits a forest on rows.
pub fn fit(params: IsolationForestParams, rows: &Array2<f64>) -> Result<IsolationForest<f64>> {
    params.fit(&DatasetBase::from(rows.view()))
}

/// Returns the mean and the standard deviation.
pub fn moments(numbers: &[f64]) -> (f64, f64) {
    let numbers = Array1::from(numbers.to_vec());
    (numbers.mean().unwrap_or(f64::NAN), numbers.std(0.0))
}
