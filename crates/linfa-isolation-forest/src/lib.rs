//! Isolation forest for linfa
mod algorithm;
#[cfg(feature = "serde")]
mod checksum;
mod contributions;
mod error;
#[cfg(feature = "serde")]
mod format;
mod grow;
mod hyperparams;
mod labels;
mod path;
mod random;
mod records;
mod robust;
mod rolling;
mod sample;
mod score;
mod threads;
mod threshold;
mod tree;
mod walk;

pub use algorithm::IsolationForest;
pub use error::{IsolationForestError, Result};
pub use hyperparams::{
    IsolationForestParams, IsolationForestValidParams, MAX_COLUMNS, MAX_SAMPLE_SIZE, MAX_TREES, Threshold,
};
pub use labels::AnomalyLabels;
pub use robust::RobustScale;
pub use rolling::RollingForest;
