//! What is usual at each time of day.

use super::table::Table;

/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;
/// The most slots of a day: quarters of an hour.
const SLOTS_MAX: i64 = 96;
/// The least span that shows a day's course.
const SPAN_MIN_SECONDS: i64 = 3 * DAY_SECONDS;

/// The median of each column in each slot of the day; one slot while there is too little history to know the course.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Season {
    slots: usize,
    columns: usize,
    medians: Vec<f64>,
}

impl Season {
    pub(super) fn fit(table: &Table, period_seconds: i64) -> Self {
        let span = match (table.times().first(), table.times().last()) {
            (Some(first), Some(last)) => last - first + period_seconds,
            _ => 0,
        };
        let slots =
            if span < SPAN_MIN_SECONDS { 1 } else { (DAY_SECONDS / period_seconds).clamp(1, SLOTS_MAX) };
        let slots = usize::try_from(slots).unwrap_or(1);
        let columns = table.columns();
        let mut medians = vec![0.0; slots * columns];
        let mut bins = vec![Vec::new(); slots];
        for column in 0..columns {
            bins.iter_mut().for_each(Vec::clear);
            for (row, cell) in table.learnable(column) {
                bins[slot(table.times()[row], slots)].push(cell);
            }
            let whole = median(&mut table.learnable(column).map(|(_, cell)| cell).collect::<Vec<_>>());
            for (slot, bin) in bins.iter_mut().enumerate() {
                // A slot that was never seen is as the whole day.
                medians[slot * columns + column] = median(bin).or(whole).unwrap_or(0.0);
            }
        }
        Self { slots, columns, medians }
    }

    /// What is usual of each column at a time, Unix seconds.
    pub(super) fn at(&self, time: i64) -> &[f64] {
        let slot = slot(time, self.slots);
        &self.medians[slot * self.columns..(slot + 1) * self.columns]
    }

    /// Whether it knows times of the day.
    pub(super) fn is_daily(&self) -> bool {
        self.slots > 1
    }

    /// Whether it can be what it says it is.
    pub(super) fn is_whole(&self, columns: usize) -> bool {
        self.slots > 0
            && self.columns == columns
            && Some(self.medians.len()) == self.slots.checked_mul(columns)
            && self.medians.iter().all(|median| median.is_finite())
    }
}

fn slot(time: i64, slots: usize) -> usize {
    let second = usize::try_from(time.rem_euclid(DAY_SECONDS)).unwrap_or(0);
    second * slots / DAY_SECONDS as usize
}

/// The median; the mean of the middle two where there are two.
pub(in crate::analyse) fn median(values: &mut [f64]) -> Option<f64> {
    let (middle, is_odd) = (values.len() / 2, !values.len().is_multiple_of(2));
    if values.is_empty() {
        return None;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    // Halves are added, so that values as wide as the type do not overflow.
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(days: i64) -> Table {
        let mut table = Table::new(["load"]);
        for minute in 0..days * 288 {
            let hour = (minute / 12) % 24;
            table.push(minute * 300, &[if hour == 3 { 100.0 } else { hour as f64 }], true);
        }
        table
    }

    #[test]
    fn the_course_of_the_day_is_known_from_three_days_on() {
        let season = Season::fit(&table(3), 300);
        assert!(season.is_daily() && season.is_whole(1));
        assert_eq!(season.at(3 * 3600 + 60), [100.0]);
        assert_eq!(season.at(-3600), [23.0], "times before 1970 have an hour as well");
        let young = Season::fit(&table(2), 300);
        assert_eq!((young.is_daily(), young.at(3 * 3600)), (false, &[11.5 + 1.0][..]));
    }

    #[test]
    fn medians_are_those_of_the_middle() {
        for (mut values, want) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![9.0, 1.0], Some(5.0)),
            (vec![5.0, 1.0, 9.0], Some(5.0)),
            (vec![f64::MAX, f64::MAX], Some(f64::MAX)),
        ] {
            assert_eq!(median(&mut values), want);
        }
    }
}
