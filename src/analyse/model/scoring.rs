//! A fitted model, and the score of a row.

use linfa_isolation_forest::{IsolationForest, IsolationForestError};

use super::baseline::{Baseline, Usual};
use super::derive::KINDS;
use super::distance::{self, Distance};
use super::extremes::extremes;
use super::fit::{self, Spread};
use super::tail::Tail;

/// The views of a row: the forest, the furthest columns, the distance from all others.
pub const PARTS: usize = 3;
/// A feature's part of a contribution is at most that of so many squared deviations.
const SQUARE_MAX: f64 = 1e6;

/// What one target usually is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Model {
    pub(super) names: Vec<String>,
    pub(super) period_seconds: u32,
    /// Rows that were learned from, and the time they span.
    pub(super) rows: u64,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) baseline: Baseline,
    /// Of the features.
    pub(super) spreads: Vec<Spread>,
    /// The features that vary, which are the forest's columns.
    pub(super) places: Vec<u16>,
    /// None where nothing varied.
    pub(super) forest: Option<IsolationForest<f64>>,
    pub(super) distance: Distance,
    pub(super) tails: [Tail; PARTS],
}

/// Working memory of a scorer.
#[derive(Debug, Clone, Default)]
pub(in crate::analyse) struct Scratch {
    pub(in crate::analyse) z: Vec<f64>,
    pub(in crate::analyse) clipped: Vec<f64>,
    pub(in crate::analyse) features: Vec<f64>,
    pub(super) scaled: Vec<f64>,
    pub(super) varying: Vec<f64>,
    pub(super) room: Vec<f32>,
}

impl Model {
    /// The columns, sorted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The time from one row to the next, in seconds.
    #[must_use]
    pub fn period_seconds(&self) -> u32 {
        self.period_seconds
    }

    /// Rows that were learned from.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The times of the first and the last row, Unix seconds.
    #[must_use]
    pub fn span(&self) -> (i64, i64) {
        (self.from, self.until)
    }

    /// Whether it knows what is usual at each time of the day.
    #[must_use]
    pub fn is_daily(&self) -> bool {
        self.baseline.is_daily()
    }

    /// The columns that ever moved.
    #[must_use]
    pub fn moving(&self) -> usize {
        self.baseline.moving()
    }

    pub(in crate::analyse) fn scratch(&self) -> Scratch {
        let columns = self.names.len();
        Scratch {
            z: vec![0.0; columns],
            clipped: vec![0.0; columns],
            features: vec![0.0; columns * KINDS],
            scaled: vec![0.0; columns * KINDS],
            ..Scratch::default()
        }
    }

    /// The rows of the rolling windows.
    pub(in crate::analyse) fn windows(&self) -> (usize, usize) {
        fit::windows(i64::from(self.period_seconds))
    }

    /// Whether a row is too late to be compared with the one before.
    pub(in crate::analyse) fn is_apart(&self, before: i64, time: i64) -> bool {
        fit::is_apart(before, time, i64::from(self.period_seconds), self.windows())
    }

    /// Fills in the z-scores of a row; returns how many values are gaps.
    pub(in crate::analyse) fn z(&self, time: i64, row: &[f64], scratch: &mut Scratch) -> u32 {
        let gaps = self.baseline.z(time, row, &mut scratch.z);
        scratch.clipped.iter_mut().zip(&scratch.z).for_each(|(clipped, z)| *clipped = fit::clip(*z));
        gaps
    }

    /// Whether a row's z-scores are worth an alarm.
    pub(in crate::analyse) fn is_telling(&self, z: &[f64]) -> bool {
        self.baseline.is_telling(z)
    }

    /// How rare a row is in each view, as negative decimal logarithms, from its z-scores and features.
    pub(in crate::analyse) fn rarities(
        &self,
        scratch: &mut Scratch,
    ) -> Result<[f64; PARTS], IsolationForestError> {
        let (features, z) = (std::mem::take(&mut scratch.features), std::mem::take(&mut scratch.z));
        let raw = self.raw(&features, &z, scratch);
        (scratch.features, scratch.z) = (features, z);
        let raw = raw?;
        Ok(std::array::from_fn(|part| self.tails[part].rarity(raw[part])))
    }

    /// The scores of the three views, before they become tail probabilities.
    pub(super) fn raw(
        &self,
        features: &[f64],
        z: &[f64],
        scratch: &mut Scratch,
    ) -> Result<[f64; PARTS], IsolationForestError> {
        scratch.varying.clear();
        scratch.varying.extend(self.places.iter().map(|place| features[usize::from(*place)]));
        let forest = match &self.forest {
            Some(forest) => forest.score_row(&scratch.varying)?,
            None => 0.5,
        };
        distance::scale(features, &self.spreads, &mut scratch.scaled);
        let distance = self.distance.score(&scratch.scaled, &mut scratch.room);
        Ok([forest, extremes(z), distance])
    }

    /// How much each column deviates, over all its features: the sum of ln(1 + z²).
    pub(in crate::analyse) fn deviations(&self, features: &[f64], deviations: &mut [f64]) {
        deviations.fill(0.0);
        let columns = self.names.len();
        for (place, (feature, spread)) in features.iter().zip(&self.spreads).enumerate() {
            let z = spread.z(*feature);
            deviations[place % columns] += (z * z).min(SQUARE_MAX).ln_1p();
        }
    }

    /// What each column adds to log2(score of the forest / 0.5), over all its features.
    pub(in crate::analyse) fn gains(
        &self,
        features: &[f64],
        gains: &mut [f64],
    ) -> Result<(), IsolationForestError> {
        gains.fill(0.0);
        let Some(forest) = &self.forest else { return Ok(()) };
        let row: Vec<f64> = self.places.iter().map(|place| features[usize::from(*place)]).collect();
        let mut of_features = vec![0.0; row.len()];
        forest.explain_row(&row, &mut of_features)?;
        let columns = self.names.len();
        for (place, gain) in self.places.iter().zip(&of_features) {
            gains[usize::from(*place) % columns] += gain;
        }
        Ok(())
    }

    /// What is usual of a column at a time, Unix seconds.
    #[must_use]
    pub fn usual(&self, time: i64, column: usize) -> Usual {
        self.baseline.usual(time, column)
    }

    /// What it says of itself that cannot be.
    #[must_use]
    pub(in crate::analyse) fn contradiction(&self) -> Option<&'static str> {
        let features = self.names.len() * KINDS;
        let is_sorted = self.names.is_sorted_by(|one, next| one < next);
        let forest_columns = self.forest.as_ref().map_or(0, IsolationForest::columns);
        match () {
            () if self.names.is_empty() || !is_sorted => Some("its columns are not sorted"),
            () if self.period_seconds == 0 => Some("its period is nothing"),
            () if !self.baseline.is_whole(self.names.len()) => Some("its baseline has other columns"),
            () if self.spreads.len() != features => Some("its features are others"),
            () if !self.spreads.iter().all(Spread::is_whole) => Some("a spread is no number"),
            () if forest_columns != self.places.len() => Some("its forest has other columns"),
            () if self.places.iter().any(|place| usize::from(*place) >= features) => {
                Some("its forest looks at features that are not there")
            }
            () if !self.distance.is_whole(features) => Some("its distance has other features"),
            () if !self.tails.iter().all(Tail::is_whole) => Some("a tail is not sorted"),
            () => None,
        }
    }
}
