//! The isolation forest for [linfa]: anomaly detection by random trees.
//!
//! # The method
//!
//! Random splits isolate what is unusual sooner than what is usual. A tree is grown on a sample of ψ rows, drawn
//! without replacement: a column is drawn among those that are not constant in the node, a place uniformly between
//! its ends, until every row is alone or the tree has ⌈log₂ ψ⌉ levels. The path of a row ends in a leaf on level e
//! with n rows of the sample, and its length is
//!
//! > h = e + c(n), c(n) = 2 H(n−1) − 2 (n−1)/n, c(1) = 0,
//!
//! where H is the harmonic number, and c(n) the average path in a random tree over n rows. With the mean path E(h)
//! over all trees, the score is
//!
//! > s = 2^(−E(h)/c(ψ)).
//!
//! It lies above 0 and at most at 1: near 1 for anomalies, below 0.5 for rows in the midst of others, and 0.5 where
//! rows cannot be told apart. H is the harmonic number itself and not ln n + γ, so that c(2) is 1.
//!
//! With an [extension level](IsolationForestParams::extension_level) above 0 splits are hyperplanes over several
//! columns, which see columns that move together, and leave no stripes of low scores beside clusters.
//!
//! # Use
//!
//! [`IsolationForest::params`] begins; [`IsolationForest`] shows a whole example. A fitted forest gives
//!
//! - scores by [`Predict`](linfa::traits::Predict) or [`try_scores`](IsolationForest::try_scores), and labels by
//!   [`labels`](IsolationForest::labels) or [`try_labels`](IsolationForest::try_labels);
//! - the score of a single row, without allocating, by [`score_row`](IsolationForest::score_row);
//! - what each column contributed by [`explain_row`](IsolationForest::explain_row), beside which [`RobustScale`]
//!   tells how far each column is from its usual values;
//! - younger trees by [`replace_oldest`](IsolationForest::replace_oldest), or as a [`RollingForest`].
//!
//! # Odd data
//!
//! | data | what happens |
//! |---|---|
//! | no rows or no columns to fit on | an error |
//! | NaN or an infinity to fit on | an error that names the row and column |
//! | NaN or an infinity to score | `try_` methods: the same error; `predict`: the score NaN, the label `None` |
//! | another number of columns | `try_` methods: an error; `predict`: NaN and `None` for every row |
//! | a constant column | is never split, whatever its later values |
//! | a single row, or all rows equal | every score is 0.5 |
//! | fewer rows than the sample size | every tree takes all rows |
//! | values up to the limits of the type | work like others |
//!
//! Nothing here panics on data. Values are compared in their own type, so large counters keep their small steps.
//!
//! # The same again
//!
//! Each tree draws from a stream of its own, named by the seed and the tree's number, and paths are added up as whole
//! numbers. So the same seed gives the same forest and the same scores on one thread and on many, row by row and
//! all at once.
//!
//! # Features
//!
//! - `rayon`: grows trees and scores blocks of rows on the threads of the current pool. Single rows stay on one.
//! - `serde`: stores forests with version, checksum and the names of the columns, and refuses what it does not know:
//!   another version, unknown or missing fields, damage, a forest over the other floating-point type.
//!
//! # Sources
//!
//! - F. T. Liu, K. M. Ting, Z.-H. Zhou: *Isolation Forest*, ICDM 2008; *Isolation-based Anomaly Detection*, ACM TKDD
//!   6(1), 2012.
//! - S. Hariri, M. Carrasco Kind, R. J. Brunner: *Extended Isolation Forest*, IEEE TKDE 33(4), 2021. Unlike there,
//!   a column's weight is divided by its mean deviation in the node, and the place is drawn within the range of the
//!   node's rows in the direction drawn, so that units do not matter and no side is empty.

mod error;
mod hyperparams;

mod algorithm;
mod contributions;
mod labels;
mod robust;
mod rolling;
mod score;
mod threshold;

mod grow;
mod path;
mod random;
mod records;
mod sample;
mod shape;
mod threads;
mod tree;
mod walk;

#[cfg(feature = "serde")]
mod checksum;
#[cfg(feature = "serde")]
mod format;

pub use algorithm::IsolationForest;
pub use error::{IsolationForestError, Result};
pub use hyperparams::{
    IsolationForestParams, IsolationForestValidParams, MAX_COLUMNS, MAX_SAMPLE_SIZE, MAX_TREES, Threshold,
};
pub use labels::AnomalyLabels;
pub use robust::RobustScale;
pub use rolling::RollingForest;

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
