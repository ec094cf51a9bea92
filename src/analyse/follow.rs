//! A model in use: scores with the limit that they are held against.

use super::drift::{Day, Drift};
use super::limit::{Limit, Threshold};
use super::stream::{Look, Stream};
use super::train::Trained;

/// What came of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// The scores.
    pub look: Look,
    /// The limit that was in force; none while too few scores are known.
    pub limit: Option<f64>,
}

impl Judgement {
    /// Whether the score is above its limit.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.limit.is_some_and(|limit| self.look.score > limit)
    }
}

/// A model that follows a target, and its limit.
#[derive(Debug, Clone)]
pub struct Follower {
    stream: Stream,
    limit: Limit,
    day: Day,
}

impl Follower {
    /// Begins with the limit that the scores of training give.
    #[must_use]
    pub fn new(trained: Trained, threshold: Threshold) -> Self {
        let mut limit = Limit::new(threshold, trained.model.period_seconds());
        limit.extend(trained.scores);
        Self { day: Day::new(&trained.model), stream: Stream::new(trained.model), limit }
    }

    /// The model and its last row.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The limit for the next row.
    #[must_use]
    pub fn limit(&self) -> Option<f64> {
        self.limit.current()
    }

    /// How far the last day lies from what the model was trained on; unknown before half a day is seen.
    #[must_use]
    pub fn drift(&self) -> Option<Drift> {
        self.day.drift()
    }

    /// Remembers a row of the past without judging it.
    pub fn recall(&mut self, time: i64, row: &[f64]) {
        self.stream.push(time, row, false);
        self.day.push(time, self.stream.z());
    }

    /// Judges a row and remembers it.
    pub fn push(&mut self, time: i64, row: &[f64]) -> Option<Judgement> {
        let look = self.stream.push(time, row, true);
        self.day.push(time, self.stream.z());
        let look = look?;
        let judgement = self.judge(look);
        self.limit.push(judgement.look.score);
        Some(judgement)
    }

    /// Judges a row whose time has come before its period is over; it is not remembered.
    pub fn peek(&mut self, time: i64, row: &[f64]) -> Option<Judgement> {
        let look = self.stream.peek(time, row)?;
        Some(self.judge(look))
    }

    /// A score of many first steps comes up to the limit and no further: rare as they are together, nobody could say what
    /// is wrong.
    fn judge(&self, mut look: Look) -> Judgement {
        let limit = self.limit.current();
        if !self.stream.model().is_telling(self.stream.z()) {
            look.score = limit.map_or(look.score, |limit| look.score.min(limit));
        }
        Judgement { look, limit }
    }
}
