//! Rows of named numbers in time.

/// Rows of named numbers, the oldest first. A number that is not finite is a gap.
///
/// The columns are kept in the order of their names, so that nothing depends on the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    names: Vec<String>,
    /// Where each column stood in the order in which rows come.
    from: Vec<usize>,
    times: Vec<i64>,
    cells: Vec<f64>,
    /// Whether a row may be learned from.
    usual: Vec<bool>,
}

impl Table {
    /// A table without rows. Rows come in the order of `names`; a name that comes twice is kept once.
    #[must_use]
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut named: Vec<(String, usize)> = names.into_iter().map(Into::into).zip(0..).collect();
        named.sort();
        named.dedup_by(|later, first| later.0 == first.0);
        let (names, from) = named.into_iter().unzip();
        Self { names, from, times: Vec::new(), cells: Vec::new(), usual: Vec::new() }
    }

    /// Adds a row, with its time in Unix seconds. A row that is not `usual` is seen, and not learned from.
    pub fn push(&mut self, time: i64, row: &[f64], usual: bool) {
        self.times.push(time);
        self.usual.push(usual);
        self.cells.extend(self.from.iter().map(|from| row.get(*from).copied().unwrap_or(f64::NAN)));
    }

    /// The names of the columns, sorted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns there are.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// The times of the rows.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// A row, in the order of the names.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.columns()..(row + 1) * self.columns()]
    }

    /// Whether a row may be learned from.
    #[must_use]
    pub fn is_usual(&self, row: usize) -> bool {
        self.usual[row]
    }

    /// The first rows.
    #[must_use]
    pub fn head(&self, rows: usize) -> Self {
        let rows = rows.min(self.rows());
        Self {
            names: self.names.clone(),
            from: self.from.clone(),
            times: self.times[..rows].to_vec(),
            cells: self.cells[..rows * self.columns()].to_vec(),
            usual: self.usual[..rows].to_vec(),
        }
    }

    /// The rows after a time, Unix seconds.
    #[must_use]
    pub fn after(&self, time: i64) -> Self {
        let first = self.times.partition_point(|known| *known <= time);
        Self {
            names: self.names.clone(),
            from: self.from.clone(),
            times: self.times[first..].to_vec(),
            cells: self.cells[first * self.columns()..].to_vec(),
            usual: self.usual[first..].to_vec(),
        }
    }

    /// What may be learned of a column: its rows and finite numbers.
    pub(super) fn learnable(&self, column: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let cells = (0..self.rows()).map(move |row| (row, self.cells[row * self.columns() + column]));
        cells.filter(|(row, cell)| self.usual[*row] && cell.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sorted_by_name_and_doubles_are_dropped() {
        let mut table = Table::new(["b", "a", "b"]);
        table.push(7, &[1.0, 2.0, 3.0], true);
        table.push(8, &[4.0], false);
        assert_eq!(table.names(), ["a", "b"]);
        assert_eq!((table.row(0), table.times()), (&[2.0, 1.0][..], &[7, 8][..]));
        assert!(table.row(1)[0].is_nan(), "what is missing is a gap");
        assert_eq!(table.learnable(1).collect::<Vec<_>>(), [(0, 1.0)], "the second row is not usual");
        assert_eq!((table.head(1).times(), table.after(7).times()), (&[7][..], &[8][..]));
        assert_eq!((table.after(6).rows(), table.after(8).rows()), (2, 0));
    }
}
