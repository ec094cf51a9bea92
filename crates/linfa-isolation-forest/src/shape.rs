//! The shapes a tree may have on a path: how large it is, and how it splits.

use linfa::Float;

use crate::tree::Trees;

/// The places of a tree over the usual 256 rows: the compiler knows its tables' length and leaves out checks.
pub(crate) const USUAL_NODES: usize = 256;

/// One tree as a path sees it.
pub(crate) trait Walk<'a, F>: Copy {
    /// Returns tree number `tree`.
    fn of(trees: &'a Trees<F>, tree: usize) -> Self;

    /// Tells whether `row` goes right at `node`.
    fn is_right(self, node: usize, row: &[F]) -> bool;

    /// Returns the value of leaf `node`.
    fn leaf(self, node: usize) -> u32;
}

/// How large a tree is.
pub(crate) trait Size: Copy {
    /// A table with one entry a node.
    type Table<'a, T: Copy + 'a>: Table<'a, T>;
}

/// One tree's part of a table. Its length is a power of two, and nodes are taken modulo the length: this changes no
/// node that splits, and makes leaves count from 0.
pub(crate) trait Table<'a, T>: Copy {
    /// Returns part number `part` of tables of `length` entries.
    fn part(whole: &'a [T], part: usize, length: usize) -> Self;

    /// Returns the entry of a node.
    fn at(self, node: usize) -> T;
}

/// A tree of [`USUAL_NODES`].
#[derive(Clone, Copy)]
pub(crate) struct Usual;

/// A tree of any size.
#[derive(Clone, Copy)]
pub(crate) struct Any;

impl Size for Usual {
    type Table<'a, T: Copy + 'a> = &'a [T; USUAL_NODES];
}

impl Size for Any {
    type Table<'a, T: Copy + 'a> = &'a [T];
}

impl<'a, T: Copy> Table<'a, T> for &'a [T; USUAL_NODES] {
    #[inline(always)]
    fn part(whole: &'a [T], part: usize, _length: usize) -> Self {
        &whole.as_chunks().0[part]
    }

    #[inline(always)]
    fn at(self, node: usize) -> T {
        self[node % USUAL_NODES]
    }
}

impl<'a, T: Copy> Table<'a, T> for &'a [T] {
    #[inline(always)]
    fn part(whole: &'a [T], part: usize, length: usize) -> Self {
        &whole[part * length..(part + 1) * length]
    }

    #[inline(always)]
    fn at(self, node: usize) -> T {
        self[node & (self.len() - 1)]
    }
}

/// A tree split parallel to the axes.
#[derive(Clone, Copy)]
pub(crate) struct Axis<'a, F: Copy + 'a, S: Size> {
    limits: S::Table<'a, F>,
    columns: S::Table<'a, u16>,
    leaves: S::Table<'a, u32>,
}

impl<'a, F: Float, S: Size> Walk<'a, F> for Axis<'a, F, S> {
    #[inline(always)]
    fn of(trees: &'a Trees<F>, tree: usize) -> Self {
        let nodes = 1 << trees.depth;
        Self {
            limits: S::Table::part(&trees.limits, tree, nodes),
            columns: S::Table::part(&trees.columns, tree, nodes),
            leaves: S::Table::part(&trees.values, 2 * tree + 1, nodes),
        }
    }

    #[inline(always)]
    fn is_right(self, node: usize, row: &[F]) -> bool {
        row[usize::from(self.columns.at(node))] > self.limits.at(node)
    }

    #[inline(always)]
    fn leaf(self, node: usize) -> u32 {
        self.leaves.at(node)
    }
}

/// A tree of hyperplanes over two columns.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a, F: Copy + 'a, S: Size> {
    limits: S::Table<'a, F>,
    columns: S::Table<'a, [u16; 2]>,
    weights: S::Table<'a, [F; 2]>,
    leaves: S::Table<'a, u32>,
}

impl<'a, F: Float, S: Size> Walk<'a, F> for Pair<'a, F, S> {
    #[inline(always)]
    fn of(trees: &'a Trees<F>, tree: usize) -> Self {
        let nodes = 1 << trees.depth;
        Self {
            limits: S::Table::part(&trees.limits, tree, nodes),
            columns: S::Table::part(trees.columns.as_chunks().0, tree, nodes),
            weights: S::Table::part(trees.weights.as_chunks().0, tree, nodes),
            leaves: S::Table::part(&trees.values, 2 * tree + 1, nodes),
        }
    }

    #[inline(always)]
    fn is_right(self, node: usize, row: &[F]) -> bool {
        let [one, other] = self.columns.at(node).map(usize::from);
        let weights = self.weights.at(node);
        weights[0] * row[one] + weights[1] * row[other] > self.limits.at(node)
    }

    #[inline(always)]
    fn leaf(self, node: usize) -> u32 {
        self.leaves.at(node)
    }
}

/// A tree of hyperplanes over any number of columns.
#[derive(Clone, Copy)]
pub(crate) struct Hyperplane<'a, F> {
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
