//! How many answers one network gets by UDP: whoever asks may not be who it says it is, and what is answered then floods
//! somebody else. Answers that say the same are counted together for each network; beyond the limit most are left out,
//! and some are cut short, so that a real client comes by TCP, where nobody can pretend.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use super::answer::About;
use crate::config::RateLimit;

/// Addresses that are counted as one: whoever is flooded shares the line with its neighbours.
const IPV4_BITS: u32 = 24;
/// As above: what one customer usually gets.
const IPV6_BITS: u32 = 56;
/// Counters kept, 24 bytes each: as many networks and names as a flood of this server can matter to.
pub(super) const COUNTERS: usize = 32_768;
/// Places that one counter may stand at; the one that has rested longest makes room.
const PLACES: usize = 4;

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It is sent.
    Send,
    /// It is sent without its content.
    Cut,
    /// It is not sent.
    Drop,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    /// Of the network and what is said; 0 is a free place.
    key: u64,
    /// When it was looked at last, milliseconds.
    at_ms: u64,
    /// Thousandths of answers that may be sent at once.
    credit: u32,
    /// Answers that were not sent since the last one that was.
    withheld: u32,
}

/// The counters of all networks.
pub(super) struct Limiter {
    rules: RateLimit,
    /// Keys cannot be foreseen from outside, so nobody can aim at another's counter.
    keys: RandomState,
    counters: Vec<Counter>,
}

impl Limiter {
    /// All networks have full credit.
    pub(super) fn new(rules: RateLimit) -> Self {
        Self { rules, keys: RandomState::new(), counters: vec![Counter::default(); COUNTERS] }
    }

    /// What becomes of an answer to a client at this time.
    pub(super) fn rule(&mut self, client: IpAddr, about: &About, now: Duration) -> Ruling {
        let client = client.to_canonical();
        if self.rules.exempt.iter().any(|network| network.contains(client)) {
            return Ruling::Send;
        }
        let key = self.keys.hash_one((network(client), about)).max(1);
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let (rate, slip) = (self.rules.responses_per_second, self.rules.slip);
        let counter = self.counter(key, now_ms);
        // So many thousandths come back in a millisecond as answers are allowed in a second.
        let earned = now_ms.saturating_sub(counter.at_ms).saturating_mul(u64::from(rate));
        let full = u64::from(rate) * 1000;
        let credit = (u64::from(counter.credit) + earned).min(full);
        counter.at_ms = counter.at_ms.max(now_ms);
        if credit >= 1000 {
            counter.credit = u32::try_from(credit - 1000).unwrap_or(u32::MAX);
            counter.withheld = 0;
            return Ruling::Send;
        }
        counter.credit = u32::try_from(credit).unwrap_or(u32::MAX);
        counter.withheld = counter.withheld.saturating_add(1);
        let is_cut = slip > 0 && counter.withheld.is_multiple_of(slip);
        if is_cut { Ruling::Cut } else { Ruling::Drop }
    }

    fn counter(&mut self, key: u64, now_ms: u64) -> &mut Counter {
        let sets = COUNTERS / PLACES;
        let first = usize::try_from(key % sets as u64).unwrap_or(0) * PLACES;
        let set = &mut self.counters[first..first + PLACES];
        let known = set.iter().position(|counter| counter.key == key);
        let place = known.unwrap_or_else(|| {
            let rested = (0..PLACES).min_by_key(|place| set[*place].at_ms).unwrap_or(0);
            let credit = self.rules.responses_per_second.saturating_mul(1000);
            set[rested] = Counter { key, at_ms: now_ms, credit, withheld: 0 };
            rested
        });
        &mut set[place]
    }
}

/// The network that an address belongs to; those of different families differ.
fn network(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(address.to_bits() >> (32 - IPV4_BITS))),
        IpAddr::V6(address) => (false, address.to_bits() >> (128 - IPV6_BITS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Network;

    fn limiter(slip: u32) -> Limiter {
        let exempt = vec![Network::parse("10.0.0.0/8").unwrap()];
        Limiter::new(RateLimit { responses_per_second: 5, slip, exempt })
    }

    fn ask(limiter: &mut Limiter, client: &str, about: &About, at_ms: u64, times: usize) -> Vec<Ruling> {
        let client = client.parse().unwrap();
        let at = Duration::from_millis(at_ms);
        (0..times).map(|_| limiter.rule(client, about, at)).collect()
    }

    #[test]
    fn beyond_the_limit_some_are_cut_and_the_others_left_out() {
        use Ruling::{Cut, Drop, Send};
        for (slip, beyond) in [(0, [Drop; 4]), (1, [Cut; 4]), (2, [Drop, Cut, Drop, Cut])] {
            let mut limiter = limiter(slip);
            let rulings = ask(&mut limiter, "192.0.2.1", &About::Nothing, 0, 9);
            assert_eq!(rulings[..5], [Send; 5], "slip {slip}");
            assert_eq!(rulings[5..], beyond, "slip {slip}");
        }
    }

    #[test]
    fn credit_comes_back_with_time_and_is_bounded() {
        use Ruling::{Drop, Send};
        let mut limiter = limiter(0);
        ask(&mut limiter, "192.0.2.1", &About::Error, 0, 50);
        assert_eq!(ask(&mut limiter, "192.0.2.1", &About::Error, 199, 1), [Drop]);
        assert_eq!(ask(&mut limiter, "192.0.2.1", &About::Error, 200, 2), [Send, Drop]);
        let later = ask(&mut limiter, "192.0.2.1", &About::Error, 3_600_000, 7);
        assert_eq!(later, [Send, Send, Send, Send, Send, Drop, Drop]);
        // A clock that went back gives nothing.
        assert_eq!(ask(&mut limiter, "192.0.2.1", &About::Error, 0, 1), [Drop]);
    }

    #[test]
    fn neighbours_share_and_others_do_not() {
        let name = |text: &str| About::Records(text.parse().unwrap());
        let mut limiter = limiter(0);
        ask(&mut limiter, "192.0.2.1", &name("a.test."), 0, 5);
        for (client, about, ruling) in [
            ("192.0.2.255", name("a.test."), Ruling::Drop),
            ("::ffff:192.0.2.9", name("a.test."), Ruling::Drop),
            ("192.0.3.1", name("a.test."), Ruling::Send),
            ("192.0.2.1", name("b.test."), Ruling::Send),
            ("192.0.2.1", About::Nothing, Ruling::Send),
            ("192.0.2.1", About::Error, Ruling::Send),
        ] {
            assert_eq!(ask(&mut limiter, client, &about, 0, 1), [ruling], "{client} {about:?}");
        }
        assert_eq!(ask(&mut limiter, "10.9.9.9", &About::Nothing, 0, 100), [Ruling::Send; 100], "exempt");
        ask(&mut limiter, "2001:db8:0:100::1", &About::Nothing, 0, 5);
        assert_eq!(ask(&mut limiter, "2001:db8:0:1ff::2", &About::Nothing, 0, 1), [Ruling::Drop]);
        assert_eq!(ask(&mut limiter, "2001:db8:0:200::1", &About::Nothing, 0, 1), [Ruling::Send]);
    }

    #[test]
    fn any_number_of_networks_fits() {
        let mut limiter = limiter(2);
        for network in 0..300_000_u32 {
            let client = IpAddr::V4((network << 8).into());
            limiter.rule(client, &About::Nothing, Duration::from_millis(u64::from(network)));
        }
        assert_eq!(limiter.counters.len(), COUNTERS);
    }
}
