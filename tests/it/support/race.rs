//! Two agents that switch the same service at the same moment, one race after the other: exactly one change takes effect,
//! and the fence's epoch rises with each. Every second pair of races needs a promotion, in both directions.

use std::sync::atomic::{AtomicUsize, Ordering};

use redrover::decide::fence_of;
use redrover::decide::saga::Outcome;

use super::agent::{SERVICE, Setup};
use super::racer::{Racer, Redis};

/// The agents that race, and what came of it so far.
pub struct Races {
    racers: [Racer; 2],
    redis: Redis,
    epoch: u64,
    /// How often each has won.
    pub wins: [usize; 2],
    /// How many races needed a promotion.
    pub promotions: usize,
    /// How often somebody looked while they raced, and saw something.
    pub looks: usize,
}

impl Races {
    /// Two agents of this configuration, whose service is adopted here.
    pub async fn new(setup: &Setup) -> Self {
        let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
        assert_eq!(adopted.code, 0, "{}", adopted.stderr);
        let redis = Redis::new();
        let racers = [Racer::new(setup, "agent-1", &redis).await, Racer::new(setup, "agent-2", &redis).await];
        Self { racers, redis, epoch: 1, wins: [0, 0], promotions: 0, looks: 0 }
    }

    /// One race, while `look` is asked again and again, and says whether it saw something; `begin` is called when both have read the record as it stands.
    pub async fn run(&mut self, race: usize, begin: impl FnOnce(), look: impl AsyncFn() -> bool) {
        let (from, to) = if race.is_multiple_of(2) { ("dc-a", "dc-b") } else { ("dc-b", "dc-a") };
        let promotes = (race / 2).is_multiple_of(2);
        self.redis.begin(to, promotes);
        let racers = &self.racers;
        let plans = [racers[0].plan(from, to, promotes).await, racers[1].plan(from, to, promotes).await];
        begin();
        let [one, two] = plans;
        let is_over = AtomicUsize::new(0);
        let run = async |racer: usize, plan| {
            let outcome = racers[racer].run(plan).await;
            is_over.fetch_add(1, Ordering::AcqRel);
            outcome
        };
        let watched = async {
            let mut looks = 0;
            while is_over.load(Ordering::Acquire) < 2 {
                looks += usize::from(look().await);
                tokio::task::yield_now().await;
            }
            looks
        };
        // Not always the same one begins.
        let outcomes = match race % 3 {
            0 => {
                let (one, two, looks) = tokio::join!(run(0, one), run(1, two), watched);
                self.looks += looks;
                (one, two)
            }
            _ => {
                let (two, one, looks) = tokio::join!(run(1, two), run(0, one), watched);
                self.looks += looks;
                (one, two)
            }
        };
        let winner = match &outcomes {
            (Outcome::Switched, Outcome::Foreign { .. } | Outcome::Abandoned { .. }) => 0,
            (Outcome::Foreign { .. } | Outcome::Abandoned { .. }, Outcome::Switched) => 1,
            both => panic!("race {race}: not one winner: {both:?}"),
        };
        self.wins[winner] += 1;
        self.promotions += usize::from(promotes);
        assert_eq!(self.redis.promotions(), usize::from(promotes), "race {race}");
        let state = racers[0].dns().read().await.expect("it can be read");
        let fence = fence_of(&state).expect("it is whole").expect("it is there");
        let held = (fence.epoch, fence.owner.as_str(), fence.active.as_str());
        assert_eq!(held, (self.epoch + 2, racers[winner].name(), to), "race {race}");
        self.epoch = fence.epoch;
    }
}
