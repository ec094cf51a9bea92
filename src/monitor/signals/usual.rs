//! What is usual: an average that forgets.

use std::time::Duration;

use crate::types::{Moment, Ratio};

/// After so long, what was seen counts half.
const HALF_LIFE: Duration = Duration::from_secs(300);

/// The share of the average that a value makes up which was seen after this time.
pub(super) fn weight(elapsed: Duration) -> f64 {
    1.0 - (-elapsed.as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
}

/// The usual value of one number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Usual {
    seen: Option<(Moment, f64)>,
}

impl Usual {
    /// What was usual before this value, the value itself at first; then takes the value.
    pub(super) fn see(&mut self, value: f64, now: Moment) -> f64 {
        let (before, weight) = match self.seen {
            None => (value, 1.0),
            Some((at, usual)) => (usual, weight(now.since(at))),
        };
        let after = before + weight * (value - before);
        // Numbers as large as no Redis has are not remembered.
        self.seen = after.is_finite().then_some((now, after));
        before
    }
}

/// By which share a value lies below another.
pub(super) fn loss(value: f64, usual: f64) -> Ratio {
    if usual > 0.0 { Ratio::clamped((usual - value) / usual) } else { Ratio::ZERO }
}

/// How far two values that are not negative are apart, as a share of the larger.
pub(super) fn change(value: f64, usual: f64) -> Ratio {
    let most = value.max(usual);
    if most > 0.0 { Ratio::clamped((value - usual).abs() / most) } else { Ratio::ZERO }
}
