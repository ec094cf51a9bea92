//! How far a row is from all others, in a measure that knows which features move together.

use linfa_isolation_forest::IsolationForestError;

use super::fit::{Features, Spread};

/// Features further from their medians count as being so far.
const CLIP: f64 = 20.0;
/// Added to all variances: directions in which rows hardly differ must not make everything of a little noise.
const RIDGE: f64 = 0.01;
/// The weight of what never varied.
const STILL: f64 = 1.0 / RIDGE;
/// Rows that are added up together, so that each sum is fetched once for all of them.
const BATCH: usize = 8;

/// The squared distance from the middle in principal components, each divided by its variance.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Distance {
    /// The features that varied.
    moving: Vec<u16>,
    still: Vec<u16>,
    means: Vec<f64>,
    /// The rows of a lower triangular matrix W, one after the other, with Wᵀ W the inverse of the covariance.
    whitening: Vec<f32>,
}

impl Distance {
    pub(super) fn fit(features: &Features<'_>, spreads: &[Spread]) -> Result<Self, IsolationForestError> {
        let places = 0..spreads.len() as u16;
        let (moving, still): (Vec<u16>, Vec<u16>) =
            places.partition(|place| !spreads[usize::from(*place)].is_constant);
        let mut sums = Sums::new(moving.len());
        let mut row = vec![0.0; spreads.len()];
        features.each(|_, features, is_usual| {
            if is_usual {
                scale(features, spreads, &mut row);
                sums.add(moving.iter().map(|place| row[usize::from(*place)]));
            }
            Ok(())
        })?;
        let (means, mut covariance) = sums.finish();
        decompose(&mut covariance, moving.len());
        invert(&mut covariance, moving.len());
        let whitening = covariance.iter().map(|cell| *cell as f32).collect();
        Ok(Self { moving, still, means, whitening })
    }

    /// The squared distance. `scaled` are the scaled features, `room` is working memory.
    pub(super) fn score(&self, scaled: &[f64], room: &mut Vec<f32>) -> f64 {
        room.clear();
        let centred =
            self.moving.iter().zip(&self.means).map(|(place, mean)| scaled[usize::from(*place)] - mean);
        room.extend(centred.map(|value| value as f32));
        let mut rest = self.whitening.as_slice();
        let mut distance = 0.0;
        for length in 1..=room.len() {
            let (row, below) = rest.split_at(length.min(rest.len()));
            rest = below;
            let component = f64::from(dot(row, &room[..length]));
            distance += component * component;
        }
        let still = self.still.iter().map(|place| scaled[usize::from(*place)]);
        distance + STILL * still.map(|value| value * value).sum::<f64>()
    }

    /// Whether it can be what it says it is.
    pub(super) fn is_whole(&self, features: usize) -> bool {
        let mut places: Vec<u16> = self.moving.iter().chain(&self.still).copied().collect();
        places.sort_unstable();
        places.iter().map(|place| usize::from(*place)).eq(0..features)
            && self.means.len() == self.moving.len()
            && self.whitening.len() == triangle(self.moving.len())
            && self.means.iter().all(|mean| mean.is_finite())
            && self.whitening.iter().all(|cell| cell.is_finite())
    }
}

/// Scales features by their spreads, within bounds.
pub(super) fn scale(features: &[f64], spreads: &[Spread], scaled: &mut [f64]) {
    for ((scaled, feature), spread) in scaled.iter_mut().zip(features).zip(spreads) {
        *scaled = spread.z(*feature).clamp(-CLIP, CLIP);
    }
}

/// Cells of a lower triangular matrix.
fn triangle(size: usize) -> usize {
    size * (size + 1) / 2
}

/// The sum in lanes, which the compiler computes side by side.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Sums for means and covariances.
struct Sums {
    size: usize,
    rows: usize,
    sums: Vec<f64>,
    products: Vec<f64>,
    /// The rows of a batch, one after the other; what is not filled is 0.
    batch: Vec<f64>,
}

impl Sums {
    fn new(size: usize) -> Self {
        let (products, batch) = (vec![0.0; triangle(size)], Vec::with_capacity(size * BATCH));
        Self { size, rows: 0, sums: vec![0.0; size], products, batch }
    }

