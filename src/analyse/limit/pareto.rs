//! The generalised Pareto distribution, which the tail of nearly every distribution looks like.

/// Shapes outside are the noise of few peaks.
const SHAPE: std::ops::Range<f64> = -0.5..1.0;
/// Below, the distribution is the exponential one.
const SHAPE_MIN: f64 = 1e-9;

/// A fitted distribution of peaks above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pareto {
    pub(super) shape: f64,
    pub(super) scale: f64,
}

impl Pareto {
    /// The likeliest distribution of peaks, which must be above 0 and not none.
    ///
    /// With θ = shape / scale given, the likeliest shape is the mean of ln(1 + θ x); so the search is along one line.
    pub(super) fn fit(peaks: &[f64]) -> Self {
        let count = peaks.len() as f64;
        let mean = peaks.iter().sum::<f64>() / count;
        let most = peaks.iter().copied().fold(0.0, f64::max);
        let mut best = Self { shape: 0.0, scale: mean };
        let mut likelihood = -count * (mean.ln() + 1.0);
        for theta in thetas(mean, most) {
            let sum: f64 = peaks.iter().map(|peak| (theta * peak).ln_1p()).sum();
            let shape = sum / count;
            let scale = shape / theta;
            let found = -count * scale.ln() - (1.0 + 1.0 / shape) * sum;
            if shape.abs() >= SHAPE_MIN && SHAPE.contains(&shape) && scale > 0.0 && found > likelihood {
                (best, likelihood) = (Self { shape, scale }, found);
            }
        }
        best
    }

    /// The peak that is exceeded with this probability.
    pub(super) fn exceeded(&self, probability: f64) -> f64 {
        if self.shape.abs() < 1e-6 {
            return -self.scale * probability.ln();
        }
        self.scale / self.shape * (probability.powf(-self.shape) - 1.0)
    }
}

/// Where the likeliest distribution is searched: bounded tails first, from the shortest on, then ever heavier ones.
fn thetas(mean: f64, most: f64) -> impl Iterator<Item = f64> {
    const BOUNDED: u32 = 40;
    const HEAVY: u32 = 60;
    let shortest = -1.0 / most + 1e-8;
    let bounded = (0..BOUNDED).map(move |step| {
        let part = f64::from(step) / f64::from(BOUNDED - 1);
        shortest * (0.999 + part * (0.01 - 0.999))
    });
    let heavy = (0..HEAVY).map(move |step| {
        let part = f64::from(step) / f64::from(HEAVY - 1);
        1e-4 * (2.0_f64 / 1e-4).powf(part) / mean
    });
    bounded.chain(heavy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quantiles of a distribution, evenly.
    fn peaks(of: Pareto) -> Vec<f64> {
        (0..500).map(|n| of.exceeded((f64::from(n) + 0.5) / 500.0)).collect()
    }

    #[test]
    fn what_made_the_peaks_is_found() {
        for (shape, scale) in [(0.0, 2.0), (0.3, 1.0), (0.6, 5.0), (-0.3, 1.0)] {
            let made = Pareto { shape, scale };
            let found = Pareto::fit(&peaks(made));
            assert!((found.shape - shape).abs() < 0.06, "{made:?} {found:?}");
            assert!((found.scale / scale - 1.0).abs() < 0.08, "{made:?} {found:?}");
        }
    }

    #[test]
    fn it_is_exceeded_as_often_as_it_says() {
        let exponential = Pareto { shape: 0.0, scale: 3.0 };
        assert!((exponential.exceeded((-1.0_f64).exp()) - 3.0).abs() < 1e-12);
        let heavy = Pareto { shape: 0.5, scale: 1.0 };
        assert!((heavy.exceeded(0.25) - 2.0).abs() < 1e-12);
    }
}
