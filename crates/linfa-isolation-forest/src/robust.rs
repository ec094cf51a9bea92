//! Robust z-scores: how far each column is from its usual values.

use linfa::Float;
use ndarray::{ArrayBase, Data, Ix2};

use crate::error::Result;
use crate::records;

/// Makes the deviation of a normal distribution out of its median absolute deviation.
const OF_ABSOLUTE_DEVIATION: f64 = 1.4826;
/// Makes the deviation of a normal distribution out of its quartiles' distance.
const OF_QUARTILES: f64 = 1.0 / 1.349;
/// The least scale in standard deviations.
const LEAST_OF_DEVIATION: f64 = 0.1;
/// The least scale in ranges.
const LEAST_OF_RANGE: f64 = 0.001;

/// The usual value of each column and the usual distance from it.
///
/// z = (value - median) / scale, where the scale is 1.4826 times the median absolute deviation; if that is 0, the
/// distance of the quartiles over 1.349; if that is 0 as well, the standard deviation. It is at least a tenth of the
/// standard deviation and a thousandth of the range; a constant column has the scale 1, and its z is the plain
/// difference.
///
/// **What z means:** how unusual the value of one column is by itself, with its direction. **What it does not mean:**
/// a probability (the columns need not be normal), nor anything about columns together: a row may be odd in none of
/// its columns and still be an anomaly, and its z-scores do not add up to the forest's score.
#[derive(Debug, Clone, PartialEq)]
pub struct RobustScale<F> {
    medians: Vec<F>,
    scales: Vec<F>,
}

impl<F: Float> RobustScale<F> {
    /// Learns the usual values of each column.
    ///
    /// # Errors
    ///
    /// Refuses records without rows or columns, and values that are NaN or infinite.
    pub fn fit<D: Data<Elem = F>>(records: &ArrayBase<D, Ix2>) -> Result<Self> {
        records::check(&records.view())?;
        let (medians, scales) = records.columns().into_iter().map(|column| usual(column.to_vec())).unzip();
        Ok(Self { medians, scales })
    }

    /// Returns the median of each column.
    pub fn medians(&self) -> &[F] {
        &self.medians
    }

    /// Returns the scale of each column; none is 0.
    pub fn scales(&self) -> &[F] {
        &self.scales
    }

    /// Writes the z-score of each column of a row, without allocating. NaN stays NaN.
    ///
    /// # Errors
    ///
    /// Refuses a row or a buffer with another number of columns.
    pub fn z_scores(&self, row: &[F], z_scores: &mut [F]) -> Result<()> {
        records::check_columns(self.medians.len(), row.len())?;
        records::check_columns(self.medians.len(), z_scores.len())?;
        for (z, (value, (median, scale))) in
            z_scores.iter_mut().zip(row.iter().zip(self.medians.iter().zip(&self.scales)))
        {
            *z = (*value - *median) / *scale;
        }
        Ok(())
    }
}

/// Returns the median and the scale of one column.
fn usual<F: Float>(mut values: Vec<F>) -> (F, F) {
    let half = F::cast(0.5);
    sort(&mut values);
    let (low, high) = (values[0], values[values.len() - 1]);
    let median = quantile(&values, 0.5);
    if low == high {
        return (median, F::one());
    }

    // Halves are subtracted, so that columns as wide as the type does not overflow.
    let quartiles = (quantile(&values, 0.75) * half - quantile(&values, 0.25) * half) * F::cast(2.0);
    let range = (high * half - low * half) * F::cast(2.0);
    let deviation = deviation(&values, range);
    let absolute = absolute_deviation(&values, median);

    let scale = [absolute * F::cast(OF_ABSOLUTE_DEVIATION), quartiles * F::cast(OF_QUARTILES), deviation]
        .into_iter()
        .find(|scale| *scale > F::zero())
        .unwrap_or(range);
    let least = (deviation * F::cast(LEAST_OF_DEVIATION)).max(range * F::cast(LEAST_OF_RANGE));
    let scale = scale.max(least).min(F::max_value());
    (median, if scale > F::zero() { scale } else { range })
}

/// Returns the median distance from the median. The distances of the values below it and of those above are sorted
/// already, so it is found from the middle outward, without sorting them again.
fn absolute_deviation<F: Float>(sorted: &[F], median: F) -> F {
    let (below, above) = sorted.split_at(sorted.partition_point(|value| *value < median));
    let mut below = below.iter().rev().map(|value| median - *value).peekable();
    let mut above = above.iter().map(|value| *value - median).peekable();
    let mut distances = std::iter::from_fn(|| match (below.peek(), above.peek()) {
        (Some(one), Some(other)) if one < other => below.next(),
        (Some(_), None) => below.next(),
        _ => above.next(),
    });
    let last = sorted.len() - 1;
    let lower = distances.nth(last / 2).unwrap_or(F::zero());
    let upper = if last.is_multiple_of(2) { lower } else { distances.next().unwrap_or(lower) };
    lower * F::cast(0.5) + upper * F::cast(0.5)
}

/// Returns the standard deviation, computed in units of the range.
fn deviation<F: Float>(values: &[F], range: F) -> F {
    let count = F::cast(values.len());
    let mean = values.iter().fold(F::zero(), |sum, &value| sum + value / count);
    let variance = values.iter().fold(F::zero(), |sum, &value| {
        let distance = value / range - mean / range;
        sum + distance * distance / count
    });
    variance.sqrt() * range
}

/// Returns the value at `share` of the way, between two values by their distance from it.
fn quantile<F: Float>(sorted: &[F], share: f64) -> F {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    let part = F::cast(place.fract());
    below * (F::one() - part) + above * part
}

fn sort<F: Float>(values: &mut [F]) {
    values.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_distance_is_that_of_the_sorted_distances() {
        for count in 1..40_u32 {
            // Spread by the golden ratio; coarse, so that some are alike.
            let mut values: Vec<f64> = (0..count)
                .map(|n| ((f64::from(n) * 0.618_033_988_75).fract().powi(3) * 20.0).round())
                .collect();
            sort(&mut values);
            let median = quantile(&values, 0.5);
            let mut distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
            sort(&mut distances);
            assert_eq!(absolute_deviation(&values, median), quantile(&distances, 0.5), "{values:?}");
        }
    }
}
