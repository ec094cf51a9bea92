//! What parameters and odd data lead to.

use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use linfa_isolation_forest::{IsolationForest, IsolationForestError, IsolationForestParams, Threshold};
use ndarray::{Array1, Array2, array};

use crate::rows::{cloud, fit};

fn params() -> IsolationForestParams {
    IsolationForest::params().trees(50).seed(3)
}

#[test]
fn parameters_out_of_range_are_refused() {
    let table: [(IsolationForestParams, &str); 12] = [
        (params().trees(0), "0 trees: the number must be from 1 to 65536"),
        (params().trees(65_537), "65537 trees: the number must be from 1 to 65536"),
        (params().sample_size(1), "a sample of 1 rows: the number must be from 2 to 1048576"),
        (params().sample_size(1 << 21), "a sample of 2097152 rows: the number must be from 2 to 1048576"),
        (params().max_features(0.0), "a share of 0 of the features: it must be above 0 and at most 1"),
        (params().max_features(1.01), "a share of 1.01 of the features: it must be above 0 and at most 1"),
        (params().max_features(f64::NAN), "a share of NaN of the features: it must be above 0 and at most 1"),
        (params().contamination(0.0), "a contamination of 0: it must be above 0 and at most 0.5"),
        (params().contamination(0.6), "a contamination of 0.6: it must be above 0 and at most 0.5"),
        (params().contamination(f64::NAN), "a contamination of NaN: it must be above 0 and at most 0.5"),
        (params().threshold(-0.1), "a threshold of -0.1: it must be from 0 to 1"),
        (params().threshold(f64::INFINITY), "a threshold of inf: it must be from 0 to 1"),
    ];
    for (params, message) in table {
        assert_eq!(params.check_ref().unwrap_err().to_string(), message);
        assert_eq!(fit(params.clone(), &cloud(20, 2, 1)).unwrap_err().to_string(), message);
        assert!(params.check().is_err());
    }
}

#[test]
fn checked_parameters_tell_what_was_set() {
    let params =
        params().sample_size(64).max_features(0.5).extension_level(1).contamination(0.1).check().unwrap();
    assert_eq!((params.trees(), params.sample_size(), params.seed()), (50, 64, 3));
    assert_eq!((params.max_features(), params.extension_level()), (0.5, 1));
    assert_eq!(params.threshold(), Threshold::Contamination(0.1));
}

#[test]
fn rows_that_teach_nothing_are_refused() {
    let refused = |rows: Array2<f64>| fit(params(), &rows).unwrap_err();
    assert!(matches!(refused(Array2::zeros((0, 3))), IsolationForestError::NoRows));
    assert!(matches!(refused(Array2::zeros((3, 0))), IsolationForestError::NoColumns));
    assert!(matches!(
        refused(Array2::zeros((1, 65_537))),
        IsolationForestError::TooManyColumns { columns: 65_537 }
    ));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut rows = cloud(1_000, 3, 1);
        rows[[700, 2]] = value;
        assert!(matches!(refused(rows.clone()), IsolationForestError::NotFinite { row: 700, column: 2 }));
        // The same where rows do not lie in one piece.
        let rows = rows.reversed_axes().as_standard_layout().to_owned().reversed_axes();
        assert!(matches!(refused(rows), IsolationForestError::NotFinite { row: 700, column: 2 }));
    }
}

#[test]
fn an_extension_beyond_the_columns_is_refused() {
    let rows = cloud(50, 4, 1);
    let refused = |params| fit(params, &rows).unwrap_err().to_string();
    assert_eq!(refused(params().extension_level(4)), "extension level 4 needs 5 columns, a tree has 4");
    assert_eq!(
        refused(params().extension_level(2).max_features(0.5)),
        "extension level 2 needs 3 columns, a tree has 2"
    );
    assert_eq!(
        refused(params().extension_level(usize::MAX)),
        format!("extension level {} needs {} columns, a tree has 4", usize::MAX, usize::MAX)
    );
    assert!(fit(params().extension_level(3), &rows).is_ok());
}

