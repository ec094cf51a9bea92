//! The second baseline: a DNS provider's health checks. The first healthy member in order is the answer, at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::three_probes::answers;
use crate::sim::ports::SimEyes;
use crate::sim::world::World;

/// Time from one check to the next.
const INTERVAL: Duration = Duration::from_secs(10);
/// A check that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(1);
/// So many checks in a row that say otherwise change the state, both ways.
const THRESHOLD: u32 = 3;

/// What one checker thinks of one member.
#[derive(Debug, Clone, Copy)]
struct Opinion {
    is_healthy: bool,
    /// Checks in a row that said otherwise.
    otherwise: u32,
}

impl Opinion {
    fn note(&mut self, answered: bool) {
        self.otherwise = if answered == self.is_healthy { 0 } else { self.otherwise + 1 };
        if self.otherwise >= THRESHOLD {
            *self = Self { is_healthy: answered, otherwise: 0 };
        }
    }
}

/// What all checkers think, by checker and member; `None` has not checked.
pub(super) struct Board {
    opinions: Mutex<Vec<Vec<Option<Opinion>>>>,
}

impl Board {
    pub(super) fn new(checkers: usize, members: usize) -> Self {
        Self { opinions: Mutex::new(vec![vec![None; members]; checkers]) }
    }

    /// A checker is gone, and its opinions with it.
    pub(super) fn forget(&self, checker: usize) {
        self.opinions.lock().unwrap_or_else(PoisonError::into_inner)[checker].fill(None);
    }

    fn note(&self, checker: usize, member: usize, answered: bool) {
        let mut opinions = self.opinions.lock().unwrap_or_else(PoisonError::into_inner);
        let first = Opinion { is_healthy: true, otherwise: 0 };
        opinions[checker][member].get_or_insert(first).note(answered);
    }

    /// The member that is answered: the first one that some checker finds healthy, or that none has checked. When
    /// there is none, all are as good, so it is the first.
    fn answer(&self) -> usize {
        let opinions = self.opinions.lock().unwrap_or_else(PoisonError::into_inner);
        let members = opinions.first().map_or(0, Vec::len);
        let is_healthy = |member: &usize| {
            let mut known = opinions.iter().filter_map(|of| of[*member]).peekable();
            known.peek().is_none() || known.any(|opinion| opinion.is_healthy)
        };
        (0..members).find(is_healthy).unwrap_or(0)
    }
}

/// One checker.
pub(super) struct Checker {
    pub(super) eyes: SimEyes,
    pub(super) board: Arc<Board>,
}

impl Checker {
    /// Checks for ever all members that are not in its own datacenter; the first check comes after `phase`.
    pub(super) async fn run(self, phase: Duration) {
        tokio::time::sleep(phase).await;
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (world, checker) = (&self.eyes.gate.world, self.eyes.gate.agent);
        let home = world.layout.homes[checker];
        loop {
            ticks.tick().await;
            for member in (0..world.layout.members.len()).filter(|m| world.layout.members[*m] != home) {
                let answered = answers(&self.eyes, member, TIMEOUT).await;
                self.board.note(checker, member, answered);
            }
            show(world, self.eyes.service, self.board.answer());
        }
    }
}

/// The provider answers with a member, if it does not do so yet.
fn show(world: &World, service: usize, member: usize) {
    let now = world.now();
    let mut state = world.state();
    if state.named(service) != Some(member) {
        state.answer_with(service, member, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(board: &Board, checker: usize, member: usize, answers: &[bool]) {
        for answered in answers {
            board.note(checker, member, *answered);
        }
    }

    #[test]
    fn three_checks_of_all_who_see_a_member_take_it_out_and_three_of_one_bring_it_back() {
        let board = Board::new(3, 2);
        note(&board, 1, 0, &[false, false, true, false, false]);
        assert_eq!(board.answer(), 0, "never three in a row");
        note(&board, 1, 0, &[false]);
        note(&board, 2, 0, &[false, false]);
        assert_eq!(board.answer(), 0, "one checker still finds it healthy");
        note(&board, 2, 0, &[false]);
        assert_eq!(board.answer(), 1);
        note(&board, 2, 0, &[true, true]);
        assert_eq!(board.answer(), 1);
        note(&board, 2, 0, &[true]);
        assert_eq!(board.answer(), 0, "the failback is immediate");
    }

    #[test]
    fn a_dead_checker_has_no_say_and_without_a_healthy_member_the_first_is_answered() {
        let board = Board::new(2, 2);
        note(&board, 0, 0, &[true]);
        note(&board, 1, 0, &[false; 3]);
        assert_eq!(board.answer(), 0);
        board.forget(0);
        assert_eq!(board.answer(), 1);
        note(&board, 1, 1, &[false; 3]);
        assert_eq!(board.answer(), 0);
    }
}
