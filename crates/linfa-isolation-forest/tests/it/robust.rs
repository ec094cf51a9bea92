//! Robust z-scores.

use linfa_isolation_forest::{IsolationForestError, RobustScale};
use ndarray::{Array1, Array2, array};

use crate::rows::cloud;

fn scale_of(values: Array1<f64>) -> (f64, f64) {
    let rows = values.insert_axis(ndarray::Axis(1));
    let scale = RobustScale::fit(&rows).unwrap();
    (scale.medians()[0], scale.scales()[0])
}

#[test]
fn outliers_do_not_move_the_scale() {
    let mut rows = cloud(1_000, 1, 4);
    for row in 0..100 {
        rows[[row, 0]] = 20.0;
    }
    let scale = RobustScale::fit(&rows).unwrap();
    assert!(scale.medians()[0].abs() < 0.25, "{:?}", scale.medians());
    assert!((0.8..1.4).contains(&scale.scales()[0]), "{:?}", scale.scales());
    let mut z = [0.0];
    scale.z_scores(&[20.0], &mut z).unwrap();
    assert!(z[0] > 13.0);
    scale.z_scores(&[-20.0], &mut z).unwrap();
    assert!(z[0] < -13.0);
}

#[test]
fn the_scale_has_a_substitute_for_every_column() {
    // The median absolute deviation.
    let (median, scale) = scale_of(array![1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(median, 3.0);
    assert!((scale - 1.4826).abs() < 1e-12);
    // Half the values are alike: the quartiles' distance.
    let (median, scale) = scale_of(array![0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0]);
    assert_eq!(median, 0.0);
    assert!((scale - 2.0 / 1.349).abs() < 1e-12, "{scale}");
    // The quartiles are alike too: the standard deviation.
    let mut values = Array1::zeros(100);
    values[0] = 10.0;
    let (median, scale) = scale_of(values);
    assert_eq!(median, 0.0);
    assert!((scale - 0.99_f64.sqrt()).abs() < 1e-12, "{scale}");
    // Everything is alike.
    assert_eq!(scale_of(Array1::from_elem(5, 3.0)), (3.0, 1.0));
}

#[test]
fn a_narrow_middle_does_not_make_everything_odd() {
    let mut values = Array1::from_shape_fn(100, |row| row as f64 * 1e-9);
    values[99] = 1_000.0;
    let (_, scale) = scale_of(values);
    assert!((scale - 9.95).abs() < 0.1, "a tenth of the deviation and not {scale}");
}

#[test]
fn the_widest_columns_have_a_scale() {
    let mut values = Array1::from_elem(9, 0.0);
    values[0] = f64::MAX;
    values[1] = f64::MIN;
    let (median, scale) = scale_of(values);
    assert_eq!(median, 0.0);
    assert!(scale > 0.0 && scale.is_finite(), "{scale}");
}

#[test]
fn what_cannot_be_scaled_is_refused() {
    assert!(matches!(RobustScale::fit(&Array2::<f64>::zeros((0, 2))), Err(IsolationForestError::NoRows)));
    assert!(matches!(
        RobustScale::fit(&array![[1.0, f64::NAN]]),
        Err(IsolationForestError::NotFinite { row: 0, column: 1 })
    ));
    let scale = RobustScale::fit(&cloud(10, 2, 1)).unwrap();
    assert!(matches!(
        scale.z_scores(&[1.0], &mut [0.0, 0.0]),
        Err(IsolationForestError::Columns { expected: 2, found: 1 })
    ));
    assert!(scale.z_scores(&[1.0, 2.0], &mut [0.0]).is_err());
}