#[test]
fn a_forest_beyond_memory_is_refused() {
    let error = fit(params().trees(65_536).sample_size(1 << 20), &cloud(5_000, 1, 1)).unwrap_err();
    assert_eq!(error.to_string(), "65536 trees of 8192 nodes with 1 columns a split are too large a forest");
}

#[test]
fn one_row_teaches_that_everything_is_as_expected() {
    for level in [0, 1] {
        let forest = fit(params().extension_level(level), &array![[3.0, 4.0]]).unwrap();
        assert_eq!(forest.score_row(&[3.0, 4.0]).unwrap(), 0.5);
        assert_eq!(forest.score_row(&[1e9, -1e9]).unwrap(), 0.5);
    }
}

#[test]
fn equal_rows_are_all_as_expected() {
    for level in [0, 1] {
        let rows = Array2::from_elem((300, 2), 7.5);
        let forest = fit(params().extension_level(level).contamination(0.1), &rows).unwrap();
        assert!(forest.try_scores(&rows).unwrap().iter().all(|score| *score == 0.5));
        assert!(forest.try_labels(&rows).unwrap().iter().all(|label| !label));
    }
}

#[test]
fn duplicates_of_an_outlier_make_it_less_of_one() {
    let mut rows = cloud(256, 2, 5);
    rows.row_mut(0).fill(9.0);
    let alone = fit(params(), &rows).unwrap().score_row(&[9.0, 9.0]).unwrap();
    for row in 1..40 {
        rows.row_mut(row).fill(9.0);
    }
    let among_many = fit(params(), &rows).unwrap().score_row(&[9.0, 9.0]).unwrap();
    assert!(among_many < alone - 0.1, "{among_many} among duplicates, {alone} alone");
}

#[test]
fn constant_columns_change_nothing() {
    let rows = cloud(400, 2, 2);
    let mut wider = Array2::from_elem((400, 40), -1.0);
    wider.column_mut(7).assign(&rows.column(0));
    wider.column_mut(31).assign(&rows.column(1));
    let mut far = vec![-1.0; 40];
    far[31] = 8.0;

    let narrow = fit(params().trees(1_000), &rows).unwrap().score_row(&[0.0, 8.0]).unwrap();
    far[7] = 0.0;
    let wide = fit(params().trees(1_000), &wider).unwrap().score_row(&far).unwrap();
    assert!((narrow - wide).abs() < 0.01, "{narrow} without, {wide} with constant columns");
}

#[test]
fn a_column_that_was_constant_is_never_asked() {
    let mut rows = cloud(400, 2, 2);
    rows.column_mut(1).fill(5.0);
    let forest = fit(params(), &rows).unwrap();
    assert_eq!(forest.score_row(&[0.3, 5.0]).unwrap(), forest.score_row(&[0.3, 1e300]).unwrap());
}

#[test]
fn rows_without_a_score_are_told_by_name() {
    let forest = fit(params(), &cloud(400, 3, 4)).unwrap();
    let mut rows = cloud(600, 3, 5);
    rows[[333, 1]] = f64::NAN;
    rows[[444, 2]] = f64::INFINITY;

    assert!(matches!(forest.try_scores(&rows), Err(IsolationForestError::NotFinite { row: 333, column: 1 })));
    assert!(matches!(forest.try_labels(&rows), Err(IsolationForestError::NotFinite { row: 333, column: 1 })));
    assert!(matches!(
        forest.score_row(&[0.0, 0.0, f64::NAN]),
        Err(IsolationForestError::NotFinite { row: 0, column: 2 })
    ));

    let scores: Array1<f64> = forest.predict(&rows);
    let labels: Array1<Option<bool>> = forest.labels().predict(&rows);
    for row in 0..600 {
        assert_eq!(scores[row].is_nan(), row == 333 || row == 444, "row {row}");
        assert_eq!(labels[row].is_none(), scores[row].is_nan(), "row {row}");
    }
}

