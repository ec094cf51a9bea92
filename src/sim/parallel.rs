//! Plays many incidents on several threads. What comes of them does not depend on how many there are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::chance::Chance;
use super::language::Scenario;
use super::{PlayError, Report, simulate};

/// What to play.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// So many incidents.
    pub count: u64,
    /// Drawn from this.
    pub seed: u64,
    /// On so many threads.
    pub jobs: usize,
}

/// Who is told how many incidents are over.
pub type Told<'a> = &'a (dyn Fn(u64) + Sync);

/// Plays scenarios by one seed on so many threads; the reports come in the scenarios' order.
///
/// # Errors
/// One of them could not be played.
pub fn simulate_all(
    scenarios: &[Scenario],
    seed: u64,
    jobs: usize,
    told: Told<'_>,
) -> Result<Vec<Report>, PlayError> {
    let task = Task { count: scenarios.len() as u64, seed, jobs };
    let one = |index| scenarios.get(index as usize).map(|scenario| simulate(scenario, seed)).transpose();
    let reports: Vec<_> = in_order(task, one, told)?;
    Ok(reports.into_iter().flatten().collect())
}

/// The seed of one incident among those of a task.
pub(super) fn seed_of(seed: u64, index: u64) -> u64 {
    Chance::new(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)).number() >> 16
}

/// Plays every incident of a task by its rank; the results come in the order of the ranks.
///
/// # Errors
/// One of them could not be played.
pub(super) fn in_order<T: Send>(
    task: Task,
    play: impl Fn(u64) -> Result<T, PlayError> + Sync,
    told: Told<'_>,
) -> Result<Vec<T>, PlayError> {
    let (next, done) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= task.count {
                return;
            }
            let one = play(index);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((index, one));
            told(done.len() as u64);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..task.jobs.max(1) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, one)| one).collect()
}
