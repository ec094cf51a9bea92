//! Labels: which rows are anomalies.

use linfa::Float;
use linfa::traits::{Predict, PredictInplace};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use crate::algorithm::IsolationForest;
use crate::error::Result;

/// Predicts labels by the forest it was made from; see [`IsolationForest::labels`].
#[derive(Debug, Clone, Copy)]
pub struct AnomalyLabels<'a, F> {
    forest: &'a IsolationForest<F>,
}

impl<F: Float> IsolationForest<F> {
    /// Returns the same forest as a predictor of labels instead of scores.
    pub fn labels(&self) -> AnomalyLabels<'_, F> {
        AnomalyLabels { forest: self }
    }

    /// Labels rows: true where the score is above the threshold.
    ///
    /// # Errors
    ///
    /// Refuses rows with another number of columns and values that are NaN or infinite.
    pub fn try_labels<D: Data<Elem = F>>(&self, records: &ArrayBase<D, Ix2>) -> Result<Array1<bool>> {
        Ok(self.try_scores(records)?.mapv(|score| self.is_anomaly(score)))
    }

    /// Tells whether a score is above the threshold.
    pub fn is_anomaly(&self, score: F) -> bool {
        score.to_f64().is_some_and(|score| score > self.threshold)
    }
}

/// Predicts labels. A row that has no score has no label either.
impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<Option<bool>>>
    for AnomalyLabels<'_, F>
{
    fn predict_inplace(&self, records: &ArrayBase<D, Ix2>, labels: &mut Array1<Option<bool>>) {
        let scores = self.forest.predict(records);
        *labels = scores.mapv(|score: F| (!score.is_nan()).then(|| self.forest.is_anomaly(score)));
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<Option<bool>> {
        Array1::from_elem(records.nrows(), None)
    }
}
