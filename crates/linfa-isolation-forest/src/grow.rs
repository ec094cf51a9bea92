//! Growing one tree on a sample of the rows.

use linfa::Float;
use ndarray::ArrayView2;

use crate::path::PathLength;
use crate::random::Random;
use crate::sample::Sampler;
use crate::tree::{Slot, Term};

/// Rows narrower than this are copied out before a tree is grown on them; of wider ones a tree sees too few cells.
const COPY_COLUMNS_MAX: usize = 32;

/// What all trees of a forest are grown on.
pub(crate) struct Ground<'a, F> {
    pub(crate) records: ArrayView2<'a, F>,
    pub(crate) sample_size: usize,
    pub(crate) columns_per_tree: usize,
    pub(crate) seed: u64,
    pub(crate) path: PathLength,
}

/// Working memory of a grower, used again for the next tree.
pub(crate) struct Room<F> {
    sampler: Sampler,
    cells: Vec<F>,
    rows: Vec<usize>,
    spare: Vec<usize>,
    columns: Vec<u16>,
    terms: Vec<Term<F>>,
    projections: Vec<F>,
}

impl<F: Float> Default for Room<F> {
    fn default() -> Self {
        Self {
            sampler: Sampler::default(),
            cells: Vec::new(),
            rows: Vec::new(),
            spare: Vec::new(),
            columns: Vec::new(),
            terms: Vec::new(),
            projections: Vec::new(),
        }
    }
}

impl<'a, F: Float> Ground<'a, F> {
    /// Returns the rows tree number `tree` samples.
    pub(crate) fn sample<'s>(&self, tree: u64, sampler: &'s mut Sampler) -> (&'s [usize], Random) {
        let mut random = Random::of_tree(self.seed, tree);
        let rows = sampler.draw(&mut random, self.records.nrows(), self.sample_size);
        (rows, random)
    }

    /// Grows tree number `tree`; the number alone decides what it draws, not who grows it.
    pub(crate) fn grow(&self, tree: u64, slot: Slot<'_, F>, room: &mut Room<F>) {
        let width = self.records.ncols();
        let (sample, mut random) = self.sample(tree, &mut room.sampler);

        // A row is known by where it starts in `cells`.
        room.rows.clear();
        let whole = self.records.to_slice().filter(|_| width > COPY_COLUMNS_MAX);
        let cells: &[F] = match whole {
            Some(cells) => {
                room.rows.extend(sample.iter().map(|row| row * width));
                cells
            }
            None => {
                room.rows.extend((0..sample.len()).map(|row| row * width));
                room.cells.clear();
                for &row in sample {
                    match self.records.row(row).to_slice() {
                        Some(cells) => room.cells.extend_from_slice(cells),
                        None => room.cells.extend(self.records.row(row)),
                    }
                }
                &room.cells
            }
        };
        room.spare.resize(sample.len(), 0);
        room.projections.resize(sample.len(), F::zero());

        room.columns.clear();
        room.columns.extend((0..width).map(|column| column as u16));
        for place in 0..self.columns_per_tree {
            if self.columns_per_tree < width {
                room.columns.swap(place, place + random.below(width - place));
            }
        }

        let mut grower = Grower {
            path: &self.path,
            cells,
            slot,
            random,
            spare: &mut room.spare,
            columns: &mut room.columns[..self.columns_per_tree],
            terms: &mut room.terms,
            projections: &mut room.projections,
        };
        grower.grow(Branch { node: 1, level: 0, constant: 0 }, &mut room.rows);
    }
}

struct Grower<'a, F> {
    path: &'a PathLength,
    cells: &'a [F],
    slot: Slot<'a, F>,
    random: Random,
    spare: &'a mut [usize],
    /// The columns the tree may use; those known to be constant in the branch being grown come first.
    columns: &'a mut [u16],
    terms: &'a mut Vec<Term<F>>,
    projections: &'a mut [F],
}

/// Where a branch begins.
#[derive(Clone, Copy)]
struct Branch {
    node: usize,
    level: u32,
    /// How many of the grower's columns are known to be constant here, hence in all that is below.
    constant: usize,
}

