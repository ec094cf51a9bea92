//! What can be wrong with parameters and data.

use thiserror::Error;

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, IsolationForestError>;

/// Tells why parameters, rows or names were refused.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum IsolationForestError {
    /// The number of trees is outside 1 to [`MAX_TREES`](crate::MAX_TREES).
    #[error("{trees} trees: the number must be from 1 to {}", crate::MAX_TREES)]
    Trees {
        /// The number asked for.
        trees: usize,
    },
    /// The sample size is outside 2 to [`MAX_SAMPLE_SIZE`](crate::MAX_SAMPLE_SIZE).
    #[error("a sample of {rows} rows: the number must be from 2 to {}", crate::MAX_SAMPLE_SIZE)]
    SampleSize {
        /// The number of rows asked for.
        rows: usize,
    },
    /// The share of features is not above 0 and at most 1.
    #[error("a share of {share} of the features: it must be above 0 and at most 1")]
    MaxFeatures {
        /// The share asked for.
        share: f64,
    },
    /// The contamination is not above 0 and at most 0.5.
    #[error("a contamination of {share}: it must be above 0 and at most 0.5")]
    Contamination {
        /// The share asked for.
        share: f64,
    },
    /// The threshold is not from 0 to 1.
    #[error("a threshold of {score}: it must be from 0 to 1")]
    Threshold {
        /// The score asked for.
        score: f64,
    },
    /// A hyperplane would need more columns than a tree may use.
    #[error("extension level {level} needs {} columns, a tree has {columns}", .level.saturating_add(1))]
    ExtensionLevel {
        /// The level asked for.
        level: usize,
        /// The columns a tree may use.
        columns: usize,
    },
    /// The number of trees, their size and the columns of a split are allowed one by one, but not together.
    #[error("{trees} trees of {nodes} nodes with {terms} columns a split are too large a forest")]
    Forest {
        /// The number of trees.
        trees: usize,
        /// The nodes of a tree.
        nodes: usize,
        /// The columns a split combines.
        terms: usize,
    },
    /// There are no rows to learn from.
    #[error("there are no rows")]
    NoRows,
    /// Rows have no columns.
    #[error("there are no columns")]
    NoColumns,
    /// Rows have more columns than [`MAX_COLUMNS`](crate::MAX_COLUMNS).
    #[error("{columns} columns are more than {}", crate::MAX_COLUMNS)]
    TooManyColumns {
        /// The columns found.
        columns: usize,
    },
    /// A value is NaN or infinite.
    #[error("row {row}, column {column} is not a finite number")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
    },
    /// Rows, or a buffer beside them, have another number of columns than the model.
    #[error("{found} columns, the model has {expected}")]
    Columns {
        /// The columns of the model.
        expected: usize,
        /// The columns found.
        found: usize,
    },
    /// A column carries another name than the model learned.
    #[error("column {column} is {found:?}, the model learned {expected:?}")]
    FeatureName {
        /// The column, counted from 0.
        column: usize,
        /// The name the model learned.
        expected: String,
        /// The name found.
        found: String,
    },
    /// More trees are to be replaced than there are.
    #[error("{asked} trees to replace, the forest has {trees}")]
    Replace {
        /// The number asked for.
        asked: usize,
        /// The trees of the forest.
        trees: usize,
    },
    /// An error of linfa itself.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
