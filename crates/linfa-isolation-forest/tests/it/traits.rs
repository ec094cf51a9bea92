//! The forest among linfa's other parts.

use linfa::dataset::Labels as _;
use linfa::metrics::ToConfusionMatrix;
use linfa::traits::{Fit, Predict, PredictInplace};
use linfa::{Dataset, DatasetBase, ParamGuard};
use linfa_isolation_forest::{
    AnomalyLabels, IsolationForest, IsolationForestError, IsolationForestParams, IsolationForestValidParams,
    RobustScale, RollingForest,
};
use ndarray::{Array1, Array2, array};

use crate::rows::cloud;

#[test]
fn types_can_be_sent_and_shared() {
    fn is_sent_and_shared<T: Send + Sync + Unpin + 'static>() {}
    is_sent_and_shared::<IsolationForest<f32>>();
    is_sent_and_shared::<IsolationForest<f64>>();
    is_sent_and_shared::<IsolationForestParams>();
    is_sent_and_shared::<IsolationForestValidParams>();
    is_sent_and_shared::<IsolationForestError>();
    is_sent_and_shared::<AnomalyLabels<'static, f64>>();
    is_sent_and_shared::<RobustScale<f64>>();
    is_sent_and_shared::<RollingForest<f64>>();
}

#[test]
fn datasets_with_and_without_targets_are_fitted_alike() {
    let rows = cloud(300, 2, 1);
    let params = IsolationForest::params().trees(20);
    let without: IsolationForest<f64> = params.fit(&DatasetBase::from(rows.clone())).unwrap();
    let with = params.fit(&Dataset::new(rows.clone(), Array1::from_elem(300, true))).unwrap();
    let views = params.fit(&DatasetBase::from(rows.view())).unwrap();
    let checked = params.check().unwrap().fit(&DatasetBase::from(rows)).unwrap();
    assert!(without == with && with == views && views == checked);
}

#[test]
fn predictions_come_in_all_of_linfas_ways() {
    let rows = cloud(300, 2, 1);
    let forest = IsolationForest::params().trees(20).fit(&DatasetBase::from(rows.clone())).unwrap();
    let expected = forest.try_scores(&rows).unwrap();

    let of_records: Array1<f64> = forest.predict(&rows);
    let of_dataset: Array1<f64> = forest.predict(&DatasetBase::from(rows.clone()));
    let within: DatasetBase<Array2<f64>, Array1<f64>> = forest.predict(rows.clone());
    let mut in_place = forest.default_target(&rows);
    forest.predict_inplace(&rows, &mut in_place);
    let mut too_short = Array1::zeros(3);
    forest.predict_inplace(&rows, &mut too_short);
    for scores in [of_records, of_dataset, within.targets, in_place, too_short] {
        assert_eq!(scores, expected);
    }
}

#[test]
fn labels_are_labels_to_linfa() {
    let mut rows = cloud(500, 2, 1);
    rows.row_mut(3).assign(&array![8.0, -8.0]);
    rows.row_mut(5).assign(&array![-8.0, 8.0]);
    let truth = Array1::from_shape_fn(500, |row| row == 3 || row == 5);
    let mut forest = IsolationForest::params().fit(&DatasetBase::from(rows.clone())).unwrap();
    forest.calibrate(&rows, 0.004).unwrap();

    let labels: Array1<Option<bool>> = forest.labels().predict(&rows);
    assert_eq!(labels.label_count()[0].get(&Some(true)), Some(&2));
    let confusion = forest.try_labels(&rows).unwrap().confusion_matrix(&truth).unwrap();
    assert_eq!(confusion.accuracy(), 1.0);
}

#[test]
fn errors_of_linfa_are_passed_on() {
    let error = IsolationForestError::from(linfa::Error::NotEnoughSamples);
    assert_eq!(error.to_string(), "not enough samples");
}
