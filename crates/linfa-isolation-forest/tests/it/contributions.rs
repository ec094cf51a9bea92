//! Contributions of columns.

use linfa_isolation_forest::{IsolationForest, IsolationForestError};

use crate::rows::{cloud, fit};

#[test]
fn contributions_point_at_the_odd_column() {
    for level in [0, 1] {
        let forest =
            fit(IsolationForest::params().seed(1).extension_level(level), &cloud(500, 6, 2)).unwrap();
        for odd in 0..6 {
            let mut row = [0.1; 6];
            row[odd] = 7.0;
            let mut contributions = [0.0; 6];
            let score = forest.explain_row(&row, &mut contributions).unwrap();
            assert_eq!(score, forest.score_row(&row).unwrap());
            for (column, contribution) in contributions.iter().enumerate() {
                assert!(
                    column == odd || *contribution < 0.5 * contributions[odd],
                    "level {level}, column {odd}: {contributions:?}"
                );
            }
        }
    }
}

#[test]
fn a_row_as_expected_owes_nothing() {
    let rows = ndarray::Array2::from_elem((50, 2), 1.0);
    let forest = fit(IsolationForest::params(), &rows).unwrap();
    let mut contributions = [9.0; 2];
    assert_eq!(forest.explain_row(&[1.0, 1.0], &mut contributions).unwrap(), 0.5);
    assert_eq!(contributions, [0.0; 2]);
}

#[test]
fn buffers_and_rows_that_do_not_fit_are_refused() {
    let forest = fit(IsolationForest::params().trees(5), &cloud(100, 2, 2)).unwrap();
    let refused = |row: &[f64], places: usize| forest.explain_row(row, &mut vec![0.0; places]).unwrap_err();
    assert!(matches!(refused(&[0.0; 3], 2), IsolationForestError::Columns { expected: 2, found: 3 }));
    assert!(matches!(refused(&[0.0; 2], 1), IsolationForestError::Columns { expected: 2, found: 1 }));
    assert!(matches!(
        refused(&[0.0, f64::INFINITY], 2),
        IsolationForestError::NotFinite { row: 0, column: 1 }
    ));
}
