//! Rows as they come in: their shape, their finiteness, and runs of them as slices.

use linfa::Float;
use ndarray::{ArrayView2, Axis, Slice};

use crate::error::{IsolationForestError, Result};
use crate::hyperparams::MAX_COLUMNS;

/// Refuses records a forest cannot be grown on.
pub(crate) fn check<F: Float>(records: &ArrayView2<'_, F>) -> Result<()> {
    match records.dim() {
        (0, _) => Err(IsolationForestError::NoRows),
        (_, 0) => Err(IsolationForestError::NoColumns),
        (_, columns) if columns > MAX_COLUMNS => Err(IsolationForestError::TooManyColumns { columns }),
        _ => check_finite(records),
    }
}

/// Refuses records with another number of columns than the model.
pub(crate) fn check_columns(expected: usize, found: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(IsolationForestError::Columns { expected, found }) }
}

/// Refuses records that hold NaN or an infinity, and names the first place.
pub(crate) fn check_finite<F: Float>(records: &ArrayView2<'_, F>) -> Result<()> {
    let finite = match records.to_slice() {
        Some(cells) => is_finite(cells),
        None => records.iter().all(|cell| cell.is_finite()),
    };
    if finite {
        return Ok(());
    }
    match records.indexed_iter().find(|(_, cell)| !cell.is_finite()) {
        Some(((row, column), _)) => Err(IsolationForestError::NotFinite { row, column }),
        None => Ok(()),
    }
}

/// Tells whether all cells are finite.
///
/// A finite number times 0 is 0, anything else is NaN: a sum that the compiler turns into vector instructions.
pub(crate) fn is_finite<F: Float>(cells: &[F]) -> bool {
    let (groups, rest) = cells.as_chunks::<8>();
    let mut sums = [F::zero(); 8];
    for group in groups {
        for (sum, &cell) in sums.iter_mut().zip(group) {
            *sum += cell * F::zero();
        }
    }
    sums.iter().chain(rest).all(|cell| cell.is_finite())
}

/// Calls `use_rows` with rows `from..to` as one slice, copying them only where they do not lie in one piece.
pub(crate) fn with_rows<F: Float, R>(
    records: &ArrayView2<'_, F>,
    from: usize,
    to: usize,
    use_rows: impl FnOnce(&[F]) -> R,
) -> R {
    let rows = records.slice_axis(Axis(0), Slice::from(from..to));
    match rows.to_slice() {
        Some(cells) => use_rows(cells),
        None => use_rows(&rows.iter().copied().collect::<Vec<F>>()),
    }
}
