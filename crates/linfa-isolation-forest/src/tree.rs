//! How trees lie in memory.

use linfa::Float;

/// All trees of a forest, one after another in flat tables.
///
/// Each tree is a full binary tree of `depth` levels in heap order: the root is node 1, the children of node k are
/// 2k and 2k + 1, and nodes from 2^depth on are the leaves. A path therefore always has `depth` steps and no
/// branches. Where a branch of the tree ends early, the nodes below it all carry its value, and their limits are
/// infinite, so that every row goes left.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trees<F> {
    /// The levels of every tree.
    pub(crate) depth: u32,
    /// The columns a split combines.
    pub(crate) terms: usize,
    /// 2^depth numbers a tree; number 0 is unused.
    pub(crate) limits: Vec<F>,
    /// `terms` columns a limit.
    pub(crate) columns: Vec<u16>,
    /// A weight for each column; empty when splits are parallel to the axes.
    pub(crate) weights: Vec<F>,
    /// The mean of the column where it is split, for explanations; empty when splits are parallel to the axes.
    pub(crate) centres: Vec<F>,
    /// 2^(depth+1) numbers a tree: the expected path of a row that reached the node; number 0 is unused.
    pub(crate) values: Vec<u32>,
}

/// One tree to be written.
pub(crate) struct Slot<'a, F> {
    depth: u32,
    terms: usize,
    limits: &'a mut [F],
    columns: &'a mut [u16],
    weights: &'a mut [F],
    centres: &'a mut [F],
    values: &'a mut [u32],
}

impl<F: Float> Trees<F> {
    /// Makes room for `trees` trees.
    pub(crate) fn blank(trees: usize, depth: u32, terms: usize) -> Self {
        let nodes = trees << depth;
        let weights = if terms > 1 { nodes * terms } else { 0 };
        Self {
            depth,
            terms,
            limits: vec![F::zero(); nodes],
            columns: vec![0; nodes * terms],
            weights: vec![F::zero(); weights],
            centres: vec![F::zero(); weights],
            values: vec![0; 2 * nodes],
        }
    }

    /// Returns the number of trees.
    pub(crate) fn len(&self) -> usize {
        self.limits.len() >> self.depth
    }

    /// Returns every tree to be written.
    pub(crate) fn slots(&mut self) -> impl Iterator<Item = Slot<'_, F>> {
        let nodes = 1 << self.depth;
        let (depth, terms) = (self.depth, self.terms);
        let mut weights = self.weights.chunks_exact_mut(nodes * terms);
        let mut centres = self.centres.chunks_exact_mut(nodes * terms);
        self.limits
            .chunks_exact_mut(nodes)
            .zip(self.columns.chunks_exact_mut(nodes * terms))
            .zip(self.values.chunks_exact_mut(2 * nodes))
            .map(move |((limits, columns), values)| Slot {
                depth,
                terms,
                limits,
                columns,
                weights: weights.next().unwrap_or_default(),
                centres: centres.next().unwrap_or_default(),
                values,
            })
    }
}

impl<F: Float> Slot<'_, F> {
    /// Returns the columns a split combines.
    pub(crate) fn terms(&self) -> usize {
        self.terms
    }

    /// Sets the expected path of a row that reached `node`.
    pub(crate) fn set_value(&mut self, node: usize, value: u32) {
        self.values[node] = value;
    }

    /// Splits `node` parallel to an axis.
    pub(crate) fn set_split(&mut self, node: usize, column: u16, limit: F) {
        self.columns[node] = column;
        self.limits[node] = limit;
    }

    /// Splits `node` by a hyperplane: the sum of weight times value over its columns.
    pub(crate) fn set_hyperplane(&mut self, node: usize, terms: &[Term<F>], limit: F) {
        self.limits[node] = limit;
        for place in 0..self.terms {
            // A hyperplane over fewer columns is filled up with weights of nought.
            let term = terms.get(place).copied().unwrap_or_default();
            self.columns[node * self.terms + place] = term.column;
            self.weights[node * self.terms + place] = term.weight;
            self.centres[node * self.terms + place] = term.centre;
        }
    }

    /// Ends the branch at `node` on `level`: all below shares the value.
    pub(crate) fn end(&mut self, node: usize, level: u32, value: u32) {
        for below in 0..=self.depth - level {
            let (first, after) = (node << below, (node + 1) << below);
            self.values[first..after].fill(value);
            if below < self.depth - level {
                self.limits[first..after].fill(F::infinity());
                self.columns[first * self.terms..after * self.terms].fill(0);
                if self.terms > 1 {
                    self.weights[first * self.terms..after * self.terms].fill(F::zero());
                    self.centres[first * self.terms..after * self.terms].fill(F::zero());
                }
            }
        }
    }
}

/// One column of a hyperplane.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Term<F> {
    pub(crate) column: u16,
    pub(crate) weight: F,
    pub(crate) centre: F,
}
