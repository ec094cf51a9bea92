//! One measure of a group of targets: which of them are outside of the others' band, and when.

use augurs_outlier::{DbscanDetector, MADDetector, OutlierDetector as _, OutlierOutput};

use crate::analyse::model::{Rule, median};

/// Fewer have no band.
pub(super) const TARGETS_MIN: usize = 3;
/// More than this part of a group at once are no outliers: the group is of two kinds.
const OUTSIDE_MAX_PART: usize = 3;
/// An outlier is so many robust standard deviations from the middle.
const MAD_THRESHOLD: f64 = 3.5;
/// Within one least deviation of a neighbour a value belongs to the neighbour's cluster.
const DBSCAN_EPSILON: f64 = 1.0;
/// Where no deviation is too small to count, one of this share of the median still is.
const LEAST_SHARE: f64 = 0.01;

/// When a target was outside of its peers' band.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Outside {
    /// Times at which it could be compared.
    pub(super) compared: usize,
    /// Of those, the ones at which it was outside.
    pub(super) outside: usize,
    /// The last of them.
    pub(super) last: Option<usize>,
    /// How many least deviations it was from the median then.
    pub(super) excess: f64,
}

/// Compares one measure of several targets. Each has as many values, of the same times; one that is not finite is not
/// known.
pub(super) fn outside(values: &[Vec<f64>], rule: &Rule) -> Vec<Outside> {
    let residuals = residuals(values, rule);
    let mut found = residuals.iter().map(|row| known(row)).collect::<Vec<_>>();
    let counts = |residual: f64| rule.counts(residual) && residual.abs() >= 1.0;
    if !residuals.iter().flatten().any(|residual| counts(*residual)) {
        return found;
    }
    let judged = Judged::of(&residuals);
    for time in 0..residuals.first().map_or(0, Vec::len) {
        let is_outside =
            |target: &usize| judged.is_outside(*target, time) && counts(residuals[*target][time]);
        let outliers: Vec<usize> = (0..residuals.len()).filter(is_outside).collect();
        let known = residuals.iter().filter(|row| row[time].is_finite()).count();
        if outliers.len() > known / OUTSIDE_MAX_PART {
            continue;
        }
        for target in outliers {
            found[target].outside += 1;
            (found[target].last, found[target].excess) = (Some(time), residuals[target][time].abs());
        }
    }
    found
}

fn known(residuals: &[f64]) -> Outside {
    let compared = residuals.iter().filter(|residual| residual.is_finite()).count();
    Outside { compared, ..Outside::default() }
}

/// How far each value is from the group's median at its time, in least deviations; NaN where too few are known.
///
/// What all do together is taken away by that, so that neither a daily course nor a step of all is anybody's.
fn residuals(values: &[Vec<f64>], rule: &Rule) -> Vec<Vec<f64>> {
    let times = values.iter().map(Vec::len).min().unwrap_or(0);
    let mut residuals = vec![vec![f64::NAN; times]; values.len()];
    for time in 0..times {
        let mut known: Vec<f64> = values.iter().map(|row| row[time]).filter(|v| v.is_finite()).collect();
        if known.len() < TARGETS_MIN {
            continue;
        }
        let Some(middle) = median(&mut known) else { continue };
        let usual = if rule.least(middle) > 0.0 { rule.least(middle) } else { LEAST_SHARE * middle.abs() };
        let least = if usual > 0.0 { usual } else { 1.0 };
        for (row, residuals) in values.iter().zip(&mut residuals) {
            let residual = (row[time] - middle) / least;
            residuals[time] = if residual.is_finite() { residual } else { f64::NAN };
        }
    }
    residuals
}

/// What a detector says of the residuals.
enum Judged {
    /// By their median absolute deviation over all targets and times.
    Mad(OutlierOutput),
    /// By what is apart from the majority, where nothing deviates at most times and there is no such deviation.
    Dbscan(OutlierOutput),
    /// Nothing can be said.
    Nothing,
}

impl Judged {
    fn of(residuals: &[Vec<f64>]) -> Self {
        let rows: Vec<&[f64]> = residuals.iter().map(Vec::as_slice).collect();
        // Each side of the middle has a deviation of its own in the detector, and in a group of three or four an outlier is
        // half of its side. With every series once more, mirrored, both sides are the same, and the outlier a minority.
        let mirrored: Vec<Vec<f64>> =
            residuals.iter().map(|row| row.iter().map(|value| -value).collect()).collect();
        let both: Vec<&[f64]> = rows.iter().copied().chain(mirrored.iter().map(Vec::as_slice)).collect();
        let mad = MADDetector::with_threshold(MAD_THRESHOLD);
        if let Ok(output) = mad.preprocess(&both).and_then(|data| mad.detect(&data)) {
            return Self::Mad(output);
        }
        let dbscan = DbscanDetector::with_epsilon(DBSCAN_EPSILON);
        match dbscan.preprocess(&rows).and_then(|data| dbscan.detect(&data)) {
            Ok(output) => Self::Dbscan(output),
            Err(_) => Self::Nothing,
        }
    }

    fn is_outside(&self, target: usize, time: usize) -> bool {
        let score = |output: &OutlierOutput| {
            output.series_results.get(target).and_then(|series| series.scores.get(time).copied())
        };
        match self {
            Self::Mad(output) => score(output).is_some_and(|score| score > MAD_THRESHOLD),
            // Without a majority there is no band, and all are called outliers.
            Self::Dbscan(output) => {
                let band = output.cluster_band.as_ref();
                let has_band = band.is_some_and(|band| band.min.get(time).is_some_and(|min| min.is_finite()));
                has_band && score(output).is_some_and(|score| score > 0.0)
            }
            Self::Nothing => false,
        }
    }
}
