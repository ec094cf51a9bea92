//! How far the last day lies from what a model was trained on.

use std::collections::VecDeque;

use super::model::{Model, Table, median};

const DAY_SECONDS: i64 = 86_400;
/// A row of the last day is looked at so often: enough for a median, and little to keep.
const STEP_SECONDS: i64 = 600;
/// z-scores further away count as being so far.
const Z_MAX: f64 = 1e6;

/// The signal that the last day moved furthest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// How many usual deviations the middle of the last day is from what the model expects at its hours, above or below.
    pub distance: f64,
    /// The signal, among the model's columns.
    pub column: usize,
}

impl Drift {
    /// From here on it is time for a new model. A single deviation so large would be no news; a day's median is.
    pub const FAR: f64 = 3.0;

    /// Whether the model is of other times.
    #[must_use]
    pub fn is_far(&self) -> bool {
        self.distance >= Self::FAR
    }

    /// Of a model, by the rows of a table's last day; nothing where there is less than half a day of them.
    #[must_use]
    pub fn of(model: &Model, table: &Table) -> Option<Self> {
        let mut day = Day::new(model);
        let mut scratch = model.scratch();
        let last = *table.times().last()?;
        for row in (0..table.rows()).filter(|row| table.times()[*row] > last - DAY_SECONDS) {
            let time = table.times()[row];
            model.z(time, table.row(row), &mut scratch);
            day.push(time, &scratch.z);
        }
        day.drift()
    }
}

/// The deviations of the last day.
#[derive(Debug, Clone)]
pub(super) struct Day {
    step: i64,
    rows: VecDeque<(i64, Vec<f32>)>,
}

impl Day {
    pub(super) fn new(model: &Model) -> Self {
        Self { step: STEP_SECONDS.max(i64::from(model.period_seconds())), rows: VecDeque::new() }
    }

    /// Takes the z-scores of a row, with its time in Unix seconds.
    pub(super) fn push(&mut self, time: i64, z: &[f64]) {
        if self.rows.back().is_some_and(|(before, _)| *before > time) {
            self.rows.clear();
        }
        if self.rows.back().is_some_and(|(before, _)| time - before < self.step) {
            return;
        }
        self.rows.push_back((time, z.iter().map(|z| z.clamp(-Z_MAX, Z_MAX) as f32).collect()));
        while self.rows.front().is_some_and(|(first, _)| *first <= time - DAY_SECONDS) {
            self.rows.pop_front();
        }
    }

    /// The signal furthest away, by the median of the day: what is soon over moves no median.
    pub(super) fn drift(&self) -> Option<Drift> {
        if self.rows.len() as i64 * self.step < DAY_SECONDS / 2 {
            return None;
        }
        let columns = self.rows.front().map_or(0, |(_, z)| z.len());
        let of = |column: usize| {
            let mut day: Vec<f64> = self.rows.iter().map(|(_, z)| f64::from(z[column])).collect();
            Some(Drift { distance: median(&mut day)?.abs(), column })
        };
        (0..columns).filter_map(of).max_by(|one, other| one.distance.total_cmp(&other.distance))
    }
}
