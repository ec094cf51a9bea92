//! Which rows a tree samples.

use crate::random::Random;

/// Draws rows without replacement; keeps its memory from one tree to the next.
#[derive(Default)]
pub(crate) struct Sampler {
    rows: Vec<usize>,
    taken: Vec<u64>,
}

impl Sampler {
    /// Draws `size` of `rows` row numbers; each set of them is equally likely.
    ///
    /// Floyd's method (Bentley and Floyd, "A sample of brilliance", 1987): the cost does not grow with `rows`.
    pub(crate) fn draw(&mut self, random: &mut Random, rows: usize, size: usize) -> &[usize] {
        for row in self.rows.drain(..) {
            if let Some(word) = self.taken.get_mut(row / 64) {
                *word = 0;
            }
        }
        if size == rows {
            self.rows.extend(0..rows);
            return &self.rows;
        }
        self.taken.resize(rows.div_ceil(64), 0);
        for last in rows - size..rows {
            let row = random.below(last + 1);
            let row = if self.take(row) { row } else { last };
            self.take(row);
            self.rows.push(row);
        }
        &self.rows
    }

    /// Marks a row as taken; tells whether it was free.
    fn take(&mut self, row: usize) -> bool {
        let (word, bit) = (&mut self.taken[row / 64], 1 << (row % 64));
        let free = *word & bit == 0;
        *word |= bit;
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_once_and_equally_often() {
        let mut sampler = Sampler::default();
        let mut counts = [0; 200];
        for tree in 0..2_000 {
            let rows = sampler.draw(&mut Random::of_tree(7, tree), 200, 50).to_vec();
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 50);
            rows.iter().for_each(|&row| counts[row] += 1);
        }
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }

    #[test]
    fn memory_of_an_earlier_tree_changes_nothing() {
        let mut used = Sampler::default();
        used.draw(&mut Random::of_tree(1, 1), 1_000, 300);
        used.draw(&mut Random::of_tree(1, 1), 64, 64);
        let again = used.draw(&mut Random::of_tree(1, 2), 500, 100).to_vec();
        assert_eq!(again, Sampler::default().draw(&mut Random::of_tree(1, 2), 500, 100));
    }

    #[test]
    fn a_sample_as_large_as_the_rows_takes_all() {
        assert_eq!(Sampler::default().draw(&mut Random::of_tree(1, 1), 3, 3), [0, 1, 2]);
    }
}
