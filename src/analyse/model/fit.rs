//! Fitting a model to a table.

use linfa::DatasetBase;
use linfa::prelude::Fit as _;
use linfa_isolation_forest::{IsolationForest, IsolationForestError, RobustScale};
use ndarray::{Array2, ArrayView2};

use super::baseline::Baseline;
use super::derive::{Deriver, KINDS};
use super::distance::Distance;
use super::rule::Rule;
use super::scoring::Model;
use super::tail::Tail;
use super::{scoring, table::Table};

/// z-scores further from 0 count as being so far, but for the extremes.
const CLIP: f64 = 30.0;
/// The windows of rolling features.
const SHORT_SECONDS: i64 = 300;
const SHORT_ROWS_MIN: i64 = 3;
const LONG_SECONDS: i64 = 1800;
const LONG_ROWS_MIN: i64 = 6;
/// Rows that are missing for so long leave nothing to look back on.
pub(super) const GAP_WINDOWS: i64 = 2;
/// Trees, and rows that each is grown on.
const TREES: usize = 100;
const TREE_ROWS: usize = 256;
/// Rows from which the trees draw theirs.
const FOREST_ROWS_MAX: usize = 8192;
/// The least step beyond all past scores that makes a row ten times as rare, of the forest, of the furthest columns, and
/// of the squared distance: where nothing ever moved, any movement would else be beyond all measure.
const UNITS_MIN: [f64; scoring::PARTS] = [0.01, 0.5, 10.0];
/// Rows to learn from at least: fewer have no tail to speak of.
const ROWS_MIN: usize = 64;
/// Columns whose features are derived together.
const TOGETHER: usize = 8;
/// The most columns: twice what a Redis has, times ten.
const COLUMNS_MAX: usize = 1000;

/// How a model is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The time from one row to the next, in seconds.
    pub period_seconds: u32,
    /// Names the forest: the same seed and rows give the same model.
    pub seed: u64,
    /// What counts as a deviation of each column, by its name; of all others, everything.
    pub rules: Vec<(String, Rule)>,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Too little was seen.
    #[error("there are {rows} rows to learn from, {ROWS_MIN} are needed")]
    Rows {
        /// Rows that may be learned from.
        rows: usize,
    },
    /// There is nothing to learn, or more than can be held.
    #[error("there are {columns} columns, from 1 to {COLUMNS_MAX} can be learned from")]
    Columns {
        /// The columns.
        columns: usize,
    },
    /// A mistake of the analysis: the forest was given what it does not take.
    #[error("the forest refuses the rows")]
    Forest(#[from] IsolationForestError),
}

impl Model {
    /// Learns a table.
    ///
    /// # Errors
    /// It has too few rows, or no columns.
    pub fn fit(table: &Table, recipe: &Recipe) -> Result<Self, TrainError> {
        let columns = table.columns();
        if !(1..=COLUMNS_MAX).contains(&columns) {
            return Err(TrainError::Columns { columns });
        }
        let usual = (0..table.rows()).filter(|row| table.is_usual(*row)).count();
        if usual < ROWS_MIN {
            return Err(TrainError::Rows { rows: usual });
        }
        let period = i64::from(recipe.period_seconds.max(1));
        let rules: Vec<Rule> = table.names().iter().map(|name| rule(recipe, name)).collect();
        let baseline = Baseline::fit(table, &rules, period)?;
        let mut z = vec![0.0; table.rows() * columns];
        for (row, z) in z.chunks_exact_mut(columns).enumerate() {
            baseline.z(table.times()[row], table.row(row), z);
        }
        let features = Features { table, z: &z, windows: windows(period), period };
        let spreads = features.spreads()?;
        let (forest, places) = forest(&features, &spreads, usual, recipe.seed)?;
        let distance = Distance::fit(&features, &spreads)?;
        let mut model = Self {
            names: table.names().to_vec(),
            period_seconds: recipe.period_seconds.max(1),
            rows: usual as u64,
            from: table.times().first().copied().unwrap_or(0),
            until: table.times().last().copied().unwrap_or(0),
            baseline,
            spreads,
            places,
            forest,
            distance,
            tails: UNITS_MIN.map(|unit_min| Tail::fit(Vec::new(), unit_min)),
        };
        model.tails = model.fit_tails(&features, usual)?;
        Ok(model)
    }

    fn fit_tails(
        &self,
        features: &Features<'_>,
        usual: usize,
    ) -> Result<[Tail; scoring::PARTS], IsolationForestError> {
        let mut all: [Vec<f64>; scoring::PARTS] = std::array::from_fn(|_| Vec::with_capacity(usual));
        let mut scratch = self.scratch();
        features.each(|row, features_of_row, is_usual| {
            if is_usual {
                let columns = self.names.len();
                let z = &features.z[row * columns..(row + 1) * columns];
                let parts = self.raw(features_of_row, z, &mut scratch)?;
                all.iter_mut().zip(parts).for_each(|(all, part)| all.push(part));
            }
            Ok(())
        })?;
        Ok(std::array::from_fn(|part| Tail::fit(std::mem::take(&mut all[part]), UNITS_MIN[part])))
    }
}

fn rule(recipe: &Recipe, name: &str) -> Rule {
    recipe.rules.iter().find(|(known, _)| known == name).map(|(_, rule)| *rule).unwrap_or_default()
}

/// The rows of the rolling windows.
pub(super) fn windows(period_seconds: i64) -> (usize, usize) {
    let rows = |seconds: i64, least: i64| usize::try_from((seconds / period_seconds).max(least)).unwrap_or(2);
    (rows(SHORT_SECONDS, SHORT_ROWS_MIN), rows(LONG_SECONDS, LONG_ROWS_MIN))
}

