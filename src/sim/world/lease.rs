//! The lease store, as everybody sees it who can reach it: one holder at a time, who renews; expiry, then another.
//!
//! Between two changes of the world everything about a lease follows from the time that passes, so nothing here runs by
//! itself: it is brought up to date when it is asked, and before and after each change.

use std::time::Duration;

use crate::sim::language::LeaseState;

/// A lease that was not renewed for so long goes to another.
const LEASE: Duration = Duration::from_secs(15);
/// A holder that could not renew it for so long stops acting.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Who steps down asks for the lease no earlier than after so long.
const ABSTENTION: Duration = Duration::from_secs(30);

/// Who may hold the lease at this moment: for each agent, whether it runs and reaches the store.
pub(in crate::sim) type Eligible<'a> = &'a dyn Fn(usize) -> bool;

/// The lease.
#[derive(Debug)]
pub(in crate::sim) struct Lease {
    /// The store's word, whatever is true: it tells each of these that it holds the lease.
    told: Vec<usize>,
    is_down: bool,
    holder: Option<usize>,
    /// Who held it last.
    last: Option<usize>,
    number: u64,
    renewed: Duration,
    agents: usize,
    /// When each agent was last told that it holds the lease.
    heard: Vec<Option<Duration>>,
    /// Until when each agent leaves the lease to others.
    abstains_until: Vec<Duration>,
}

impl Lease {
    pub(in crate::sim) fn new(agents: usize, holder: usize) -> Self {
        Self {
            told: Vec::new(),
            is_down: false,
            holder: Some(holder),
            last: Some(holder),
            number: 1,
            renewed: Duration::ZERO,
            agents,
            heard: vec![None; agents],
            abstains_until: vec![Duration::ZERO; agents],
        }
    }

    /// Changes the store.
    pub(in crate::sim) fn set(
        &mut self,
        state: &LeaseState,
        rank: impl Fn(&crate::types::AgentName) -> Option<usize>,
        now: Duration,
    ) {
        match state {
            LeaseState::Up => {
                self.is_down = false;
                self.told.clear();
            }
            LeaseState::Down => self.is_down = true,
            LeaseState::HeldBy(agents) => {
                self.told = agents.iter().filter_map(rank).collect();
                self.number += 1;
            }
            LeaseState::MovedTo(agent) => {
                self.told.clear();
                self.give(rank(agent), now);
            }
        }
    }

    /// Brings the lease up to a moment.
    pub(in crate::sim) fn settle(&mut self, eligible: Eligible<'_>, now: Duration) {
        if self.is_down {
            return;
        }
        if !self.told.is_empty() {
            for agent in self.told.iter().copied().filter(|agent| eligible(*agent)) {
                self.heard[agent] = Some(now);
            }
            return;
        }
        let asks = |agent: usize| eligible(agent) && self.abstains_until[agent] <= now;
        if let Some(holder) = self.holder.filter(|holder| asks(*holder)) {
            self.renewed = now;
            self.heard[holder] = Some(now);
            return;
        }
        let expires = self.renewed + LEASE;
        if self.holder.is_some() && now < expires {
            return;
        }
        // The one that is next in line asks first; who it is must not depend on chance.
        let first = self.last.map_or(0, |holder| holder + 1);
        let next = (0..self.agents).map(|i| (first + i) % self.agents).find(|agent| asks(*agent));
        if next.is_some() || self.holder.is_some() {
            self.give(next, now);
        }
    }

    fn give(&mut self, to: Option<usize>, now: Duration) {
        self.holder = to;
        self.last = to.or(self.last);
        self.number += 1;
        self.renewed = now;
        if let Some(agent) = to {
            self.heard[agent] = Some(now);
        }
    }

    /// The number of an agent's term, and until when it may rely on it; `None` when it was never told, or so long ago
    /// that the lease is another's.
    pub(in crate::sim) fn term(&self, agent: usize) -> Option<(u64, Duration)> {
        let is_told = self.told.contains(&agent) || (self.told.is_empty() && self.holder == Some(agent));
        let heard = (*self.heard.get(agent)?)?;
        // An agent that the store has turned away knows; one that cannot ask relies on what it heard last.
        let is_cut_off = !is_told && self.is_down;
        (is_told || is_cut_off).then_some((self.number, heard + RENEW_DEADLINE))
    }

    /// An agent gives the lease up.
    pub(in crate::sim) fn step_down(&mut self, agent: usize, now: Duration) {
        self.abstains_until[agent] = now + ABSTENTION;
        self.heard[agent] = None;
        if self.holder == Some(agent) {
            self.holder = None;
        }
    }

    /// Whether somebody holds the lease, as far as those know who ask the store.
    pub(in crate::sim) fn is_held(&self) -> bool {
        !self.is_down && (self.holder.is_some() || !self.told.is_empty())
    }

    /// The agents that may rely on a term at a moment.
    pub(in crate::sim) fn leaders(&self, now: Duration) -> impl Iterator<Item = usize> {
        (0..self.agents).filter(move |agent| self.term(*agent).is_some_and(|(_, until)| now < until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AgentName;

    const S: Duration = Duration::from_secs(1);

    fn leaders(lease: &Lease, now: Duration) -> Vec<usize> {
        lease.leaders(now).collect()
    }

    fn rank(name: &AgentName) -> Option<usize> {
        ["a1", "b1", "c1"].iter().position(|known| *known == name.as_str())
    }

    #[test]
    fn a_holder_renews_and_a_lost_one_is_followed_by_the_next() {
        let mut lease = Lease::new(3, 1);
        lease.settle(&|_| true, S);
        assert_eq!(leaders(&lease, S), [1]);
        lease.settle(&|agent| agent != 1, S * 10);
        assert_eq!(leaders(&lease, S * 10), [1], "its deadline is not over");
        assert_eq!(leaders(&lease, S * 11), [] as [usize; 0]);
        lease.settle(&|agent| agent != 1, S * 16);
        assert_eq!((leaders(&lease, S * 16), lease.number), (vec![2], 2));
        lease.settle(&|_| true, S * 17);
        assert_eq!(leaders(&lease, S * 17), [2], "the old holder has to wait");
    }

    #[test]
    fn nobody_leads_while_the_store_is_down() {
        let mut lease = Lease::new(3, 0);
        lease.settle(&|_| true, S);
        lease.set(&LeaseState::Down, rank, S);
        lease.settle(&|_| true, S * 60);
        assert_eq!(leaders(&lease, S * 60), [] as [usize; 0]);
        lease.set(&LeaseState::Up, rank, S * 60);
        lease.settle(&|_| true, S * 60);
        assert_eq!(leaders(&lease, S * 60), [0]);
    }

    #[test]
    fn a_store_that_lies_makes_two_leaders() {
        let mut lease = Lease::new(3, 0);
        let names = ["b1", "c1"].map(|name| AgentName::new(name).unwrap()).to_vec();
        lease.set(&LeaseState::HeldBy(names.clone()), rank, S);
        lease.settle(&|_| true, S);
        assert_eq!(leaders(&lease, S), [1, 2]);
        lease.set(&LeaseState::MovedTo(names[1].clone()), rank, S * 2);
        lease.settle(&|_| true, S * 2);
        assert_eq!(leaders(&lease, S * 2), [2]);
    }
}
