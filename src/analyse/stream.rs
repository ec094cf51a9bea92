//! A model that follows one target, row by row.

use super::model::{Deriver, Model, PARTS, Scratch};

/// What a model makes of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The mean rarity of the three views: 2 is what happens once in a hundred rows.
    pub score: f64,
    /// The rarities of the forest, of the furthest columns, and of the distance.
    pub parts: [f64; PARTS],
    /// Values that were not seen, and taken to be as expected.
    pub gaps: u32,
}

/// A model and the rows that came last.
#[derive(Debug, Clone)]
pub struct Stream {
    model: Model,
    deriver: Deriver,
    before: Option<i64>,
    scratch: Scratch,
}

impl Stream {
    /// A model that has seen no row yet.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let (short, long) = model.windows();
        let scratch = model.scratch();
        Self { deriver: Deriver::new(model.names().len(), short, long), before: None, scratch, model }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Scores a row whose time, Unix seconds, has come before its period is over: it is not remembered.
    pub fn peek(&mut self, time: i64, row: &[f64]) -> Option<Look> {
        let gaps = self.derive(time, row);
        self.score(gaps)
    }

    /// Remembers a row, and scores it first where that is asked for.
    pub fn push(&mut self, time: i64, row: &[f64], score: bool) -> Option<Look> {
        let gaps = self.derive(time, row);
        let look = if score { self.score(gaps) } else { None };
        self.deriver.push(&self.scratch.clipped);
        self.before = Some(time);
        look
    }

    /// How much each column deviated in the row of the last call, over all its features: the sum of ln(1 + z²).
    pub fn deviations(&self, deviations: &mut Vec<f64>) {
        deviations.resize(self.model.names().len(), 0.0);
        self.model.deviations(&self.scratch.features, deviations);
    }

    /// The z-scores of the row of the last call.
    #[must_use]
    pub fn z(&self) -> &[f64] {
        &self.scratch.z
    }

    /// What each column added to the forest's score of the row of the last call.
    pub fn gains(&self, gains: &mut Vec<f64>) {
        gains.resize(self.model.names().len(), 0.0);
        if self.model.gains(&self.scratch.features, gains).is_err() {
            gains.fill(0.0);
        }
    }

    fn derive(&mut self, time: i64, row: &[f64]) -> u32 {
        if self.before.is_some_and(|before| self.model.is_apart(before, time)) {
            self.deriver.clear();
        }
        let gaps = self.model.z(time, row, &mut self.scratch);
        self.deriver.derive(&self.scratch.clipped, &mut self.scratch.features);
        gaps
    }

    /// Nothing where the forest refuses the row, which would be a mistake here: features are finite.
    fn score(&mut self, gaps: u32) -> Option<Look> {
        let parts = self.model.rarities(&mut self.scratch).ok()?;
        let score = parts.iter().sum::<f64>() / PARTS as f64;
        score.is_finite().then_some(Look { score, parts, gaps })
    }
}