impl<F: Float> Grower<'_, F> {
    fn grow(&mut self, mut branch: Branch, rows: &mut [usize]) {
        let Branch { node, level, .. } = branch;
        let value = self.path.value(level, rows.len());
        if rows.len() < 2 || level == self.path.height_limit() {
            return self.slot.end(node, level, value);
        }
        let left = if self.slot.terms() == 1 {
            self.split(&mut branch, rows)
        } else {
            self.split_by_hyperplane(&mut branch, rows)
        };
        let Some(left) = left else {
            return self.slot.end(node, level, value);
        };
        self.slot.set_value(node, value);
        let (left, right) = rows.split_at_mut(left);
        self.grow(Branch { node: 2 * node, level: level + 1, ..branch }, left);
        self.grow(Branch { node: 2 * node + 1, level: level + 1, ..branch }, right);
    }

    /// Splits at a random place of a random column; returns the rows that went left, or nothing if all are alike.
    fn split(&mut self, branch: &mut Branch, rows: &mut [usize]) -> Option<usize> {
        let (column, low, high) = self.pick_column(branch, rows, 0)?;
        let limit = between(low, high, self.random.unit());
        self.slot.set_split(branch.node, column, limit);
        Some(self.part_by_column(rows, column, limit))
    }

    /// Splits by a hyperplane of random direction and place; returns the rows that went left, or nothing if all are
    /// alike.
    ///
    /// The weight of a column is a normal number over the column's mean deviation in this branch, so that columns
    /// count alike whatever their units. The range or the standard deviation in its stead would let a few far rows
    /// silence the column for all others. The place is drawn between the rows furthest apart in that direction, so
    /// that both sides get rows.
    fn split_by_hyperplane(&mut self, branch: &mut Branch, rows: &mut [usize]) -> Option<usize> {
        self.terms.clear();
        while self.terms.len() < self.slot.terms() {
            let Some((column, _, _)) = self.pick_column(branch, rows, self.terms.len()) else {
                break;
            };
            let (centre, deviation) = self.spread(rows, column);
            let weight = F::cast(self.random.normal()) / deviation;
            self.terms.push(Term { column, weight, centre });
        }
        let only = *self.terms.first()?;
        let (mut low, mut high) = self.project(rows);
        if !(low < high && (high - low).is_finite()) {
            // Weights of nought or sums beyond the range of the type; one column alone always tells rows apart.
            self.terms.clear();
            self.terms.push(Term { weight: F::one(), ..only });
            (low, high) = self.project(rows);
        }
        let limit = between(low, high, self.random.unit());
        self.slot.set_hyperplane(branch.node, self.terms, limit);
        Some(self.part_by_projection(rows, limit))
    }

    /// Draws one of the columns that are not constant in `rows`, all of them equally likely, and leaves out the
    /// last `drawn` columns, which hold those drawn before.
    fn pick_column(&mut self, branch: &mut Branch, rows: &[usize], drawn: usize) -> Option<(u16, F, F)> {
        let after = self.columns.len() - drawn;
        while branch.constant < after {
            let place = branch.constant + self.random.below(after - branch.constant);
            let column = self.columns[place];
            let (low, high) = range(self.cells_of(rows, column))?;
            if low < high {
                self.columns.swap(place, after - 1);
                return Some((column, low, high));
            }
            self.columns.swap(place, branch.constant);
            branch.constant += 1;
        }
        None
    }

    /// Returns the mean of a column and the mean distance from it; only the latter may be infinite.
    fn spread(&self, rows: &[usize], column: u16) -> (F, F) {
        let share = F::one() / F::cast(rows.len());
        let mean = self.cells_of(rows, column).fold(F::zero(), |sum, cell| sum + cell * share);
        let distances = self.cells_of(rows, column).map(|cell| (cell - mean).abs());
        (mean, distances.fold(F::zero(), |sum, distance| sum + distance * share))
    }

    fn cells_of(&self, rows: &[usize], column: u16) -> impl Iterator<Item = F> {
        let cells = &self.cells[usize::from(column)..];
        rows.iter().map(|&row| cells[row])
    }

    /// Puts the rows at or below the limit first and returns their number.
    fn part_by_column(&mut self, rows: &mut [usize], column: u16, limit: F) -> usize {
        let cells = &self.cells[usize::from(column)..];
        part(rows, self.spare, |row, _| cells[row] > limit)
    }

    fn part_by_projection(&mut self, rows: &mut [usize], limit: F) -> usize {
        let projections = &*self.projections;
        part(rows, self.spare, |_, place| projections[place] > limit)
    }

    /// Computes where the rows lie in the direction of the terms, and returns the ends of their range.
    fn project(&mut self, rows: &[usize]) -> (F, F) {
        for (projection, row) in self.projections.iter_mut().zip(rows) {
            *projection = self
                .terms
                .iter()
                .fold(F::zero(), |sum, term| sum + term.weight * self.cells[row + usize::from(term.column)]);
        }
        range(self.projections[..rows.len()].iter().copied()).unwrap_or((F::zero(), F::zero()))
    }
}

/// Returns the lowest and the highest number.
fn range<F: Float>(mut numbers: impl Iterator<Item = F>) -> Option<(F, F)> {
    let first = numbers.next()?;
    let wider = |(low, high): (F, F), number: F| {
        (if number < low { number } else { low }, if number > high { number } else { high })
    };
    Some(numbers.fold((first, first), wider))
}

/// Returns a number from `low` to `high` without `high`, at `share` of the way; `low` must be below `high`.
fn between<F: Float>(low: F, high: F, share: f64) -> F {
    let share = F::cast(share);
    let width = high - low;
    let number =
        if width.is_finite() { low + width * share } else { low * (F::one() - share) + high * share };
    // Rounding may reach the upper end, where one side would be empty.
    if number >= low && number < high { number } else { low }
}

/// Puts the rows that do not go right first, without branches, since the outcome cannot be predicted.
fn part(rows: &mut [usize], spare: &mut [usize], is_right: impl Fn(usize, usize) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for place in 0..rows.len() {
        let row = rows[place];
        let goes_right = usize::from(is_right(row, place));
        rows[left] = row;
        spare[right] = row;
        left += 1 - goes_right;
        right += goes_right;
    }
    rows[left..].copy_from_slice(&spare[..right]);
    left
}
