//! The lines between places: what passes, and what does not.

use std::time::Duration;

use crate::sim::language::{NetworkState, Ports};

/// The end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Node {
    /// A datacenter, by its rank.
    Datacenter(usize),
    /// An agent, by its rank.
    Agent(usize),
    /// All the rest: the lease store, the DNS provider, reference addresses.
    Outside,
}

/// A line, or all lines of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Line {
    /// Between two places.
    Between(Node, Node),
    /// Between a place and everything else.
    Around(Node),
}

impl Line {
    fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Between(a, b), Self::Between(c, d)) => (a == c && b == d) || (a == d && b == c),
            (Self::Around(a), Self::Around(b)) => a == b,
            (Self::Between(..), Self::Around(_)) | (Self::Around(_), Self::Between(..)) => false,
        }
    }

    fn touches(self, from: &[Node], to: &[Node]) -> bool {
        match self {
            Self::Between(a, b) => {
                (from.contains(&a) && to.contains(&b)) || (from.contains(&b) && to.contains(&a))
            }
            Self::Around(a) => from.contains(&a) != to.contains(&a),
        }
    }
}

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sim) struct Passage {
    /// It vanishes, or its answer does.
    pub(in crate::sim) is_blocked: bool,
    /// It is refused on its way.
    pub(in crate::sim) is_rejected: bool,
    /// The probability that it misses its deadline.
    pub(in crate::sim) losing: f64,
    /// What each round trip takes in addition.
    pub(in crate::sim) slower: Duration,
}

impl Passage {
    const OPEN: Self = Self { is_blocked: false, is_rejected: false, losing: 0.0, slower: Duration::ZERO };

    /// Whether anything passes at all.
    pub(in crate::sim) fn is_open(&self) -> bool {
        !self.is_blocked && !self.is_rejected
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy)]
struct Fault {
    line: Line,
    state: NetworkState,
    only: Ports,
}

/// All lines.
#[derive(Debug, Default)]
pub(in crate::sim) struct Network {
    faults: Vec<Fault>,
    datacenters: usize,
}

impl Network {
    pub(in crate::sim) fn new(datacenters: usize) -> Self {
        Self { faults: Vec::new(), datacenters }
    }

    /// Changes a line; what was wrong with the same ports of it before is replaced.
    pub(in crate::sim) fn set(&mut self, line: Line, state: NetworkState, only: Ports) {
        let is_replaced = |f: &Fault| f.line.is_same(line) && (only == Ports::All || f.only == only);
        self.faults.retain(|fault| !is_replaced(fault));
        match state {
            NetworkState::Back => {}
            NetworkState::Cut
            | NetworkState::Oneway
            | NetworkState::Rejected
            | NetworkState::Losing(_)
            | NetworkState::Slow(_) => self.faults.push(Fault { line, state, only }),
        }
    }

    /// What becomes of a request from one place to another. Both are named with all that contains them: an agent and
    /// its datacenter, say.
    pub(in crate::sim) fn passage(&self, from: &[Node], to: &[Node], ports: Ports) -> Passage {
        let mut passage = Passage::OPEN;
        if self.faults.is_empty() {
            return passage;
        }
        for fault in &self.faults {
            if (fault.only == Ports::Redis && ports != Ports::Redis) || !fault.line.touches(from, to) {
                continue;
            }
            match fault.state {
                // A request needs both directions of a line.
                NetworkState::Cut | NetworkState::Oneway => passage.is_blocked = true,
                NetworkState::Rejected => passage.is_rejected = true,
                NetworkState::Losing(share) => passage.losing = passage.losing.max(share.get()),
                NetworkState::Slow(by) => passage.slower += by,
                NetworkState::Back => {}
            }
        }
        if to.contains(&Node::Outside) && from.iter().any(|node| self.is_isolated(*node)) {
            passage.is_blocked = true;
        }
        passage
    }

    /// A datacenter that no other one can be reached from has lost the rest of the world with them.
    fn is_isolated(&self, node: Node) -> bool {
        let Node::Datacenter(here) = node else { return false };
        let others = || (0..self.datacenters).filter(|there| *there != here);
        let is_cut = |there| {
            let is_fault = |f: &Fault| {
                f.only == Ports::All
                    && matches!(f.state, NetworkState::Cut | NetworkState::Oneway)
                    && f.line.is_same(Line::Between(node, Node::Datacenter(there)))
            };
            self.faults.iter().any(is_fault)
        };
        others().count() > 0 && others().all(is_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Ratio;

    const A: Node = Node::Datacenter(0);
    const B: Node = Node::Datacenter(1);
    const C: Node = Node::Datacenter(2);
    const AGENT: Node = Node::Agent(0);

    fn open(network: &Network, from: &[Node], to: &[Node]) -> bool {
        network.passage(from, to, Ports::All).is_open()
    }

    #[test]
    fn a_cut_line_is_cut_both_ways_and_no_other_is() {
        let mut network = Network::new(3);
        network.set(Line::Between(A, B), NetworkState::Cut, Ports::All);
        assert!(!open(&network, &[AGENT, A], &[B]) && !open(&network, &[B], &[A]));
        assert!(
            open(&network, &[A], &[A])
                && open(&network, &[A], &[C])
                && open(&network, &[A], &[Node::Outside])
        );
        network.set(Line::Between(B, A), NetworkState::Back, Ports::All);
        assert!(open(&network, &[A], &[B]));
    }

    #[test]
    fn around_is_everything_but_what_is_inside() {
        let mut network = Network::new(3);
        network.set(Line::Around(A), NetworkState::Cut, Ports::All);
        assert!(open(&network, &[AGENT, A], &[A]) && open(&network, &[B], &[C]));
        assert!(!open(&network, &[AGENT, A], &[Node::Outside]) && !open(&network, &[B], &[A]));
        network.set(Line::Around(A), NetworkState::Back, Ports::All);
        network.set(Line::Around(AGENT), NetworkState::Cut, Ports::All);
        assert!(!open(&network, &[AGENT, A], &[A]) && open(&network, &[A], &[B]));
    }

    #[test]
    fn a_datacenter_without_any_other_has_lost_the_rest() {
        let mut network = Network::new(3);
        network.set(Line::Between(A, B), NetworkState::Cut, Ports::All);
        network.set(Line::Between(C, A), NetworkState::Cut, Ports::All);
        assert!(!open(&network, &[A], &[Node::Outside]) && open(&network, &[B], &[Node::Outside]));
    }

    #[test]
    fn faults_of_some_ports_and_degrees_add_up() {
        let mut network = Network::new(2);
        network.set(Line::Between(AGENT, B), NetworkState::Rejected, Ports::Redis);
        assert!(open(&network, &[AGENT, A], &[B]));
        assert!(network.passage(&[AGENT, A], &[B], Ports::Redis).is_rejected);
        network.set(Line::Between(A, B), NetworkState::Losing(Ratio::clamped(0.3)), Ports::All);
        network.set(Line::Around(B), NetworkState::Slow(Duration::from_millis(5)), Ports::All);
        let passage = network.passage(&[A], &[B], Ports::All);
        assert_eq!((passage.losing, passage.slower), (0.3, Duration::from_millis(5)));
    }
}
