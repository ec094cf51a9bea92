//! Lets every contender play every incident.

use super::count::Counts;
use super::figures::{Comparison, One};
use super::history::History;
use super::mix::incident;
use crate::sim::crew::Contender;
use crate::sim::parallel::{in_order, seed_of};
use crate::sim::play::play_with;
use crate::sim::rules::violations;
use crate::sim::{PlayError, Task, Told};

/// Plays the incidents of a task, each with every contender.
///
/// # Errors
/// An incident cannot be played, which is a mistake of the one who draws them.
pub fn run(task: Task, told: Told<'_>) -> Result<Comparison, PlayError> {
    let all = in_order(task, |index| compare(seed_of(task.seed, index)), told)?;
    Ok(Comparison::of(task.seed, &all))
}

fn compare(seed: u64) -> Result<One, PlayError> {
    let (kind, scenario) = incident(seed);
    let mut one = One { kind, broken_rules: 0, counts: <[Counts; 3]>::default() };
    for (counts, contender) in one.counts.iter_mut().zip(Contender::ALL) {
        let record = play_with(&scenario, seed, contender)?;
        *counts = Counts::of(&History::of(&record, &scenario));
        // The rules are promises of redrover; the baselines never made them.
        if contender == Contender::Redrover {
            one.broken_rules = violations(&record).len() as u64;
        }
    }
    Ok(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_table_however_many_threads_play() {
        let task = |seed, jobs| run(Task { count: 12, seed, jobs }, &|_| ()).unwrap();
        let (one, two) = (task(7, 1), task(7, 3));
        assert_eq!(one, two);
        assert_eq!(one.to_string(), two.to_string());
        assert_ne!(one.kinds, task(8, 2).kinds);
        assert_eq!(one.broken_rules, 0);
    }

    #[test]
    fn what_is_true_does_not_depend_on_who_watches() {
        for index in 0..20 {
            let (kind, scenario) = incident(seed_of(3, index));
            let truth = |contender| play_with(&scenario, 3, contender).unwrap().truth;
            let [one, two, three] = Contender::ALL.map(truth);
            assert!(one == two && two == three, "{}", kind.name());
        }
    }
}