    fn add(&mut self, row: impl Iterator<Item = f64>) {
        let first = self.batch.len();
        self.batch.extend(row);
        self.sums.iter_mut().zip(&self.batch[first..]).for_each(|(sum, value)| *sum += value);
        self.rows += 1;
        if self.batch.len() == self.size * BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.batch.resize(self.size * BATCH, 0.0);
        let rows: [&[f64]; BATCH] =
            std::array::from_fn(|row| &self.batch[row * self.size..(row + 1) * self.size]);
        let mut products = self.products.as_mut_slice();
        for place in 0..self.size {
            let (line, below) = products.split_at_mut(place + 1);
            let ones = rows.map(|row| row[place]);
            let others = rows.map(|row| &row[..=place]);
            // Along the line the sums are each other's neighbours, so that several are computed at once.
            for (other, product) in line.iter_mut().enumerate() {
                *product += (0..BATCH).map(|row| ones[row] * others[row][other]).sum::<f64>();
            }
            products = below;
        }
        self.batch.clear();
    }

    /// The means, and the lower triangle of the covariance matrix with the ridge.
    fn finish(mut self) -> (Vec<f64>, Vec<f64>) {
        self.flush();
        let rows = self.rows.max(1) as f64;
        let means: Vec<f64> = self.sums.iter().map(|sum| sum / rows).collect();
        let mut place = 0;
        for one in 0..self.size {
            for other in 0..=one {
                let product = self.products[place] - rows * means[one] * means[other];
                let ridge = if one == other { RIDGE } else { 0.0 };
                self.products[place] = product / (rows - 1.0).max(1.0) + ridge;
                place += 1;
            }
        }
        (means, self.products)
    }
}

/// Cholesky: replaces a positive definite matrix, given by its lower triangle, by its lower triangular factor L.
fn decompose(cells: &mut [f64], size: usize) {
    for row in 0..size {
        let (above, below) = cells.split_at_mut(triangle(row));
        let line = &mut below[..=row];
        for column in 0..row {
            let start = triangle(column);
            let other = &above[start..=start + column];
            let product: f64 = line[..column].iter().zip(other).map(|(a, b)| a * b).sum();
            line[column] = (line[column] - product) / other[column];
        }
        let square: f64 = line[..row].iter().map(|cell| cell * cell).sum();
        // Rounding must not make a root of a negative number; the ridge is its least true value.
        line[row] = (line[row] - square).max(RIDGE).sqrt();
    }
}

/// Replaces a lower triangular matrix by its inverse.
fn invert(cells: &mut [f64], size: usize) {
    for row in 0..size {
        let (above, below) = cells.split_at_mut(triangle(row));
        let line = &mut below[..=row];
        let pivot = line[row];
        let mut inverse = vec![0.0; row];
        for (middle, factor) in line[..row].iter().enumerate() {
            let start = triangle(middle);
            for (sum, cell) in inverse.iter_mut().zip(&above[start..=start + middle]) {
                *sum -= factor * cell;
            }
        }
        for (cell, sum) in line.iter_mut().zip(&inverse) {
            *cell = sum / pivot;
        }
        line[row] = 1.0 / pivot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whitening_is_that_of_the_inverse() {
        // [[4, 2, 0.6], [2, 5, 1], [0.6, 1, 3]]
        let matrix = [4.0, 2.0, 5.0, 0.6, 1.0, 3.0];
        let mut cells = matrix.to_vec();
        decompose(&mut cells, 3);
        assert!(
            (cells[0] - 2.0).abs() < 1e-12
                && (cells[1] - 1.0).abs() < 1e-12
                && (cells[2] - 2.0).abs() < 1e-12
        );
        invert(&mut cells, 3);
        let at = |cells: &[f64], row: usize, column: usize| {
            if column > row { 0.0 } else { cells[triangle(row) + column] }
        };
        let full = |row: usize, column: usize| matrix[triangle(row.max(column)) + row.min(column)];
        for row in 0..3 {
            for column in 0..3 {
                // W C Wᵀ is the identity.
                let mut sum = 0.0;
                for one in 0..3 {
                    for other in 0..3 {
                        sum += at(&cells, row, one) * full(one, other) * at(&cells, column, other);
                    }
                }
                let want = f64::from(u8::from(row == column));
                assert!((sum - want).abs() < 1e-12, "{row} {column} {sum}");
            }
        }
    }

    #[test]
    fn sums_are_those_of_all_rows() {
        let rows = [[1.0, 2.0], [3.0, 1.0], [5.0, 9.0]];
        let mut sums = Sums::new(2);
        // More rows than a batch, and not a multiple of it.
        for _ in 0..7 {
            rows.iter().for_each(|row| sums.add(row.iter().copied()));
        }
        let (means, covariance) = sums.finish();
        assert_eq!(means, [3.0, 4.0]);
        let scale = 21.0 / 20.0;
        let want = [8.0 / 3.0 * scale + RIDGE, 14.0 / 3.0 * scale, 38.0 / 3.0 * scale + RIDGE];
        assert!(covariance.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-9), "{covariance:?} {want:?}");
    }
}