/// Brings a z-score within the bounds that features have.
pub(super) fn clip(z: f64) -> f64 {
    z.clamp(-CLIP, CLIP)
}

/// Grows the forest on the features that vary; returns where they stand as well.
fn forest(
    features: &Features<'_>,
    spreads: &[Spread],
    usual: usize,
    seed: u64,
) -> Result<(Option<IsolationForest<f64>>, Vec<u16>), IsolationForestError> {
    let places = spreads.iter().zip(0_u16..).filter(|(spread, _)| !spread.is_constant);
    let places: Vec<u16> = places.map(|(_, place)| place).collect();
    if places.is_empty() {
        return Ok((None, places));
    }
    // Evenly spread over the past, so that no hour has more weight than another.
    let step = usual.div_ceil(FOREST_ROWS_MAX).max(1);
    let (mut cells, mut seen, mut taken) = (Vec::new(), 0_usize, 0);
    features.each(|_, features, is_usual| {
        if is_usual {
            if seen.is_multiple_of(step) {
                cells.extend(places.iter().map(|place| features[usize::from(*place)]));
                taken += 1;
            }
            seen += 1;
        }
        Ok(())
    })?;
    let rows = Array2::from_shape_vec((taken, places.len()), cells).map_err(linfa::Error::from)?;
    let params = IsolationForest::params().trees(TREES).sample_size(TREE_ROWS).seed(seed);
    Ok((Some(params.fit(&DatasetBase::from(rows))?), places))
}

/// The middle of some numbers, and how far they usually are from it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) scale: f64,
    pub(super) is_constant: bool,
}

impl Spread {
    /// Of finite numbers; without any, 0 and constant.
    pub(super) fn of(values: &[f64]) -> Result<Self, IsolationForestError> {
        let is_constant = values.iter().all(|value| *value == values[0]);
        if is_constant {
            return Ok(Self { median: values.first().copied().unwrap_or(0.0), scale: 1.0, is_constant });
        }
        let column = ArrayView2::from_shape((values.len(), 1), values).map_err(linfa::Error::from)?;
        let scale = RobustScale::fit(&column)?;
        Ok(Self { median: scale.medians()[0], scale: scale.scales()[0], is_constant })
    }

    pub(super) fn z(&self, value: f64) -> f64 {
        (value - self.median) / self.scale
    }

    /// Whether it can be what it says it is.
    pub(super) fn is_whole(&self) -> bool {
        self.median.is_finite() && self.scale.is_finite() && self.scale > 0.0
    }
}

/// The features of all rows of a table. They are derived anew for each use: kept, they would need six times its memory.
pub(super) struct Features<'a> {
    table: &'a Table,
    z: &'a [f64],
    windows: (usize, usize),
    period: i64,
}

impl Features<'_> {
    /// Visits the rows in their order: the number, the features, and whether it may be learned from.
    pub(super) fn each(
        &self,
        mut visit: impl FnMut(usize, &[f64], bool) -> Result<(), IsolationForestError>,
    ) -> Result<(), IsolationForestError> {
        let columns = self.table.columns();
        self.walk(columns, 0, |row, features| visit(row, features, self.table.is_usual(row)))
    }

    /// The spread of each feature. Some columns at a time: one by one they take twice as long, and all at once much memory.
    fn spreads(&self) -> Result<Vec<Spread>, IsolationForestError> {
        let columns = self.table.columns();
        let mut spreads = vec![Spread { median: 0.0, scale: 1.0, is_constant: true }; columns * KINDS];
        for first in (0..columns).step_by(TOGETHER) {
            let width = TOGETHER.min(columns - first);
            let mut values = vec![Vec::with_capacity(self.table.rows()); width * KINDS];
            self.walk(width, first, |row, features| {
                if self.table.is_usual(row) {
                    values.iter_mut().zip(features).for_each(|(values, feature)| values.push(*feature));
                }
                Ok(())
            })?;
            for (place, values) in values.iter().enumerate() {
                let (kind, column) = (place / width, first + place % width);
                spreads[kind * columns + column] = Spread::of(values)?;
            }
        }
        Ok(spreads)
    }

    /// Derives the features of `width` columns from `first` on.
    fn walk(
        &self,
        width: usize,
        first: usize,
        mut visit: impl FnMut(usize, &[f64]) -> Result<(), IsolationForestError>,
    ) -> Result<(), IsolationForestError> {
        let columns = self.table.columns();
        let mut deriver = Deriver::new(width, self.windows.0, self.windows.1);
        let (mut row_z, mut features) = (vec![0.0; width], vec![0.0; width * KINDS]);
        let mut before = None;
        for (row, time) in self.table.times().iter().enumerate() {
            let z = &self.z[row * columns + first..row * columns + first + width];
            row_z.iter_mut().zip(z).for_each(|(clipped, z)| *clipped = clip(*z));
            if before.is_some_and(|before| is_apart(before, *time, self.period, self.windows)) {
                deriver.clear();
            }
            before = Some(*time);
            deriver.derive(&row_z, &mut features);
            deriver.push(&row_z);
            visit(row, &features)?;
        }
        Ok(())
    }
}

/// Whether two rows are too far apart for the later one to be compared with the earlier one.
pub(super) fn is_apart(before: i64, time: i64, period: i64, windows: (usize, usize)) -> bool {
    let window = i64::try_from(windows.0).unwrap_or(i64::MAX).saturating_mul(period);
    let apart = time.saturating_sub(before);
    apart <= 0 || apart > window.saturating_mul(GAP_WINDOWS)
}
