//! Path lengths: what a path is expected to be, and how one is kept.

/// One expected path length, in the fixed-point numbers in which trees keep their paths.
///
/// Sums of such numbers are exact, so a score does not depend on the order of its trees, and contributions cancel
/// to the last bit.
pub(crate) const EXPECTED: u32 = 1 << 28;

/// The average path length of trees over `rows` rows, and values of nodes relative to it.
pub(crate) struct PathLength {
    averages: Vec<f64>,
    height_limit: u32,
}

impl PathLength {
    /// Prepares the averages of up to `rows` rows, which must be at least 1.
    pub(crate) fn of(rows: usize) -> Self {
        // c(n) = 2 H(n-1) - 2 (n-1)/n, with the harmonic number itself and not its logarithm: c(2) is 1.
        let mut harmonic = 0.0;
        let mut averages = vec![0.0, 0.0];
        for n in 2..=rows {
            let before = (n - 1) as f64;
            harmonic += 1.0 / before;
            averages.push(2.0 * harmonic - 2.0 * before / n as f64);
        }
        Self { averages, height_limit: height_limit(rows) }
    }

    pub(crate) fn height_limit(&self) -> u32 {
        self.height_limit
    }

    /// The path length expected of a row that reached `level` together with `rows` rows of the sample, relative to
    /// the average of the whole sample.
    pub(crate) fn value(&self, level: u32, rows: usize) -> u32 {
        let whole = self.averages[self.averages.len() - 1];
        if whole == 0.0 {
            // A single row was sampled: there is nothing to be isolated from, and every row is as expected.
            return EXPECTED;
        }
        let length = f64::from(level) + self.averages[rows];
        (length / whole * f64::from(EXPECTED)).round() as u32
    }
}

/// The levels a tree over `rows` rows may have: those of a balanced one.
pub(crate) fn height_limit(rows: usize) -> u32 {
    rows.next_power_of_two().trailing_zeros()
}

/// The score of a row whose paths in all `trees` add up to `total`: 2^(-mean path / expected path).
pub(crate) fn score(total: u64, trees: usize) -> f64 {
    (-mean(total, trees)).exp2()
}

/// The mean path in units of the expected one.
pub(crate) fn mean(total: u64, trees: usize) -> f64 {
    total as f64 / (trees as f64 * f64::from(EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_those_of_random_binary_trees() {
        let path = PathLength::of(256);
        let expected = [(1, 0.0), (2, 1.0), (3, 5.0 / 3.0), (4, 13.0 / 6.0), (256, 10.2487)];
        for (rows, average) in expected {
            assert!((path.averages[rows] - average).abs() < 1e-4, "c({rows}) = {}", path.averages[rows]);
        }
    }

    #[test]
    fn the_whole_sample_at_the_root_is_as_expected() {
        for rows in [1, 2, 3, 100, 256, 5000] {
            assert_eq!(PathLength::of(rows).value(0, rows), EXPECTED);
        }
    }

    #[test]
    fn the_longest_path_fits() {
        for rows in 2..2000 {
            let path = PathLength::of(rows);
            let limit = path.height_limit();
            let deepest = rows + 1 - limit as usize;
            assert!(f64::from(path.value(limit, deepest.max(1))) < 4.0 * f64::from(EXPECTED));
        }
    }

    #[test]
    fn height_limit_is_the_logarithm_rounded_up() {
        let table = [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)];
        for (rows, levels) in table {
            assert_eq!(height_limit(rows), levels, "{rows} rows");
        }
    }
}
