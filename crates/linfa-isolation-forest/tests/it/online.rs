//! Single rows, and forests that follow the rows.

use linfa_isolation_forest::{IsolationForest, IsolationForestError, RobustScale, RollingForest};
use ndarray::{Array2, Axis, concatenate};

use crate::rows::{cloud, fit};

#[test]
fn single_rows_are_scored_without_allocating() {
    for level in [0, 1, 2] {
        let rows = cloud(300, 8, 1);
        let forest = fit(IsolationForest::params().extension_level(level), &rows).unwrap();
        let scale = RobustScale::fit(&rows).unwrap();
        let row = [0.5; 8];
        let (mut contributions, mut z_scores) = ([0.0; 8], [0.0; 8]);
        let counts = allocation_counter::measure(|| {
            forest.score_row(&row).unwrap();
            forest.explain_row(&row, &mut contributions).unwrap();
            scale.z_scores(&row, &mut z_scores).unwrap();
        });
        assert_eq!(counts.count_total, 0, "level {level}");
    }
}

#[test]
fn replaced_trees_are_the_oldest() {
    let (old, new) = (cloud(600, 2, 1), cloud(600, 2, 2) + 20.0);
    let mut forest = fit(IsolationForest::params().trees(10).seed(5), &old).unwrap();
    let at_new = |forest: &IsolationForest<f64>| forest.score_row(&[20.0, 20.0]).unwrap();
    let mut scores = vec![at_new(&forest)];
    for _ in 0..5 {
        forest.replace_oldest(2, &new).unwrap();
        scores.push(at_new(&forest));
    }
    // With every pair of old trees that goes, the new rows look more ordinary; at last no old tree is left.
    assert!(scores.windows(2).all(|pair| pair[1] < pair[0]), "{scores:?}");
    assert!(scores[0] > 0.65 && scores[5] < 0.5, "{scores:?}");
    assert!(forest.score_row(&[0.0, 0.0]).unwrap() > 0.65);
}

#[test]
fn steps_of_any_size_renew_the_same_trees() {
    let (old, new) = (cloud(600, 2, 1), cloud(600, 2, 2));
    let params = || IsolationForest::params().trees(12).seed(5);
    let (mut at_once, mut by_steps) = (fit(params(), &old).unwrap(), fit(params(), &old).unwrap());
    at_once.replace_oldest(12, &new).unwrap();
    for count in [5, 0, 1, 6] {
        by_steps.replace_oldest(count, &new).unwrap();
    }
    assert_eq!(at_once, by_steps);
    assert_ne!(at_once, fit(params(), &new).unwrap(), "renewed trees draw numbers of their own");
}

#[test]
fn a_forest_renewed_in_full_is_as_good_as_a_new_one() {
    let (old, new, fresh) = (cloud(600, 2, 1), cloud(600, 2, 2) * 3.0, cloud(600, 2, 3) * 3.0);
    let params = || IsolationForest::params().trees(500);
    let mut forest = fit(params(), &old).unwrap();
    forest.replace_oldest(500, &new).unwrap();
    let (renewed, anew) =
        (forest.try_scores(&fresh).unwrap(), fit(params(), &new).unwrap().try_scores(&fresh).unwrap());
    let largest = (renewed - anew).iter().fold(0.0_f64, |largest, difference| largest.max(difference.abs()));
    assert!(largest < 0.04, "{largest}");
}

#[test]
fn trees_on_few_rows_fit_in() {
    let mut forest = fit(IsolationForest::params().trees(50), &cloud(600, 2, 1)).unwrap();
    forest.replace_oldest(25, &cloud(20, 2, 2)).unwrap();
    forest.replace_oldest(5, &cloud(1, 2, 2)).unwrap();
    let (near, far) = (forest.score_row(&[0.0, 0.0]).unwrap(), forest.score_row(&[9.0, 9.0]).unwrap());
    assert!(near < 0.5 && far > 0.6, "{near} and {far}");
}

#[test]
fn what_cannot_renew_leaves_the_forest_as_it_was() {
    let mut forest = fit(IsolationForest::params().trees(10), &cloud(300, 2, 1)).unwrap();
    let before = forest.clone();
    let mut bad = cloud(100, 2, 2);
    bad[[40, 1]] = f64::NAN;
    assert!(matches!(
        forest.replace_oldest(11, &cloud(100, 2, 2)),
        Err(IsolationForestError::Replace { asked: 11, trees: 10 })
    ));
    assert!(matches!(
        forest.replace_oldest(1, &bad),
        Err(IsolationForestError::NotFinite { row: 40, column: 1 })
    ));
    assert!(matches!(forest.replace_oldest(1, &Array2::zeros((0, 2))), Err(IsolationForestError::NoRows)));
    assert!(matches!(
        forest.replace_oldest(1, &cloud(100, 3, 2)),
        Err(IsolationForestError::Columns { expected: 2, found: 3 })
    ));
    assert_eq!(forest, before);
}

#[test]
fn the_window_keeps_the_latest_rows() {
    let forest = fit(IsolationForest::params().trees(20), &cloud(300, 2, 1)).unwrap();
    let mut rolling = RollingForest::new(forest.clone(), 50);
    assert!(matches!(rolling.renew(1), Err(IsolationForestError::NoRows)));
    let (early, late) = (cloud(80, 2, 2), cloud(50, 2, 3) + 30.0);
    for row in concatenate![Axis(0), early, late].rows() {
        rolling.push(&row.to_vec()).unwrap();
        assert!(rolling.rows() <= 50);
    }
    assert_eq!(rolling.window().unwrap().dim(), (50, 2));
    assert!(rolling.window().unwrap().iter().all(|value| *value > 10.0), "no early row is left");
    rolling.renew(20).unwrap();
    assert!(rolling.forest().score_row(&[30.0, 30.0]).unwrap() < 0.5);
    assert!(rolling.forest().score_row(&[0.0, 0.0]).unwrap() > 0.6, "no early row is left");

    assert!(matches!(
        rolling.push(&[1.0, f64::NAN]),
        Err(IsolationForestError::NotFinite { row: 0, column: 1 })
    ));
    assert!(matches!(rolling.push(&[1.0]), Err(IsolationForestError::Columns { expected: 2, found: 1 })));
    assert_eq!(rolling.rows(), 50);
    rolling.forest_mut().set_threshold(0.9).unwrap();
    assert_eq!(rolling.into_forest().threshold(), 0.9);
}
