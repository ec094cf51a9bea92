//! What is usual of each column by itself, and how far a value is from it.

use linfa_isolation_forest::IsolationForestError;

use super::fit::Spread;
use super::rule::Rule;
use super::season::Season;
use super::table::Table;

/// A value that moves in a column that never moved is so many usual deviations away, whatever its unit.
const FIRST_MOVE_Z: f64 = 10.0;
/// From so many usual deviations beyond its least deviation on, a column alone is worth an alarm.
const TELLING_Z: f64 = 2.0;
/// What is between these shares of the past values, at that time of day, is called usual.
const USUAL_SHARES: (f64, f64) = (0.01, 0.99);

/// What is usual of a column at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// What is expected.
    pub expected: f64,
    /// Nearly all past values were at least this,
    pub low: f64,
    /// and at most this.
    pub high: f64,
}

impl Usual {
    /// Whether nearly all past values were no further out than this one.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// The usual values of all columns.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Baseline {
    season: Season,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Column {
    rule: Rule,
    /// It was ever seen: of what was not, nothing is unusual.
    is_known: bool,
    /// Of what is left when the season is taken away.
    spread: Spread,
    low: f64,
    high: f64,
    /// The least and the greatest value ever learned from.
    least: f64,
    most: f64,
}

impl Baseline {
    /// Learns the columns of a table; `rules` has one for each.
    pub(super) fn fit(
        table: &Table,
        rules: &[Rule],
        period_seconds: i64,
    ) -> Result<Self, IsolationForestError> {
        let season = Season::fit(table, period_seconds);
        let columns = rules.iter().enumerate().map(|(column, rule)| {
            let values: Vec<(usize, f64)> = table.learnable(column).collect();
            let rest = values.iter().map(|(row, value)| value - season.at(table.times()[*row])[column]);
            let mut rest: Vec<f64> = rest.collect();
            let spread = Spread::of(&rest)?;
            let (low, high) = (nth(&mut rest, USUAL_SHARES.0), nth(&mut rest, USUAL_SHARES.1));
            let least = values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
            let most = values.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
            let (least, most) = if least <= most { (least, most) } else { (0.0, 0.0) };
            let is_known = !values.is_empty();
            Ok(Column { rule: *rule, is_known, spread, low, high, least, most })
        });
        let columns = columns.collect::<Result<Vec<_>, IsolationForestError>>()?;
        Ok(Self { season, columns })
    }

    /// The z-score of each value; a gap is as expected. Returns the number of gaps.
    pub(super) fn z(&self, time: i64, row: &[f64], z: &mut [f64]) -> u32 {
        let season = self.season.at(time);
        let mut gaps = 0;
        for (((z, value), column), season) in z.iter_mut().zip(row).zip(&self.columns).zip(season) {
            let is_seen = value.is_finite();
            gaps += u32::from(!is_seen);
            *z = if is_seen && column.is_known {
                column.z(*value, season + column.spread.median)
            } else {
                0.0
            };
        }
        gaps
    }

    /// Whether z-scores hold more than first steps: a column that has a least deviation is well beyond it, or one that has
    /// none deviates at all.
    pub(super) fn is_telling(&self, z: &[f64]) -> bool {
        let is_telling = |(z, column): (&f64, &Column)| {
            let is_bounded = column.rule.deviation_min > 0.0 || column.rule.deviation_min_share > 0.0;
            if is_bounded { z.abs() >= TELLING_Z } else { *z != 0.0 }
        };
        z.iter().zip(&self.columns).any(is_telling)
    }

    /// What is usual of a column at a time.
    pub(super) fn usual(&self, time: i64, place: usize) -> Usual {
        let season = self.season.at(time)[place];
        let column = &self.columns[place];
        let within = |value: f64| value.clamp(column.least, column.most);
        let (low, high) = (within(season + column.low), within(season + column.high));
        Usual { expected: season + column.spread.median, low, high }
    }

    /// Columns that ever moved.
    pub(super) fn moving(&self) -> usize {
        self.columns.iter().filter(|column| !column.spread.is_constant).count()
    }

    pub(super) fn is_daily(&self) -> bool {
        self.season.is_daily()
    }

    /// Whether it can be what it says it is.
    pub(super) fn is_whole(&self, columns: usize) -> bool {
        let is_number = |column: &Column| {
            let rule = &column.rule;
            [column.low, column.high, column.least, column.most].iter().all(|value| value.is_finite())
                && column.least <= column.most
                && column.spread.is_whole()
                && rule.deviation_min >= 0.0
                && rule.deviation_min_share >= 0.0
        };
        self.columns.len() == columns && self.season.is_whole(columns) && self.columns.iter().all(is_number)
    }
}

impl Column {
    fn z(&self, value: f64, expected: f64) -> f64 {
        let scale = match self.spread.is_constant {
            true if value == expected => return 0.0,
            true => (value - expected).abs() / FIRST_MOVE_Z,
            false => self.spread.scale,
        };
        let z = self.rule.z(value, expected, scale);
        // The difference of two finite values may not be one.
        if z.is_finite() { z } else { FIRST_MOVE_Z.copysign(value - expected) }
    }
}

/// The value at that share of the way through the sorted values.
fn nth(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let place = (share * (values.len() - 1) as f64).round() as usize;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::model::rule::Direction;

    #[test]
    fn a_constant_column_counts_its_first_move_whatever_its_unit() {
        let mut table = Table::new(["still", "strict"]);
        (0..100).for_each(|minute| table.push(minute * 60, &[7.0, 0.0], true));
        let strict = Rule { direction: Direction::High, deviation_min: 6.0, ..Rule::default() };
        let baseline = Baseline::fit(&table, &[Rule::default(), strict], 60).unwrap();
        let mut z = [0.0; 2];
        for (row, want, gaps) in [
            ([7.0, 0.0], [0.0, 0.0], 0),
            ([7.000_001, 5.0], [10.0, 0.0], 0),
            ([-1e300, 8.0], [-10.0, 1.0], 0),
            ([f64::NAN, 12.0], [0.0, 3.0], 1),
            ([f64::INFINITY, -90.0], [0.0, 0.0], 1),
        ] {
            assert_eq!((baseline.z(0, &row, &mut z), z), (gaps, want), "{row:?}");
        }
        assert_eq!((baseline.moving(), baseline.is_whole(2), baseline.is_whole(1)), (0, true, false));
        for (z, is_telling) in [([0.0, 1.9], false), ([0.0, -2.0], true), ([0.1, 0.0], true)] {
            assert_eq!(baseline.is_telling(&z), is_telling, "{z:?}");
        }
    }

    #[test]
    fn the_usual_range_is_that_of_the_hour_and_never_beyond_what_was_seen() {
        let mut table = Table::new(["clients"]);
        for minute in 0..5 * 1440 {
            let busy = f64::from(u8::from((minute / 60) % 24 >= 12));
            table.push(minute * 60, &[100.0 * busy + (minute % 5) as f64], true);
        }
        let baseline = Baseline::fit(&table, &[Rule::default()], 60).unwrap();
        let usual = baseline.usual(6 * 86_400 + 3 * 3600, 0);
        assert_eq!((usual.low, usual.high), (0.0, 4.0));
        let usual = baseline.usual(6 * 86_400 + 15 * 3600, 0);
        assert_eq!((usual.low, usual.high), (100.0, 104.0));
    }
}
