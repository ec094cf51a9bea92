//! The row that one look at a target is, and what stands in for a signal that was not seen.

use crate::types::{Ratio, SIGNALS};

/// How many signals a row has.
pub(super) const COLUMNS: usize = SIGNALS.len();

/// A row without gaps.
pub(super) type Row = [f64; COLUMNS];

/// The signals of one look, in the order of [`SIGNALS`]; `None` was not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Features([Option<Ratio>; COLUMNS]);

impl Features {
    /// Takes the signals that are known. A name that is none of [`SIGNALS`] has no column.
    pub(super) fn new(known: &[(&'static str, Ratio)]) -> Self {
        Self(SIGNALS.map(|signal| known.iter().find(|(name, _)| *name == signal).map(|(_, value)| *value)))
    }

    /// The names of the signals that were seen, with their columns.
    pub(super) fn seen(&self) -> impl Iterator<Item = (usize, &'static str)> + '_ {
        let columns = SIGNALS.iter().zip(&self.0).enumerate();
        columns.filter_map(|(column, (signal, value))| value.map(|_| (column, *signal)))
    }

    /// The row; what was not seen is as usual, so that a gap makes a look neither stranger nor more ordinary than its
    /// other signals do.
    pub(super) fn row(&self, usual: &Row) -> Row {
        std::array::from_fn(|column| self.0[column].map_or(usual[column], Ratio::get))
    }

    /// What is usual in these looks: the median of what was seen of each signal; 0, which is good, where nothing was.
    pub(super) fn usual(looks: &[Self]) -> Row {
        std::array::from_fn(|column| {
            median(looks.iter().filter_map(|look| look.0[column]).map(Ratio::get).collect())
        })
    }
}

/// The upper median, 0 of nothing.
pub(super) fn median(values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    nth_smallest(values, middle).unwrap_or(0.0)
}

/// The value at that place, counted from 0, when they are sorted.
pub(super) fn nth_smallest(mut values: Vec<f64>, place: usize) -> Option<f64> {
    if place >= values.len() {
        return None;
    }
    let (_, value, _) = values.select_nth_unstable_by(place, f64::total_cmp);
    Some(*value)
}
