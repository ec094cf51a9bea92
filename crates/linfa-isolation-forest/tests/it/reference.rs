//! Scores beside those of scikit-learn; `data/reference.py` tells how these were made.

use linfa_isolation_forest::IsolationForest;
use ndarray::{Array2, Axis, Slice};

use crate::rows::fit;

/// Reads the table and the scores beside it.
fn reference() -> (Array2<f64>, Vec<f64>) {
    let lines = include_str!("../data/reference.csv").lines().skip(1);
    let cells: Vec<f64> = lines.flat_map(|line| line.split(',')).map(|cell| cell.parse().unwrap()).collect();
    let table = Array2::from_shape_vec((cells.len() / 5, 5), cells).unwrap();
    (table.slice_axis(Axis(1), Slice::from(..4)).to_owned(), table.column(4).to_vec())
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let (rows, expected) = reference();
    let forest = fit(IsolationForest::params().trees(5_000).seed(1), &rows).unwrap();
    let scores = forest.try_scores(&rows).unwrap();

    let differences: Vec<f64> =
        scores.iter().zip(&expected).map(|(score, expected)| score - expected).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let largest = differences.iter().fold(0.0_f64, |largest, difference| largest.max(difference.abs()));
    // scikit-learn takes the logarithm for the harmonic number, so its paths into leaves of three and more rows are
    // shorter, and its scores a little higher.
    assert!((-0.005..=0.0).contains(&mean), "mean difference {mean}");
    assert!(largest < 0.01, "largest difference {largest}");
}

#[test]
fn the_order_of_rows_is_that_of_scikit_learn() {
    let (rows, expected) = reference();
    let forest = fit(IsolationForest::params().trees(5_000).seed(2), &rows).unwrap();
    let scores = forest.try_scores(&rows).unwrap().to_vec();
    let (ranks, expected) = (ranks(&scores), ranks(&expected));
    let (count, squares) =
        (scores.len() as f64, ranks.iter().zip(&expected).map(|(one, other)| (one - other).powi(2)));
    let correlation = 1.0 - 6.0 * squares.sum::<f64>() / (count * (count * count - 1.0));
    assert!(correlation > 0.999, "rank correlation {correlation}");
}

fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&one, &other| numbers[one].total_cmp(&numbers[other]));
    let mut ranks = vec![0.0; numbers.len()];
    for (rank, place) in order.into_iter().enumerate() {
        ranks[place] = rank as f64;
    }
    ranks
}
