//! Hyperparameters, and the check that makes them valid.

use linfa::ParamGuard;

use crate::error::{IsolationForestError, Result};

/// The most trees a forest may have.
pub const MAX_TREES: usize = 1 << 16;
/// The most rows a tree may sample: paths of 20 levels.
pub const MAX_SAMPLE_SIZE: usize = 1 << 20;
/// The most columns a row may have.
pub const MAX_COLUMNS: usize = 1 << 16;
/// The most column places the splits of a forest may have: two or more gigabytes.
pub(crate) const MAX_PLACES: usize = 1 << 28;

/// Says which scores are anomalies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Scores above this one.
    Score(f64),
    /// The highest scores: this share of rows like those the forest is fitted on.
    ///
    /// Each of these rows is scored by the trees that did not sample it, as a new row would be; by all trees where
    /// each of them sampled it.
    Contamination(f64),
}

/// Describes a forest to be fitted; made by [`IsolationForest::params`](crate::IsolationForest::params).
///
/// Fitting checks the values; [`check`](ParamGuard::check) does so beforehand.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "parameters do nothing until a forest is fitted with them"]
pub struct IsolationForestParams(IsolationForestValidParams);

/// Hyperparameters that were checked; a forest is fitted with them.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForestValidParams {
    trees: usize,
    sample_size: usize,
    max_features: f64,
    extension_level: usize,
    threshold: Threshold,
    seed: u64,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        Self(IsolationForestValidParams {
            trees: 100,
            sample_size: 256,
            max_features: 1.0,
            extension_level: 0,
            threshold: Threshold::Score(0.5),
            seed: 0,
        })
    }
}

impl IsolationForestParams {
    /// Sets the number of trees, 100 by default. More trees make the score steadier, not sharper.
    pub fn trees(mut self, trees: usize) -> Self {
        self.0.trees = trees;
        self
    }

    /// Sets the number of rows each tree samples, 256 by default; all rows, where there are fewer.
    pub fn sample_size(mut self, rows: usize) -> Self {
        self.0.sample_size = rows;
        self
    }

    /// Sets the share of the columns each tree may use, 1 by default; rounded up to whole columns.
    pub fn max_features(mut self, share: f64) -> Self {
        self.0.max_features = share;
        self
    }

    /// Sets how many columns a split combines beyond the first, 0 by default.
    ///
    /// At 0 splits are parallel to the axes; above they are random hyperplanes (the extended isolation forest).
    pub fn extension_level(mut self, level: usize) -> Self {
        self.0.extension_level = level;
        self
    }

    /// Calls scores above this one anomalies; 0.5 by default, what a row as expected scores.
    pub fn threshold(mut self, score: f64) -> Self {
        self.0.threshold = Threshold::Score(score);
        self
    }

    /// Calls this share of rows like the fitted ones anomalies, instead of a fixed threshold.
    pub fn contamination(mut self, share: f64) -> Self {
        self.0.threshold = Threshold::Contamination(share);
        self
    }

    /// Sets the seed, 0 by default. The same seed, data and parameters give the same forest.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl IsolationForestValidParams {
    /// Returns the number of trees.
    pub fn trees(&self) -> usize {
        self.trees
    }

    /// Returns the number of rows each tree samples at most.
    pub fn sample_size(&self) -> usize {
        self.sample_size
    }

    /// Returns the share of the columns each tree may use.
    pub fn max_features(&self) -> f64 {
        self.max_features
    }

    /// Returns how many columns a split combines beyond the first.
    pub fn extension_level(&self) -> usize {
        self.extension_level
    }

    /// Returns what is called an anomaly.
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns how many of `columns` columns one tree may use.
    pub(crate) fn columns_per_tree(&self, columns: usize) -> Result<usize> {
        let share = (self.max_features * columns as f64).ceil() as usize;
        let usable = share.clamp(1, columns);
        if self.extension_level < usable {
            Ok(usable)
        } else {
            Err(IsolationForestError::ExtensionLevel { level: self.extension_level, columns: usable })
        }
    }
}

impl ParamGuard for IsolationForestParams {
    type Checked = IsolationForestValidParams;
    type Error = IsolationForestError;

    fn check_ref(&self) -> Result<&Self::Checked> {
        let params = &self.0;
        if !(1..=MAX_TREES).contains(&params.trees) {
            return Err(IsolationForestError::Trees { trees: params.trees });
        }
        if !(2..=MAX_SAMPLE_SIZE).contains(&params.sample_size) {
            return Err(IsolationForestError::SampleSize { rows: params.sample_size });
        }
        if !(params.max_features > 0.0 && params.max_features <= 1.0) {
            return Err(IsolationForestError::MaxFeatures { share: params.max_features });
        }
        match params.threshold {
            Threshold::Score(score) => check_threshold(score)?,
            Threshold::Contamination(share) => check_contamination(share)?,
        }
        Ok(params)
    }

    fn check(self) -> Result<Self::Checked> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// Accepts thresholds from 0 to 1.
pub(crate) fn check_threshold(score: f64) -> Result<()> {
    if (0.0..=1.0).contains(&score) { Ok(()) } else { Err(IsolationForestError::Threshold { score }) }
}

/// Accepts shares above 0 and up to a half.
pub(crate) fn check_contamination(share: f64) -> Result<()> {
    if share > 0.0 && share <= 0.5 { Ok(()) } else { Err(IsolationForestError::Contamination { share }) }
}