#[test]
fn another_number_of_columns_is_refused() {
    let forest = fit(params(), &cloud(400, 3, 4)).unwrap();
    let wide = cloud(10, 4, 5);
    let message = "4 columns, the model has 3";
    assert_eq!(forest.try_scores(&wide).unwrap_err().to_string(), message);
    assert_eq!(forest.score_row(&[0.0; 4]).unwrap_err().to_string(), message);
    let scores: Array1<f64> = forest.predict(&wide);
    assert!(scores.iter().all(|score| score.is_nan()));
}

#[test]
fn no_rows_have_no_scores() {
    let forest = fit(params(), &cloud(400, 3, 4)).unwrap();
    assert!(forest.try_scores(&Array2::zeros((0, 3))).unwrap().is_empty());
}

#[test]
fn the_widest_numbers_lead_to_scores() {
    for level in [0, 1, 2] {
        let mut rows = cloud(300, 3, 9) * (f64::MAX / 10.0);
        rows[[0, 0]] = f64::MAX;
        rows[[1, 0]] = f64::MIN;
        rows.column_mut(1).fill(0.0);
        rows[[5, 1]] = f64::from_bits(1);
        let forest = fit(params().extension_level(level), &rows).unwrap();
        let scores = forest.try_scores(&rows).unwrap();
        assert!(scores.iter().all(|score| *score > 0.0 && *score <= 1.0), "level {level}");
        assert!(scores[0] > 0.5 && scores[1] > 0.5, "level {level}: {} {}", scores[0], scores[1]);
        let mut contributions = [0.0; 3];
        let score = forest.explain_row(&[f64::MAX, f64::MIN, f64::MAX], &mut contributions).unwrap();
        assert!((contributions.iter().sum::<f64>() - (score / 0.5).log2()).abs() < 1e-9, "level {level}");
    }
}

#[test]
fn large_counters_keep_their_small_steps() {
    // Steps of 100 around 1e12 vanish in single precision.
    let rows = cloud(256, 1, 3).mapv(|value| 1e12 + (value * 100.0).round());
    let forest = fit(params().trees(300), &rows).unwrap();
    let small = fit(params().trees(300), &rows.mapv(|value| value - 1e12)).unwrap();
    for step in [-400.0, -100.0, 0.0, 50.0, 300.0] {
        let (large, small) = (forest.score_row(&[1e12 + step]).unwrap(), small.score_row(&[step]).unwrap());
        assert!((large - small).abs() < 0.01, "step {step}: {large} and {small}");
    }
}

#[test]
fn singles_are_scored_like_doubles() {
    let rows = cloud(500, 3, 6);
    let singles = rows.mapv(|value| value as f32);
    let doubles = fit(params().trees(200), &rows).unwrap().try_scores(&rows).unwrap();
    let forest: IsolationForest<f32> = params().trees(200).fit(&DatasetBase::from(singles.clone())).unwrap();
    let scores: Array1<f32> = forest.try_scores(&singles).unwrap();
    for (score, double) in scores.iter().zip(&doubles) {
        assert!((f64::from(*score) - double).abs() < 0.01, "{score} and {double}");
    }
}

#[test]
fn contamination_is_about_the_share_of_fitted_rows_found() {
    let rows = cloud(2_000, 3, 8);
    for share in [0.02, 0.1, 0.3] {
        let forest = fit(params().trees(200).contamination(share), &rows).unwrap();
        let found = forest.try_labels(&rows).unwrap().iter().filter(|label| **label).count() as f64 / 2_000.0;
        assert!((0.8 * share..1.2 * share).contains(&found), "{found} of {share}");
    }
}

#[test]
fn contamination_is_exact_where_every_tree_knows_every_row() {
    let rows = cloud(200, 3, 8);
    let forest = fit(params().contamination(0.05), &rows).unwrap();
    assert_eq!(forest.try_labels(&rows).unwrap().iter().filter(|label| **label).count(), 10);
}

#[test]
fn contamination_carries_over_to_rows_not_seen() {
    let forest = fit(params().trees(200).contamination(0.1), &cloud(300, 3, 8)).unwrap();
    let found = forest.try_labels(&cloud(20_000, 3, 80)).unwrap().iter().filter(|label| **label).count();
    assert!((0.07..0.13).contains(&(found as f64 / 20_000.0)), "{found} of 20000");
}

