//! How far the furthest columns are from what is usual.

/// So many columns are looked at: one alone may be chance.
const COLUMNS: usize = 3;

/// The mean of the three largest |z|, or of all where there are fewer.
pub(super) fn extremes(z: &[f64]) -> f64 {
    let mut top = [0.0_f64; COLUMNS];
    for value in z.iter().map(|z| z.abs()) {
        // The smallest of the three is the first.
        if value > top[0] {
            top[0] = value;
            top.sort_unstable_by(f64::total_cmp);
        }
    }
    top.iter().sum::<f64>() / COLUMNS.min(z.len().max(1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_mean_of_the_three_furthest() {
        for (z, want) in [
            (&[][..], 0.0),
            (&[-4.0], 4.0),
            (&[1.0, -3.0], 2.0),
            (&[0.0, -9.0, 1.0, 5.0, -1.0, 4.0], 6.0),
            (&[2.0, 2.0, 2.0, 2.0], 2.0),
        ] {
            assert_eq!(extremes(z), want, "{z:?}");
        }
    }
}
