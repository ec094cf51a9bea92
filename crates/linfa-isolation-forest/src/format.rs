//! The form in which forests are stored.
//!
//! Floating-point numbers are stored as the bits of doubles, which hold singles exactly, so that text formats that
//! know no infinity or round decimals lose nothing.

use linfa::Float;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::algorithm::IsolationForest;
use crate::checksum::Checksum;
use crate::hyperparams::{MAX_COLUMNS, MAX_SAMPLE_SIZE, MAX_TREES};
use crate::path::height_limit;
use crate::tree::Trees;

const FORMAT: &str = "linfa-isolation-forest";
const VERSION: u32 = 1;

/// Tells why a stored forest was refused.
#[derive(Debug, Error)]
enum FormatError {
    #[error("this is {found:?} and not a forest")]
    Format { found: String },
    #[error("version {found} of the format is not known, only {VERSION} is")]
    Version { found: u32 },
    #[error("the forest is over {found} and not over {expected}")]
    Element { expected: &'static str, found: String },
    #[error("the checksum does not match: the forest is damaged")]
    Checksum,
    #[error("the forest contradicts itself: {what}")]
    Contradiction { what: &'static str },
}

/// A stored forest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    version: u32,
    /// The type of the values, `f32` or `f64`.
    element: String,
    feature_names: Vec<String>,
    columns: u64,
    columns_per_tree: u64,
    sample_size: u64,
    seed: u64,
    grown: u64,
    threshold: u64,
    depth: u32,
    terms: u64,
    limits: Vec<u64>,
    split_columns: Vec<u16>,
    weights: Vec<u64>,
    centres: Vec<u64>,
    values: Vec<u32>,
    checksum: u64,
}

/// Stores the forest with its format, version and checksum.
impl<F: Float> Serialize for IsolationForest<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from_forest(self).serialize(serializer)
    }
}

/// Refuses other formats and versions, forests over another type, unknown fields, damage and contradictions.
impl<'de, F: Float> Deserialize<'de> for IsolationForest<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer)?.into_forest().map_err(de::Error::custom)
    }
}

impl Stored {
    fn from_forest<F: Float>(forest: &IsolationForest<F>) -> Self {
        let trees = &forest.trees;
        let mut stored = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            element: element::<F>().to_owned(),
            feature_names: forest.feature_names.clone(),
            columns: forest.columns as u64,
            columns_per_tree: forest.columns_per_tree as u64,
            sample_size: forest.sample_size as u64,
            seed: forest.seed,
            grown: forest.grown,
            threshold: forest.threshold.to_bits(),
            depth: trees.depth,
            terms: trees.terms as u64,
            limits: to_bits(&trees.limits),
            split_columns: trees.columns.clone(),
            weights: to_bits(&trees.weights),
            centres: to_bits(&trees.centres),
            values: trees.values.clone(),
            checksum: 0,
        };
        stored.checksum = stored.sum();
        stored
    }

    fn into_forest<F: Float>(self) -> Result<IsolationForest<F>, FormatError> {
        if self.format != FORMAT {
            return Err(FormatError::Format { found: self.format });
        }
        if self.version != VERSION {
            return Err(FormatError::Version { found: self.version });
        }
        if self.checksum != self.sum() {
            return Err(FormatError::Checksum);
        }
        if self.element != element::<F>() {
            return Err(FormatError::Element { expected: element::<F>(), found: self.element });
        }
        let forest = IsolationForest {
            columns: within(self.columns, MAX_COLUMNS, "columns")?,
            columns_per_tree: within(self.columns_per_tree, MAX_COLUMNS, "columns of a tree")?,
            sample_size: within(self.sample_size, MAX_SAMPLE_SIZE, "sample size")?,
            seed: self.seed,
            grown: self.grown,
            threshold: f64::from_bits(self.threshold),
            feature_names: self.feature_names,
            trees: Trees {
                depth: self.depth,
                terms: within(self.terms, MAX_COLUMNS, "columns of a split")?,
                limits: from_bits(&self.limits),
                columns: self.split_columns,
                weights: from_bits(&self.weights),
                centres: from_bits(&self.centres),
                values: self.values,
            },
        };
        match contradiction(&forest) {
            None => Ok(forest),
            Some(what) => Err(FormatError::Contradiction { what }),
        }
    }

    /// Returns the checksum of all fields but the checksum.
    fn sum(&self) -> u64 {
        let mut sum = Checksum::default();
        sum.add_bytes(self.format.as_bytes());
        sum.add_bytes(self.element.as_bytes());
        sum.add_number(self.feature_names.len() as u64);
        self.feature_names.iter().for_each(|name| sum.add_bytes(name.as_bytes()));
        let head = [u64::from(self.version), self.columns, self.columns_per_tree, self.sample_size];
        let more = [self.seed, self.grown, self.threshold, u64::from(self.depth), self.terms];
        sum.add_numbers(head.into_iter());
        sum.add_numbers(more.into_iter());
        sum.add_numbers(self.limits.iter().copied());
        sum.add_numbers(self.split_columns.iter().map(|&column| u64::from(column)));
        sum.add_numbers(self.weights.iter().copied());
        sum.add_numbers(self.centres.iter().copied());
        sum.add_numbers(self.values.iter().map(|&value| u64::from(value)));
        sum.finish()
    }
}