#[test]
fn calibration_sets_the_share_exactly() {
    let mut forest = fit(params(), &cloud(500, 2, 1)).unwrap();
    let held_out = cloud(1_000, 2, 2);
    let threshold = forest.calibrate(&held_out, 0.02).unwrap();
    assert_eq!(threshold, forest.threshold());
    assert_eq!(forest.try_labels(&held_out).unwrap().iter().filter(|label| **label).count(), 20);

    assert!(matches!(forest.calibrate(&held_out, 0.0), Err(IsolationForestError::Contamination { .. })));
    assert!(matches!(forest.calibrate(&Array2::zeros((0, 2)), 0.1), Err(IsolationForestError::NoRows)));
    assert!(matches!(forest.set_threshold(1.5), Err(IsolationForestError::Threshold { .. })));
    assert_eq!(threshold, forest.threshold());
}

#[test]
fn trees_of_few_columns_leave_columns_to_others() {
    let rows = cloud(400, 4, 4);
    let forest = fit(params().trees(1).max_features(0.25).seed(5), &rows).unwrap();
    let base = forest.score_row(&[0.0; 4]).unwrap();
    let moved = (0..4).filter(|&column| {
        let mut row = [0.0; 4];
        row[column] = 50.0;
        forest.score_row(&row).unwrap() != base
    });
    assert_eq!(moved.count(), 1);
}

#[test]
fn trees_of_any_size_work() {
    let rows = cloud(3_000, 3, 4);
    for (size, level) in [(2, 0), (3, 0), (100, 0), (257, 0), (3_000, 0), (2, 1), (3_000, 1), (255, 2)] {
        let params = params().trees(37).sample_size(size).extension_level(level);
        let forest = fit(params, &rows).unwrap();
        let scores = forest.try_scores(&rows).unwrap();
        for (row, score) in rows.rows().into_iter().zip(&scores).take(50) {
            assert_eq!(forest.score_row(&row.to_vec()).unwrap(), *score, "sample {size}, level {level}");
        }
        let (near, far) = (forest.score_row(&[0.0; 3]).unwrap(), forest.score_row(&[9.0, 9.0, 9.0]).unwrap());
        // Two rows are always told apart by one split: such trees say nothing.
        assert!(
            if size == 2 { near == far } else { near < far },
            "sample {size}, level {level}: {near} and {far}"
        );
    }
}

#[test]
fn hyperplanes_see_what_axes_do_not() {
    // Two columns that move together: a row off their line is within the range of either.
    let mut rows = cloud(500, 2, 3);
    let together = rows.column(0).to_owned() * 3.0;
    rows.column_mut(1).zip_mut_with(&together, |value, along| *value = *value * 0.1 + along);
    let odd = |level| {
        let forest = fit(params().trees(300).extension_level(level), &rows).unwrap();
        forest.score_row(&[1.5, -4.5]).unwrap() - forest.score_row(&[1.5, 4.5]).unwrap()
    };
    assert!(odd(1) > odd(0) + 0.02, "{} with hyperplanes, {} without", odd(1), odd(0));
}

#[test]
fn names_are_kept_and_checked() {
    let dataset = DatasetBase::from(cloud(100, 2, 1)).with_feature_names(vec!["memory", "latency"]);
    let forest = params().fit(&dataset).unwrap();
    assert_eq!(forest.feature_names(), ["memory", "latency"]);
    assert!(forest.check_feature_names(&["memory", "latency"]).is_ok());
    assert_eq!(
        forest.check_feature_names(&["memory", "clients"]).unwrap_err().to_string(),
        "column 1 is \"clients\", the model learned \"latency\""
    );
    assert!(matches!(
        forest.check_feature_names(&["memory"]),
        Err(IsolationForestError::Columns { expected: 2, found: 1 })
    ));
    let nameless = fit(params(), &cloud(100, 2, 1)).unwrap();
    assert!(nameless.check_feature_names(&["any", "name"]).is_ok());
}
