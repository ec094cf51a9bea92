//! The one place that knows whether there are several threads.

/// Calls `work` for every item, each thread with a state of its own.
#[cfg(feature = "rayon")]
pub(crate) fn for_each<T: Send, S>(
    items: impl Iterator<Item = T>,
    state: impl Fn() -> S + Send + Sync,
    work: impl Fn(&mut S, T) + Send + Sync,
) {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};

    let items: Vec<T> = items.collect();
    if items.len() < 2 || rayon::current_num_threads() < 2 {
        let mut state = state();
        return items.into_iter().for_each(|item| work(&mut state, item));
    }
    items.into_par_iter().for_each_init(state, work);
}

/// Calls `work` for every item.
#[cfg(not(feature = "rayon"))]
pub(crate) fn for_each<T, S>(
    items: impl Iterator<Item = T>,
    state: impl Fn() -> S,
    work: impl Fn(&mut S, T),
) {
    let mut state = state();
    items.for_each(|item| work(&mut state, item));
}
