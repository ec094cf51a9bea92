//! When a message that could not be delivered is tried again, and when no more. Pure.

use std::time::Duration;

/// The first pause.
const FIRST_MS: u64 = 5_000;
/// The longest pause.
const LONGEST_MS: u64 = 15 * 60_000;
/// A message is given up when it is so old.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The pause after so many failed tries, shorter or longer by up to a fifth, so that many letters do not come at once.
/// The same seed gives the same pause.
#[must_use]
pub fn pause(tries: u32, seed: u64) -> Duration {
    let doubled = FIRST_MS.saturating_mul(1 << tries.saturating_sub(1).min(20)).min(LONGEST_MS);
    let share = mix(seed ^ u64::from(tries)) % 401;
    Duration::from_millis(doubled * (800 + share) / 1000)
}

/// A well-known finaliser (SplitMix64): every bit of the seed moves every bit of the result.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_grow_to_their_limit_and_stay_near_it(tries in 1..1_000_u32, seed: u64) {
            let usual = (FIRST_MS << (tries - 1).min(16)).min(LONGEST_MS);
            let found = u64::try_from(pause(tries, seed).as_millis()).unwrap();
            prop_assert!((usual * 8 / 10..=usual * 12 / 10).contains(&found), "{found} after {tries}");
        }
    }

    #[test]
    fn letters_do_not_come_at_once() {
        let pauses: std::collections::BTreeSet<_> = (0..100).map(|seed| pause(3, seed)).collect();
        assert!(pauses.len() > 50, "{pauses:?}");
    }
}