/// Returns what makes it impossible to walk this forest, or to renew it.
fn contradiction<F: Float>(forest: &IsolationForest<F>) -> Option<&'static str> {
    let trees = &forest.trees;
    if trees.depth != height_limit(forest.sample_size) {
        return Some("the depth is not that of the sample size");
    }
    if !(trees.terms <= forest.columns_per_tree && forest.columns_per_tree <= forest.columns) {
        return Some("splits, trees and rows have ever fewer columns");
    }
    let nodes = 1 << trees.depth;
    let count = trees.limits.len() / nodes;
    if !(1..=MAX_TREES).contains(&count) {
        return Some("the number of trees");
    }
    // Numbers of trees go on counting with every renewal, and must not run out.
    if !(count as u64..=u64::MAX / 2).contains(&forest.grown) {
        return Some("the number of trees grown");
    }
    let weights = if trees.terms > 1 { trees.columns.len() } else { 0 };
    let is_full = trees.limits.len() == count * nodes
        && Some(trees.columns.len()) == trees.limits.len().checked_mul(trees.terms)
        && trees.weights.len() == weights
        && trees.centres.len() == weights
        && trees.values.len() == 2 * trees.limits.len();
    if !is_full {
        return Some("the tables have different lengths");
    }
    if trees.columns.iter().any(|&column| usize::from(column) >= forest.columns) {
        return Some("a split on a column that rows do not have");
    }
    let is_number = trees.limits.iter().all(|limit| !limit.is_nan())
        && trees.weights.iter().chain(&trees.centres).all(|term| term.is_finite());
    if !is_number {
        return Some("a split at no number");
    }
    if !(0.0..=1.0).contains(&forest.threshold) {
        return Some("the threshold is no score");
    }
    if !(forest.feature_names.is_empty() || forest.feature_names.len() == forest.columns) {
        return Some("names for another number of columns");
    }
    None
}

fn element<F>() -> &'static str {
    if size_of::<F>() == size_of::<f32>() { "f32" } else { "f64" }
}

fn within(number: u64, max: usize, what: &'static str) -> Result<usize, FormatError> {
    match usize::try_from(number) {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => Err(FormatError::Contradiction { what }),
    }
}

fn to_bits<F: Float>(numbers: &[F]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_f64().unwrap_or(f64::NAN).to_bits()).collect()
}

fn from_bits<F: Float>(bits: &[u64]) -> Vec<F> {
    bits.iter().map(|&bits| F::from(f64::from_bits(bits)).unwrap_or_else(F::nan)).collect()
}
