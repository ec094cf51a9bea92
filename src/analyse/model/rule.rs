//! What counts as a deviation of one column.

/// The side on which a column deviates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More and less are both unusual.
    #[default]
    Both,
    /// Only more is unusual: evictions.
    High,
    /// Only less is unusual: the hit ratio.
    Low,
}

/// What counts as a deviation of one column. By default, everything.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Rule {
    /// The side that counts.
    pub direction: Direction,
    /// A smaller deviation is none, and a larger one counts from here, in the column's unit.
    pub deviation_min: f64,
    /// The same as a share of what is expected; the larger of the two holds.
    pub deviation_min_share: f64,
}

/// As much again as the least deviation that counts is at most so many usual deviations: what hardly ever moves is not
/// far off by its first step.
const LEAST_Z: f64 = 3.0;

impl Rule {
    /// The robust z-score of a value, 0 for what does not count.
    pub(super) fn z(&self, value: f64, expected: f64, scale: f64) -> f64 {
        let deviation = value - expected;
        let least = self.least(expected);
        let beyond = deviation.abs() - least;
        if !self.counts(deviation) || beyond <= 0.0 {
            return 0.0;
        }
        // Without a step at the least deviation, so that a hair's breadth is never the difference to an alarm.
        (beyond / scale.max(least / LEAST_Z)).copysign(deviation)
    }

    /// Whether a deviation is on the side that counts.
    pub(in crate::analyse) fn counts(&self, deviation: f64) -> bool {
        match self.direction {
            Direction::Both => true,
            Direction::High => deviation > 0.0,
            Direction::Low => deviation < 0.0,
        }
    }

    /// The least deviation from what is expected that counts.
    pub(in crate::analyse) fn least(&self, expected: f64) -> f64 {
        self.deviation_min.max(self.deviation_min_share * expected.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_deviations_of_the_right_side_and_size_count() {
        let rule = |direction, deviation_min, deviation_min_share| Rule {
            direction,
            deviation_min,
            deviation_min_share,
        };
        for (rule, value, z) in [
            (Rule::default(), 12.0, 1.0),
            (Rule::default(), 6.0, -2.0),
            (rule(Direction::High, 0.0, 0.0), 6.0, 0.0),
            (rule(Direction::High, 0.0, 0.0), 14.0, 2.0),
            (rule(Direction::Low, 0.0, 0.0), 14.0, 0.0),
            (rule(Direction::Low, 0.0, 0.0), 6.0, -2.0),
            (rule(Direction::Both, 5.0, 0.0), 14.9, 0.0),
            (rule(Direction::Both, 5.0, 0.0), 16.0, 0.5),
            (rule(Direction::Both, 12.0, 0.0), 22.0, 0.0),
            (rule(Direction::Both, 12.0, 0.0), 34.0, 3.0),
            (rule(Direction::Both, 0.0, 0.5), 14.9, 0.0),
            (rule(Direction::Both, 0.0, 0.5), 4.0, -0.5),
        ] {
            assert_eq!(rule.z(value, 10.0, 2.0), z, "{rule:?} {value}");
        }
    }
}
