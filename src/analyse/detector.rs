//! What one target usually looks like, and how far a look is from it.

use std::collections::VecDeque;

use linfa::DatasetBase;
use linfa::prelude::Fit as _;
use linfa_isolation_forest::{IsolationForest, IsolationForestError, RollingForest};
use ndarray::{Array2, ArrayView2, Axis};

use super::features::{COLUMNS, Features, Row, median, nth_smallest};
use crate::types::{Anomaly, Contribution, Ratio};

/// Looks to learn from before anything is said: three minutes at the usual interval of 5 s. Fewer cannot tell what
/// happens once in a while from what never does.
pub(super) const ROWS_MIN: usize = 32;
/// Looks that are remembered, the youngest: a little more than an hour at the usual interval.
pub(super) const ROWS_MAX: usize = 800;
/// Trees of a forest: the paper's number.
const TREES: usize = 100;
/// Rows that a tree samples, once there are twice as many. As a tree must leave rows out to find a threshold with, it
/// never takes more than half of them.
const SAMPLE_ROWS_MAX: usize = 128;
/// After so many further looks the oldest tree makes room for a new one; so no tree is older than [`ROWS_MAX`] looks.
const RENEW_ROWS: usize = ROWS_MAX / TREES;
/// Targets that began together are fitted anew spread over so many rounds, so that no round has all the work.
const PHASES: u64 = 32;
/// Share of usual looks that the threshold lets through as anomalous.
const ALARM_SHARE: f64 = 0.01;
/// From so many looks on, the threshold comes from scores that they had before they were learned from; until then from
/// trees that had left them out.
const SCORES_MIN: usize = 200;
/// The least threshold: a score below is too near to 0.5, that of a look as expected, however quiet a target is.
const THRESHOLD_MIN: f64 = 0.6;

type Done = Result<(), IsolationForestError>;

/// The memory of one target.
#[derive(Debug, Clone)]
pub(super) struct Detector {
    seed: u64,
    /// The looks before the first forest.
    waiting: VecDeque<Features>,
    learned: Option<Learned>,
}

#[derive(Debug, Clone)]
struct Learned {
    forest: RollingForest<f64>,
    usual: Row,
    /// The scores of the looks since the forest was fitted, each from before it was learned from.
    scores: VecDeque<f64>,
    looks_since_renewal: usize,
}

impl Detector {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, waiting: VecDeque::new(), learned: None }
    }

    /// How unusual a look is; `None` before the first fit.
    pub(super) fn score(&self, look: &Features) -> Option<Anomaly> {
        self.learned.as_ref()?.score(look)
    }

    /// Remembers a look, and renews a tree when it is time.
    ///
    /// # Errors
    /// The forest refuses the row, which would be a mistake here: rows are finite and all as wide.
    pub(super) fn learn(&mut self, look: Features) -> Done {
        if let Some(learned) = &mut self.learned {
            return learned.learn(&look);
        }
        if self.waiting.len() == ROWS_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(look);
        Ok(())
    }

    /// Whether [`Self::fit`] would bring a forest, or a better one.
    pub(super) fn is_due(&self) -> bool {
        match &self.learned {
            None => self.waiting.len() >= ROWS_MIN,
            Some(learned) => learned.is_due((self.seed % PHASES) as usize),
        }
    }

    /// Grows a forest on all that is remembered: 0.15 ms for the first one, 1.2 ms for the last. Everything else here
    /// takes microseconds.
    ///
    /// # Errors
    /// As for [`Self::learn`].
    pub(super) fn fit(&mut self) -> Done {
        let (usual, rows) = match &self.learned {
            Some(learned) => (learned.usual, learned.forest.window()?.to_owned()),
            None => {
                let usual = Features::usual(self.waiting.make_contiguous());
                let cells = self.waiting.iter().flat_map(|look| look.row(&usual)).collect();
                let shape = (self.waiting.len(), COLUMNS);
                (usual, Array2::from_shape_vec(shape, cells).map_err(linfa::Error::from)?)
            }
        };
        self.learned = Some(Learned::fit(self.seed, usual, rows)?);
        self.waiting = VecDeque::new();
        Ok(())
    }

    /// How many looks are remembered.
    #[cfg(test)]
    pub(super) fn looks(&self) -> usize {
        self.waiting.len() + self.learned.as_ref().map_or(0, |learned| learned.forest.rows())
    }
}

impl Learned {
    fn fit(seed: u64, usual: Row, rows: Array2<f64>) -> Result<Self, IsolationForestError> {
        let sample = (rows.nrows() / 2).min(SAMPLE_ROWS_MAX);
        let params =
            IsolationForest::params().trees(TREES).sample_size(sample).contamination(ALARM_SHARE).seed(seed);
        let dataset = DatasetBase::from(rows);
        let mut forest = params.fit(&dataset)?;
        forest.set_threshold(forest.threshold().max(THRESHOLD_MIN))?;
        let mut forest = RollingForest::new(forest, ROWS_MAX);
        for row in dataset.records().rows() {
            forest.push(&row.to_vec())?;
        }
        Ok(Self { forest, usual, scores: VecDeque::new(), looks_since_renewal: 0 })
    }

    fn score(&self, look: &Features) -> Option<Anomaly> {
        let mut gains = [0.0; COLUMNS];
        let forest = self.forest.forest();
        let score = forest.explain_row(&look.row(&self.usual), &mut gains).ok()?;
        let contributions =
            look.seen().map(|(column, signal)| Contribution { signal, gain: gains[column] }).collect();
        let threshold = Ratio::clamped(forest.threshold());
        Some(Anomaly { score: Ratio::clamped(score), threshold, contributions })
    }

    fn learn(&mut self, look: &Features) -> Done {
        let row = look.row(&self.usual);
        if self.scores.len() == ROWS_MAX {
            self.scores.pop_front();
        }
        self.scores.push_back(self.forest.forest().score_row(&row)?);
        self.forest.push(&row)?;
        self.looks_since_renewal += 1;
        if self.is_grown() && self.looks_since_renewal >= RENEW_ROWS {
            self.renew()?;
        }
        Ok(())
    }

    /// Whether its trees sample as many rows as they ever will.
    fn is_grown(&self) -> bool {
        self.forest.forest().sample_size() >= SAMPLE_ROWS_MAX
    }

    /// A young forest is fitted anew whenever its rows have doubled, `phase` rounds later: trees can be renewed, but not
    /// grow.
    fn is_due(&self, phase: usize) -> bool {
        !self.is_grown() && self.forest.rows() >= 4 * self.forest.forest().sample_size() + phase
    }

    fn renew(&mut self) -> Done {
        self.forest.renew(1)?;
        self.usual = usual(&self.forest.window()?);
        self.looks_since_renewal = 0;
        if self.scores.len() >= SCORES_MIN {
            let below = ((1.0 - ALARM_SHARE) * self.scores.len() as f64) as usize;
            let threshold = nth_smallest(self.scores.iter().copied().collect(), below);
            self.forest.forest_mut().set_threshold(threshold.unwrap_or(1.0).max(THRESHOLD_MIN))?;
        }
        Ok(())
    }
}

fn usual(rows: &ArrayView2<'_, f64>) -> Row {
    std::array::from_fn(|column| median(rows.index_axis(Axis(1), column).to_vec()))
}
