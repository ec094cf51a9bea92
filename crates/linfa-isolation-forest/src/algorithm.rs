//! The forest and how it is fitted.

use linfa::traits::Fit;
use linfa::{DatasetBase, Float};
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};

use crate::error::{IsolationForestError, Result};
use crate::grow::{Ground, Room};
use crate::hyperparams::{IsolationForestParams, IsolationForestValidParams, MAX_PLACES, Threshold};
use crate::path::{PathLength, height_limit};
use crate::records;
use crate::threads;
use crate::threshold;
use crate::tree::Trees;

/// A fitted isolation forest.
///
/// `F` is the type of the values: limits are kept and compared in it, so nothing is lost to rounding.
///
/// # Example
///
/// ```
/// use linfa::DatasetBase;
/// use linfa::traits::{Fit, Predict};
/// use linfa_isolation_forest::IsolationForest;
/// use ndarray::{Array1, Array2};
///
/// // A round cloud, and one point far from it.
/// let mut rows = Array2::from_shape_fn((200, 2), |(row, column)| {
///     let angle = row as f64 * 2.399_963;
///     let radius = (row as f64 / 200.0).sqrt();
///     if column == 0 { radius * angle.cos() } else { radius * angle.sin() }
/// });
/// rows[[0, 0]] = 6.0;
///
/// let dataset = DatasetBase::from(rows);
/// let forest = IsolationForest::params().trees(200).contamination(0.005).seed(42).fit(&dataset)?;
///
/// let scores: Array1<f64> = forest.predict(&dataset);
/// let labels: Array1<Option<bool>> = forest.labels().predict(&dataset);
/// assert!(scores[0] > 0.7);
/// assert_eq!(labels[0], Some(true));
/// assert_eq!(labels.iter().filter(|label| **label == Some(true)).count(), 1);
/// # Ok::<(), linfa_isolation_forest::IsolationForestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForest<F> {
    pub(crate) trees: Trees<F>,
    pub(crate) columns: usize,
    pub(crate) columns_per_tree: usize,
    pub(crate) sample_size: usize,
    pub(crate) seed: u64,
    pub(crate) grown: u64,
    pub(crate) threshold: f64,
    pub(crate) feature_names: Vec<String>,
}

impl IsolationForest<f64> {
    /// Returns the default parameters: 100 trees on 256 rows each, all columns, splits parallel to the axes.
    pub fn params() -> IsolationForestParams {
        IsolationForestParams::default()
    }
}

impl<F: Float, D: Data<Elem = F>, T> Fit<ArrayBase<D, Ix2>, T, IsolationForestError>
    for IsolationForestValidParams
{
    type Object = IsolationForest<F>;

    /// Grows a forest on the records of `dataset`; targets and weights are not looked at.
    ///
    /// # Errors
    ///
    /// Refuses records without rows or columns, with too many columns or too few for the extension level,
    /// values that are NaN or infinite, and forests of several gigabytes.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<IsolationForest<F>> {
        let records = dataset.records().view();
        records::check(&records)?;
        let sample_size = self.sample_size().min(records.nrows());
        let columns_per_tree = self.columns_per_tree(records.ncols())?;
        let trees = blank(self.trees(), height_limit(sample_size), self.extension_level() + 1)?;

        let mut forest = IsolationForest {
            trees,
            columns: records.ncols(),
            columns_per_tree,
            sample_size,
            seed: self.seed(),
            grown: 0,
            threshold: 0.5,
            feature_names: dataset.feature_names().to_vec(),
        };
        let ground = forest.ground(records);
        threads::for_each(forest.trees.slots().enumerate(), Room::default, |room, (number, slot)| {
            ground.grow(number as u64, slot, room);
        });
        forest.grown = self.trees() as u64;
        forest.threshold = match self.threshold() {
            Threshold::Score(score) => score,
            Threshold::Contamination(share) => threshold::above(forest.out_of_sample_scores(&ground), share),
        };
        Ok(forest)
    }
}

/// Makes room for trees, unless it is more than any forest needs.
fn blank<F: Float>(trees: usize, depth: u32, terms: usize) -> Result<Trees<F>> {
    let nodes = 1 << depth;
    match trees.checked_mul(nodes).and_then(|places| places.checked_mul(terms)) {
        Some(places) if places <= MAX_PLACES => Ok(Trees::blank(trees, depth, terms)),
        _ => Err(IsolationForestError::Forest { trees, nodes, terms }),
    }
}

impl<F: Float> IsolationForest<F> {
    /// Returns the number of trees.
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// Returns the number of rows each tree sampled when the forest was fitted.
    pub fn sample_size(&self) -> usize {
        self.sample_size
    }

    /// Returns the number of columns a row must have.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the seed the forest was fitted with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the names of the columns, if the dataset had any.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Checks that columns of these names, in this order, are what the forest learned.
    ///
    /// # Errors
    ///
    /// Fails if their number is another, or if the forest has names and one of them is another.
    pub fn check_feature_names<N: AsRef<str>>(&self, names: &[N]) -> Result<()> {
        records::check_columns(self.columns, names.len())?;
        let pairs = self.feature_names.iter().zip(names.iter().map(AsRef::as_ref));
        match pairs.enumerate().find(|(_, (expected, found))| expected != found) {
            None => Ok(()),
            Some((column, (expected, found))) => Err(IsolationForestError::FeatureName {
                column,
                expected: expected.clone(),
                found: found.to_owned(),
            }),
        }
    }

    /// Returns what this forest's trees are grown on, given the rows.
    pub(crate) fn ground<'a>(&self, records: ArrayView2<'a, F>) -> Ground<'a, F> {
        let sample_size = self.sample_size.min(records.nrows());
        Ground {
            records,
            sample_size,
            columns_per_tree: self.columns_per_tree,
            seed: self.seed,
            path: PathLength::of(sample_size),
        }
    }
}
