//! Walking down the trees, several paths at a time.

use std::array;

use linfa::Float;

use crate::shape::{Any, Axis, Hyperplane, Pair, USUAL_NODES, Usual, Walk};
use crate::tree::Trees;

/// Rows walked side by side down one tree: the processor works on one path while another waits for memory.
const ROWS_AT_ONCE: usize = 8;
/// Trees walked side by side by one row.
const TREES_AT_ONCE: usize = 8;

impl<F: Float> Trees<F> {
    /// Adds the paths of the rows in `cells` to `totals`, one a row.
    pub(crate) fn add_paths(&self, cells: &[F], width: usize, totals: &mut [u64]) {
        match (self.terms, 1 << self.depth) {
            (1, USUAL_NODES) => add_paths::<F, Axis<'_, F, Usual>>(self, cells, width, totals),
            (1, _) => add_paths::<F, Axis<'_, F, Any>>(self, cells, width, totals),
            (2, USUAL_NODES) => add_paths::<F, Pair<'_, F, Usual>>(self, cells, width, totals),
            (2, _) => add_paths::<F, Pair<'_, F, Any>>(self, cells, width, totals),
            _ => add_paths::<F, Hyperplane<'_, F>>(self, cells, width, totals),
        }
    }

    /// Returns the sum of the paths of one row.
    pub(crate) fn path(&self, row: &[F]) -> u64 {
        match (self.terms, 1 << self.depth) {
            (1, USUAL_NODES) => path::<F, Axis<'_, F, Usual>>(self, row),
            (1, _) => path::<F, Axis<'_, F, Any>>(self, row),
            (2, USUAL_NODES) => path::<F, Pair<'_, F, Usual>>(self, row),
            (2, _) => path::<F, Pair<'_, F, Any>>(self, row),
            _ => path::<F, Hyperplane<'_, F>>(self, row),
        }
    }

    /// Returns the path of one row in one tree.
    pub(crate) fn path_in(&self, tree: usize, row: &[F]) -> u32 {
        let mut value = self.values[2 * (tree << self.depth) + 1];
        self.follow(tree, row, |_, below| value = below);
        value
    }

    /// Follows one row down one tree: `visit` gets each split, counted over all trees, and the value below it.
    pub(crate) fn follow(&self, tree: usize, row: &[F], mut visit: impl FnMut(usize, u32)) {
        let first = tree << self.depth;
        let mut node = 1;
        for _ in 0..self.depth {
            let place = first + node;
            let is_right = if self.terms == 1 {
                row[usize::from(self.columns[place])] > self.limits[place]
            } else {
                self.projection(place, row) > self.limits[place]
            };
            node = 2 * node + usize::from(is_right);
            visit(place, self.values[2 * first + node]);
        }
    }

    /// Returns where one row lies in the direction of the hyperplane at `place`.
    pub(crate) fn projection(&self, place: usize, row: &[F]) -> F {
        let range = place * self.terms..(place + 1) * self.terms;
        let terms = self.columns[range.clone()].iter().zip(&self.weights[range]);
        terms.fold(F::zero(), |sum, (&column, &weight)| sum + weight * row[usize::from(column)])
    }
}

fn add_paths<'a, F: Float, W: Walk<'a, F>>(
    trees: &'a Trees<F>,
    cells: &[F],
    width: usize,
    totals: &mut [u64],
) {
    for tree in (0..trees.len()).map(|tree| W::of(trees, tree)) {
        let mut groups = cells.chunks_exact(ROWS_AT_ONCE * width);
        let (total_groups, last_totals) = totals.as_chunks_mut::<ROWS_AT_ONCE>();
        for (group, totals) in groups.by_ref().zip(total_groups) {
            let rows: [&[F]; ROWS_AT_ONCE] = array::from_fn(|lane| &group[lane * width..(lane + 1) * width]);
            let values = descend([tree; ROWS_AT_ONCE], rows, trees.depth);
            for (total, value) in totals.iter_mut().zip(values) {
                *total += u64::from(value);
            }
        }
        for (row, total) in groups.remainder().chunks_exact(width).zip(last_totals) {
            *total += u64::from(descend([tree], [row], trees.depth)[0]);
        }
    }
}

fn path<'a, F: Float, W: Walk<'a, F>>(trees: &'a Trees<F>, row: &[F]) -> u64 {
    let full = trees.len() - trees.len() % TREES_AT_ONCE;
    let mut total = 0;
    for first in (0..full).step_by(TREES_AT_ONCE) {
        let group: [W; TREES_AT_ONCE] = array::from_fn(|lane| W::of(trees, first + lane));
        let values = descend(group, [row; TREES_AT_ONCE], trees.depth);
        total += values.into_iter().map(u64::from).sum::<u64>();
    }
    for tree in full..trees.len() {
        total += u64::from(descend([W::of(trees, tree)], [row], trees.depth)[0]);
    }
    total
}

/// Walks each row down its tree, all of them a level at a time.
#[inline(always)]
fn descend<'a, F, W: Walk<'a, F>, const LANES: usize>(
    trees: [W; LANES],
    rows: [&[F]; LANES],
    depth: u32,
) -> [u32; LANES] {
    let mut nodes = [1; LANES];
    for _ in 0..depth {
        for lane in 0..LANES {
            nodes[lane] = 2 * nodes[lane] + usize::from(trees[lane].is_right(nodes[lane], rows[lane]));
        }
    }
    array::from_fn(|lane| trees[lane].leaf(nodes[lane]))
}
