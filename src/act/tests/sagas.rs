//! Many switches, each killed at a random point, and often again while it goes on: nothing is done twice, nothing that was
//! written is lost, and each comes to its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fuse::{Fuse, When, label};
use super::life::Stage;
use super::scenarios::{SCENARIOS, Scenario};
use super::world::Event;
use crate::store::{Kind, verify};

/// Switches of the usual run; `REDROVER_SAGAS` asks for another number.
const SAGAS: u64 = 60;
/// Deaths of one switch at most.
const DEATHS_MAX: usize = 6;

/// Numbers that look random and are the same in every run (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap()
    }

    fn when(&mut self) -> When {
        When::ALL[self.below(2)]
    }
}

fn stage(scenario: &Scenario) -> Stage {
    Stage::new(scenario.shape, scenario.arrange)
}

/// How many points a life without a death has.
async fn points(scenario: &Scenario, known: &mut BTreeMap<&'static str, usize>) -> usize {
    if let Some(count) = known.get(scenario.name) {
        return *count;
    }
    let fuse = Arc::new(Fuse::default());
    stage(scenario).live(&fuse, usize::MAX).await;
    let count = fuse.passed().len();
    known.insert(scenario.name, count);
    count
}

/// Every write that was answered is there, in its order, and nothing else but what people ordered meanwhile.
async fn assert_nothing_is_lost(stage: &Stage, why: &str) {
    let told = stage.world.events().into_iter();
    let told: Vec<String> =
        told.filter_map(|event| if let Event::Wrote(label) = event { Some(label) } else { None }).collect();
    let entries = stage.entries().await;
    let ours = entries.iter().filter(|entry| entry.body.kind() != Kind::Ordered);
    let found: Vec<String> = ours.map(|entry| label(&entry.body)).collect();
    assert_eq!(found, told, "{why}");
    assert_eq!(verify(stage.folder.path()).unwrap().flaws, [], "{why}");
}

#[tokio::test(start_paused = true)]
async fn many_sagas_killed_at_random_points_all_settle_once() {
    let asked = std::env::var("REDROVER_SAGAS").ok().and_then(|n| n.parse().ok());
    let (mut known, mut deaths, mut ends) = (BTreeMap::new(), 0, BTreeMap::<String, u32>::new());
    for seed in 0..asked.unwrap_or(SAGAS) {
        let mut chance = Chance(seed);
        let scenario = &SCENARIOS[chance.below(SCENARIOS.len())];
        let point = chance.below(points(scenario, &mut known).await);
        let (stage, when) = (stage(scenario), chance.when());
        stage.live(&Arc::new(Fuse::at(point, when)), usize::MAX).await;
        let mut why = format!("seed {seed}, {}, death {when:?} {point}", scenario.name);
        stage.check(&why);
        let mut lives = 1;
        while stage.story().await.unfinished.is_some() && lives < DEATHS_MAX && chance.below(2) == 0 {
            let (point, when) = (chance.below(8), chance.when());
            stage.go_on(&Arc::new(Fuse::at(point, when))).await;
            why = format!("{why}, then {when:?} {point}");
            lives += 1;
        }
        deaths += lives;
        let settled = stage.settle().await;
        stage.check_end(&why).await;
        assert_nothing_is_lost(&stage, &why).await;
        let (events, story) = (stage.world.events().len(), stage.settle().await);
        assert_eq!((stage.world.events().len(), story), (events, settled), "{why}: done again");
        let end = stage.outcome().await.map_or("nothing", |outcome| outcome.as_str());
        *ends.entry(end.to_owned()).or_default() += 1;
    }
    println!("{deaths} deaths, and then: {ends:?}");
    assert!(ends.len() > 2, "too few kinds of end: {ends:?}");
}
