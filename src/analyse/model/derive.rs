//! Features of a row that its predecessors give: how it changed, and what was usual of late.

/// Features of each column: the value, its change, and mean and deviation over a short and a long time.
pub(in crate::analyse) const KINDS: usize = 6;

/// The youngest rows, and what they make of the next one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analyse) struct Deriver {
    columns: usize,
    short: usize,
    long: usize,
    /// A ring of `long - 1` rows.
    cells: Vec<f64>,
    rows: usize,
    next: usize,
}

impl Deriver {
    /// Looks back over `short` and `long` rows, the present one included; both at least 2.
    pub(in crate::analyse) fn new(columns: usize, short: usize, long: usize) -> Self {
        let (short, long) = (short.max(2), long.max(short).max(2));
        Self { columns, short, long, cells: vec![0.0; (long - 1) * columns], rows: 0, next: 0 }
    }

    /// Forgets all rows.
    pub(in crate::analyse) fn clear(&mut self) {
        (self.rows, self.next) = (0, 0);
    }

    /// The features of a row, a kind after the other: those of all columns, then the next kind's.
    pub(in crate::analyse) fn derive(&self, row: &[f64], features: &mut [f64]) {
        let columns = self.columns;
        let (values, rest) = features.split_at_mut(columns);
        let (changes, rest) = rest.split_at_mut(columns);
        let (short, long) = rest.split_at_mut(2 * columns);
        values.copy_from_slice(row);
        match self.back(1) {
            Some(last) => {
                changes.iter_mut().zip(row).zip(last).for_each(|((change, now), then)| *change = now - then);
            }
            None => changes.fill(0.0),
        }
        self.window(self.short, row, short);
        self.window(self.long, row, long);
    }

    /// Remembers a row.
    pub(in crate::analyse) fn push(&mut self, row: &[f64]) {
        let first = self.next * self.columns;
        self.cells[first..first + self.columns].copy_from_slice(row);
        self.next = (self.next + 1) % (self.long - 1);
        self.rows = (self.rows + 1).min(self.long - 1);
    }

    /// The row so many rows ago.
    fn back(&self, ago: usize) -> Option<&[f64]> {
        let ring = self.long - 1;
        let place = (self.next + ring - ago) % ring;
        (ago <= self.rows).then(|| &self.cells[place * self.columns..(place + 1) * self.columns])
    }

    /// Mean and standard deviation over a window that ends with `row`; computed anew each time, so that nothing adds up.
    fn window(&self, rows: usize, row: &[f64], out: &mut [f64]) {
        let (means, deviations) = out.split_at_mut(self.columns);
        let before = (rows - 1).min(self.rows);
        let count = (before + 1) as f64;
        means.copy_from_slice(row);
        for then in (1..=before).filter_map(|ago| self.back(ago)) {
            means.iter_mut().zip(then).for_each(|(mean, value)| *mean += value);
        }
        means.iter_mut().for_each(|mean| *mean /= count);
        deviations.fill(0.0);
        if before == 0 {
            return;
        }
        for then in (1..=before).filter_map(|ago| self.back(ago)).chain([row]) {
            for ((square, mean), value) in deviations.iter_mut().zip(&*means).zip(then) {
                *square += (value - mean) * (value - mean);
            }
        }
        deviations.iter_mut().for_each(|square| *square = (*square / (count - 1.0)).sqrt());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_look_back_and_never_ahead() {
        let mut deriver = Deriver::new(2, 2, 3);
        let mut features = [0.0; 2 * KINDS];
        let mut see = |deriver: &mut Deriver, row: [f64; 2]| {
            deriver.derive(&row, &mut features);
            deriver.push(&row);
            let of = |column: usize| std::array::from_fn::<f64, KINDS, _>(|kind| features[2 * kind + column]);
            (of(0), of(1))
        };
        assert_eq!(see(&mut deriver, [4.0, 1.0]).0, [4.0, 0.0, 4.0, 0.0, 4.0, 0.0]);
        let half = 2.0_f64.sqrt();
        assert_eq!(see(&mut deriver, [6.0, 1.0]).0, [6.0, 2.0, 5.0, half, 5.0, half]);
        assert_eq!(see(&mut deriver, [8.0, 1.0]).0, [8.0, 2.0, 7.0, half, 6.0, 2.0]);
        let (moving, still) = see(&mut deriver, [1.0, 1.0]);
        assert_eq!(moving[..4], [1.0, -7.0, 4.5, 24.5_f64.sqrt()]);
        assert_eq!(moving[4], 5.0, "the oldest row has left the window");
        assert_eq!(still, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        deriver.clear();
        assert_eq!(see(&mut deriver, [9.0, 9.0]).0, [9.0, 0.0, 9.0, 0.0, 9.0, 0.0]);
    }
}
