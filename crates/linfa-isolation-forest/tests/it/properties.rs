//! What holds for every forest.

use linfa_isolation_forest::{IsolationForest, IsolationForestParams};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

use crate::rows::{cloud, fit, moments};

/// Tables with ties, constant columns and wide ranges.
fn tables() -> impl Strategy<Value = Array2<f64>> {
    (1usize..60, 1usize..6).prop_flat_map(|(rows, columns)| {
        let cell = prop_oneof![
            3 => -3i32..4,
            1 => Just(0),
        ];
        let scales =
            proptest::collection::vec(prop_oneof![Just(0.0), Just(1.0), Just(1e-200), Just(1e200)], columns);
        (proptest::collection::vec(cell, rows * columns), scales).prop_map(move |(cells, scales)| {
            let mut table = Array2::from_shape_vec((rows, columns), cells).unwrap().mapv(f64::from);
            for (mut column, scale) in table.columns_mut().into_iter().zip(scales) {
                column *= scale;
            }
            table
        })
    })
}

fn forests() -> impl Strategy<Value = (IsolationForestParams, usize)> {
    (1usize..40, 2usize..80, 0usize..3, any::<u64>()).prop_map(|(trees, sample, level, seed)| {
        (IsolationForest::params().trees(trees).sample_size(sample).seed(seed), level)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_above_nought_and_at_most_one(table in tables(), (params, level) in forests()) {
        let forest = fit(params.extension_level(level.min(table.ncols() - 1)), &table).unwrap();
        for score in forest.try_scores(&table).unwrap() {
            prop_assert!(score > 0.0 && score <= 1.0, "{score}");
        }
        let far = vec![f64::MAX; table.ncols()];
        let score = forest.score_row(&far).unwrap();
        prop_assert!(score > 0.0 && score <= 1.0, "{score}");
    }

    #[test]
    fn a_row_has_its_score_whatever_is_around_it(table in tables(), (params, level) in forests(), turn in 0usize..60) {
        let forest = fit(params.extension_level(level.min(table.ncols() - 1)), &table).unwrap();
        let scores = forest.try_scores(&table).unwrap();
        let rows = table.nrows();
        let places: Vec<usize> = (0..rows).map(|row| rows - 1 - (row + turn) % rows).collect();
        let permuted = forest.try_scores(&table.select(Axis(0), &places)).unwrap();
        let by_columns = table.t().as_standard_layout().to_owned();
        let transposed = forest.try_scores(&by_columns.t()).unwrap();
        for (place, &row) in places.iter().enumerate() {
            prop_assert_eq!(permuted[place], scores[row]);
            prop_assert_eq!(transposed[row], scores[row]);
            prop_assert_eq!(forest.score_row(&table.row(row).to_vec()).unwrap(), scores[row]);
        }
    }

    #[test]
    fn the_order_of_fitted_rows_changes_nothing(table in tables(), seed in any::<u64>(), turn in 0usize..60) {
        let params = IsolationForest::params().trees(20).seed(seed);
        let rows = table.nrows();
        let places: Vec<usize> = (0..rows).map(|row| rows - 1 - (row + turn) % rows).collect();
        let forest = fit(params.clone(), &table).unwrap();
        prop_assert_eq!(forest, fit(params, &table.select(Axis(0), &places)).unwrap());
    }

    #[test]
    fn the_same_seed_gives_the_same_forest(table in tables(), (params, level) in forests()) {
        let params = params.extension_level(level.min(table.ncols() - 1));
        prop_assert_eq!(fit(params.clone(), &table).unwrap(), fit(params, &table).unwrap());
    }

    #[test]
    fn contributions_add_up_to_the_excess(table in tables(), (params, level) in forests()) {
        let forest = fit(params.extension_level(level.min(table.ncols() - 1)), &table).unwrap();
        let mut contributions = vec![0.0; table.ncols()];
        for row in table.rows() {
            let score = forest.explain_row(&row.to_vec(), &mut contributions).unwrap();
            prop_assert_eq!(score, forest.score_row(&row.to_vec()).unwrap());
            let sum: f64 = contributions.iter().sum();
            prop_assert!((sum - (score / 0.5).log2()).abs() < 1e-12, "{sum} for a score of {score}");
        }
    }

    #[test]
    fn a_far_point_scores_above_a_near_one(columns in 1usize..8, seed in 0u64..1000, level in 0usize..3, distance in 6.0f64..1e6) {
        let params = IsolationForest::params().trees(50).seed(seed).extension_level(level.min(columns - 1));
        let forest = fit(params, &cloud(300, columns, seed + 1)).unwrap();
        let near = forest.score_row(&vec![0.0; columns]).unwrap();
        let far = forest.score_row(&vec![distance; columns]).unwrap();
        prop_assert!(near < 0.5 && far > 0.6, "{near} and {far}");
    }

    #[test]
    fn a_threshold_is_exceeded_by_its_share_at_most(table in tables(), seed in any::<u64>(), share in 0.001f64..0.5) {
        let mut forest = fit(IsolationForest::params().trees(10).seed(seed), &table).unwrap();
        forest.calibrate(&table, share).unwrap();
        let above = forest.try_labels(&table).unwrap().iter().filter(|label| **label).count();
        prop_assert!(above as f64 <= share * table.nrows() as f64);
    }
}

#[test]
fn more_trees_reduce_the_variance() {
    let rows = cloud(500, 3, 1);
    let deviation = |trees: usize| {
        let scores: Vec<f64> = (0..60)
            .map(|seed| fit(IsolationForest::params().trees(trees).seed(seed), &rows).unwrap())
            .map(|forest| forest.score_row(&[1.0, -1.0, 2.0]).unwrap())
            .collect();
        moments(&scores).1
    };
    let (few, some, many) = (deviation(5), deviation(50), deviation(500));
    // Independent trees: ten times the trees divide the deviation by the root of ten.
    assert!((2.0..5.0).contains(&(few / some)), "{few} with 5 trees, {some} with 50");
    assert!((2.0..5.0).contains(&(some / many)), "{some} with 50 trees, {many} with 500");
}

#[test]
fn seeds_give_different_forests() {
    let rows = cloud(300, 2, 1);
    let forest = |seed| fit(IsolationForest::params().trees(5).seed(seed), &rows).unwrap();
    assert_ne!(forest(1).try_scores(&rows).unwrap(), forest(2).try_scores(&rows).unwrap());
}

#[test]
fn a_seed_names_the_same_forest_for_ever() {
    // Who stores a seed instead of a forest relies on these figures.
    let rows = Array2::from_shape_fn((40, 2), |(row, column)| ((row * 7 + column * 11) % 23) as f64);
    for (level, expected) in [(0, 0.516_137_395_761_984_9), (1, 0.531_656_070_943_263_4)] {
        let params = IsolationForest::params().trees(10).sample_size(32).seed(42).extension_level(level);
        let score = fit(params, &rows).unwrap().score_row(&[3.0, 21.0]).unwrap();
        assert!((score - expected).abs() < 1e-12, "level {level}: {score}");
    }
}
