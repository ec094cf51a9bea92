//! Walking down the trees, several paths at a time.

use std::array;

use linfa::Float;

use crate::tree::Trees;

/// Rows walked side by side down one tree: the processor works on one path while another waits for memory.
const ROWS_AT_ONCE: usize = 8;
/// Trees walked side by side by one row.
const TREES_AT_ONCE: usize = 16;
/// The nodes of a tree over the usual 256 rows, for which the compiler can leave out bounds checks.
const USUAL_NODES: usize = 256;

/// One tree as a path sees it.
trait Walk<'a, F>: Copy {
    /// Returns tree number `tree`.
    fn of(trees: &'a Trees<F>, tree: usize) -> Self;

    /// Tells whether `row` goes right at `node`.
    fn is_right(self, node: usize, row: &[F]) -> bool;

    /// Returns the value of leaf `node`.
    fn leaf(self, node: usize) -> u32;
}

impl<F: Float> Trees<F> {
    /// Adds the paths of the rows in `cells` to `totals`, one a row.
    pub(crate) fn add_paths(&self, cells: &[F], width: usize, totals: &mut [u64]) {
        match (self.terms, 1 << self.depth) {
            (1, USUAL_NODES) => add_paths::<F, Usual<'_, F>>(self, cells, width, totals),
            (1, _) => add_paths::<F, Axis<'_, F>>(self, cells, width, totals),
            (2, _) => add_paths::<F, Pair<'_, F>>(self, cells, width, totals),
            _ => add_paths::<F, Hyperplane<'_, F>>(self, cells, width, totals),
        }
    }

    /// Returns the sum of the paths of one row.
    pub(crate) fn path(&self, row: &[F]) -> u64 {
        match (self.terms, 1 << self.depth) {
            (1, USUAL_NODES) => path::<F, Usual<'_, F>>(self, row),
            (1, _) => path::<F, Axis<'_, F>>(self, row),
            (2, _) => path::<F, Pair<'_, F>>(self, row),
            _ => path::<F, Hyperplane<'_, F>>(self, row),
        }
    }

    /// Returns the path of one row in one tree.
    pub(crate) fn path_in(&self, tree: usize, row: &[F]) -> u32 {
        let mut value = self.values[2 * (tree << self.depth) + 1];
        self.follow(tree, row, |_, below| value = below);
        value
    }

    /// Follows one row down one tree: `visit` gets each node left, counted over all trees, and the value below it.
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

    /// Returns the share `row` has in the hyperplane at `place`, column by column.
    pub(crate) fn terms_at<'a>(
        &'a self,
        place: usize,
        row: &'a [F],
    ) -> impl Iterator<Item = (usize, F)> + 'a {
        let range = place * self.terms..(place + 1) * self.terms;
        let columns = self.columns[range.clone()].iter().map(|&column| usize::from(column));
        let weights = self.weights[range.clone()].iter().zip(&self.centres[range]);
        columns.zip(weights).map(|(column, (&weight, &centre))| (column, weight * (row[column] - centre)))
    }

    fn projection(&self, place: usize, row: &[F]) -> F {
        self.terms_at(place, row).fold(F::zero(), |sum, (_, share)| sum + share)
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

/// A tree of the usual size, split parallel to the axes.
#[derive(Clone, Copy)]
struct Usual<'a, F> {
    limits: &'a [F; USUAL_NODES],
    columns: &'a [u16; USUAL_NODES],
    leaves: &'a [u32; USUAL_NODES],
}

impl<'a, F: Float> Walk<'a, F> for Usual<'a, F> {
    #[inline(always)]
    fn of(trees: &'a Trees<F>, tree: usize) -> Self {
        Self {
            limits: &trees.limits.as_chunks().0[tree],
            columns: &trees.columns.as_chunks().0[tree],
            leaves: &trees.values.as_chunks().0[2 * tree + 1],
        }
    }

    // The remainders change no node: they tell the compiler that it lies within the tree.
    #[inline(always)]
    fn is_right(self, node: usize, row: &[F]) -> bool {
        let place = node % USUAL_NODES;
        row[usize::from(self.columns[place])] > self.limits[place]
    }

    #[inline(always)]
    fn leaf(self, node: usize) -> u32 {
        self.leaves[node % USUAL_NODES]
    }
}

/// A tree of any size, split parallel to the axes.
#[derive(Clone, Copy)]
struct Axis<'a, F> {
    limits: &'a [F],
    columns: &'a [u16],
    values: &'a [u32],
}

impl<'a, F: Float> Walk<'a, F> for Axis<'a, F> {
    #[inline(always)]
    fn of(trees: &'a Trees<F>, tree: usize) -> Self {
        let (first, after) = (tree << trees.depth, (tree + 1) << trees.depth);
        Self {
            limits: &trees.limits[first..after],
            columns: &trees.columns[first..after],
            values: &trees.values[2 * first..2 * after],
        }
    }

    #[inline(always)]
    fn is_right(self, node: usize, row: &[F]) -> bool {
        row[usize::from(self.columns[node])] > self.limits[node]
    }

    #[inline(always)]
    fn leaf(self, node: usize) -> u32 {
        self.values[node]
    }
}

/// A tree of hyperplanes over two columns.
#[derive(Clone, Copy)]
struct Pair<'a, F> {
    limits: &'a [F],
    columns: &'a [[u16; 2]],
    weights: &'a [[F; 2]],
    centres: &'a [[F; 2]],
    values: &'a [u32],
}

impl<'a, F: Float> Walk<'a, F> for Pair<'a, F> {
    #[inline(always)]
    fn of(trees: &'a Trees<F>, tree: usize) -> Self {
        let (first, after) = (tree << trees.depth, (tree + 1) << trees.depth);
        Self {
            limits: &trees.limits[first..after],
            columns: &trees.columns.as_chunks().0[first..after],
            weights: &trees.weights.as_chunks().0[first..after],
            centres: &trees.centres.as_chunks().0[first..after],
            values: &trees.values[2 * first..2 * after],
        }
    }

    #[inline(always)]
    fn is_right(self, node: usize, row: &[F]) -> bool {
        let [one, other] = self.columns[node].map(usize::from);
        let (weights, centres) = (self.weights[node], self.centres[node]);
        let sum = weights[0] * (row[one] - centres[0]) + weights[1] * (row[other] - centres[1]);
        sum > self.limits[node]
    }

    #[inline(always)]
    fn leaf(self, node: usize) -> u32 {
        self.values[node]
    }
}

/// A tree of hyperplanes over any number of columns.
#[derive(Clone, Copy)]
struct Hyperplane<'a, F> {
    trees: &'a Trees<F>,
    first: usize,
}

impl<'a, F: Float> Walk<'a, F> for Hyperplane<'a, F> {
    #[inline(always)]
    fn of(trees: &'a Trees<F>, tree: usize) -> Self {
        Self { trees, first: tree << trees.depth }
    }

    #[inline(always)]
    fn is_right(self, node: usize, row: &[F]) -> bool {
        let place = self.first + node;
        self.trees.projection(place, row) > self.trees.limits[place]
    }

    #[inline(always)]
    fn leaf(self, node: usize) -> u32 {
        self.trees.values[2 * self.first + node]
    }
}
