//! The course of the confidence, thinned to what a chart can show.

use crate::types::Moment;

/// Points of one chart: more than a screen has room for.
const POINTS_MAX: i64 = 720;

/// The highest confidence in one part of the span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The time of the first round in that part, Unix milliseconds.
    pub at_unix_ms: i64,
    /// What the policy makes of it; `None` after a switch, where nobody can know.
    pub would: Option<f64>,
    /// What was made of it then.
    pub then: Option<f64>,
    /// Nothing was recorded for a while before it.
    pub is_after_gap: bool,
}

/// Collects the points of one service.
#[derive(Debug)]
pub struct Course {
    from: i64,
    width: i64,
    points: Vec<Point>,
}

impl Course {
    /// A course over a span, Unix milliseconds.
    #[must_use]
    pub fn over(from: i64, until: i64) -> Self {
        Self { from, width: ((until - from) / POINTS_MAX).max(1), points: Vec::new() }
    }

    /// Notes one round.
    pub fn note(&mut self, now: Moment, would: Option<f64>, then: Option<f64>, is_after_gap: bool) {
        let at_unix_ms = now.unix_ms();
        let column = |at: i64| (at - self.from) / self.width;
        let highest = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (one, other) => one.or(other),
        };
        match self.points.last_mut() {
            Some(last) if column(last.at_unix_ms) == column(at_unix_ms) => {
                last.would = highest(last.would, would);
                last.then = highest(last.then, then);
            }
            Some(_) | None => self.points.push(Point { at_unix_ms, would, then, is_after_gap }),
        }
    }

    /// All points, in the order of time.
    #[must_use]
    pub fn end(self) -> Vec<Point> {
        self.points
    }
}
