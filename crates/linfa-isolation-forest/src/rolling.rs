//! Rolling forests: the oldest trees make room for trees grown on recent rows.

use linfa::Float;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};

use crate::algorithm::IsolationForest;
use crate::error::{IsolationForestError, Result};
use crate::grow::Room;
use crate::records;
use crate::threads;

impl<F: Float> IsolationForest<F> {
    /// Replaces the `count` oldest trees by trees grown on `recent` rows.
    ///
    /// Replacing all trees is the same as fitting anew on these rows, but for the numbers drawn. The threshold stays
    /// as it is: [`calibrate`](Self::calibrate) moves it. Trees grown on fewer rows than the sample size are measured
    /// by the average path of those fewer rows.
    ///
    /// # Errors
    ///
    /// Refuses more trees than there are, rows with another number of columns, no rows at all, and values that are
    /// NaN or infinite. The forest is unchanged then.
    pub fn replace_oldest<D: Data<Elem = F>>(
        &mut self,
        count: usize,
        recent: &ArrayBase<D, Ix2>,
    ) -> Result<()> {
        let trees = self.trees.len();
        if count > trees {
            return Err(IsolationForestError::Replace { asked: count, trees });
        }
        records::check_columns(self.columns, recent.ncols())?;
        records::check(&recent.view())?;

        let ground = self.ground(recent.view());
        let oldest = (self.grown % trees as u64) as usize;
        let slots = self.trees.slots().enumerate().filter_map(|(place, slot)| {
            let age = (place + trees - oldest) % trees;
            (age < count).then_some((self.grown + age as u64, slot))
        });
        threads::for_each(slots, Room::default, |room, (number, slot)| ground.grow(number, slot, room));
        self.grown += count as u64;
        Ok(())
    }
}

/// A forest beside a window of recent rows, from which it renews itself.
///
/// The caller decides which rows enter the window, for anomalies had better stay out, and when trees are renewed.
///
/// # Example
///
/// ```
/// use linfa::DatasetBase;
/// use linfa::traits::Fit;
/// use linfa_isolation_forest::{IsolationForest, RollingForest};
/// use ndarray::Array2;
///
/// let history = Array2::from_shape_fn((500, 1), |(row, _)| (row % 50) as f64);
/// let forest = IsolationForest::params().seed(1).fit(&DatasetBase::from(history))?;
/// let mut rolling = RollingForest::new(forest, 500);
///
/// // The level shifts, for good.
/// let before = rolling.forest().score_row(&[225.0])?;
/// for row in 0..500 {
///     rolling.push(&[200.0 + (row % 50) as f64])?;
///     if row % 50 == 49 {
///         rolling.renew(10)?;
///     }
/// }
/// assert!(before > 0.6 && rolling.forest().score_row(&[225.0])? < 0.5);
/// # Ok::<(), linfa_isolation_forest::IsolationForestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RollingForest<F> {
    forest: IsolationForest<F>,
    window: Vec<F>,
    rows_max: usize,
    next: usize,
}

impl<F: Float> RollingForest<F> {
    /// Puts an empty window of at most `rows_max` rows, at least one, beside a forest.
    pub fn new(forest: IsolationForest<F>, rows_max: usize) -> Self {
        Self { forest, window: Vec::new(), rows_max: rows_max.max(1), next: 0 }
    }

    /// Returns the forest.
    pub fn forest(&self) -> &IsolationForest<F> {
        &self.forest
    }

    /// Returns the forest, to move its threshold.
    pub fn forest_mut(&mut self) -> &mut IsolationForest<F> {
        &mut self.forest
    }

    /// Returns the forest without the window.
    pub fn into_forest(self) -> IsolationForest<F> {
        self.forest
    }

    /// Returns the number of rows in the window.
    pub fn rows(&self) -> usize {
        self.window.len() / self.forest.columns
    }

    /// Returns the rows in the window, not in the order in which they came.
    ///
    /// # Errors
    ///
    /// None is known: the window always holds whole rows.
    pub fn window(&self) -> Result<ArrayView2<'_, F>> {
        let shape = (self.rows(), self.forest.columns);
        Ok(ArrayView2::from_shape(shape, &self.window).map_err(linfa::Error::from)?)
    }

    /// Adds a row to the window; a full window forgets its oldest row.
    ///
    /// # Errors
    ///
    /// Refuses a row with another number of columns and values that are NaN or infinite.
    pub fn push(&mut self, row: &[F]) -> Result<()> {
        self.forest.check_row(row)?;
        if self.rows() < self.rows_max {
            self.window.extend_from_slice(row);
        } else {
            let first = self.next * row.len();
            self.window[first..first + row.len()].copy_from_slice(row);
        }
        self.next = (self.next + 1) % self.rows_max;
        Ok(())
    }

    /// Replaces the `count` oldest trees by trees grown on the window.
    ///
    /// # Errors
    ///
    /// Refuses an empty window and more trees than there are.
    pub fn renew(&mut self, count: usize) -> Result<()> {
        let shape = (self.rows(), self.forest.columns);
        // Not `window()`, which would borrow the forest as well.
        let window = ArrayView2::from_shape(shape, &self.window).map_err(linfa::Error::from)?;
        self.forest.replace_oldest(count, &window)
    }
}
