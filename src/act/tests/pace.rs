//! Who waits for a switch, and for how long.

use std::sync::Arc;
use std::time::Duration;

use super::fuse::Fuse;
use super::life::Shape::{Hooked, Replication};
use super::life::Stage;
use super::world::{Event, State};
use crate::act::Pace;
use crate::decide::saga::Outcome;

/// More than may be under way at once.
const MANY: usize = 100;

fn wrote(label: &str) -> Event {
    Event::Wrote(label.to_owned())
}

/// Takes all turns that can be had at once, but one.
async fn all_but_one(pace: &Pace) -> Vec<crate::act::Turn> {
    let mut held = Vec::new();
    for _ in 0..MANY {
        match tokio::time::timeout(Duration::from_millis(1), pace.turn()).await {
            Ok(turn) => held.push(turn),
            Err(_) => break,
        }
    }
    assert!(held.pop().is_some() && held.len() < MANY);
    held
}

#[tokio::test(start_paused = true)]
async fn the_next_switch_begins_once_the_name_has_moved() {
    type Arrange = fn(&mut State);
    let rows: [(_, Arrange, &str); 3] = [
        (Replication, |s| s.is_stale = true, "verify"),
        (Hooked, |s| s.is_stale = true, "follow"),
        // What gives up keeps nobody waiting either.
        (
            Hooked,
            |s| {
                s.hooks_take = Duration::from_secs(9);
                s.hook_fails = true;
            },
            "follow",
        ),
    ];
    for (shape, arrange, later) in rows {
        let stage = Stage::new(shape, arrange);
        let _others = all_but_one(&stage.pace).await;
        let next = async {
            while !stage.world.events().contains(&wrote("claim")) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let _turn = stage.pace.turn().await;
            stage.world.events()
        };
        let fuse = Arc::new(Fuse::default());
        let (_, then) = tokio::join!(stage.live(&fuse, usize::MAX), next);
        assert!(!then.contains(&wrote(later)), "{later}: it waited too long: {then:?}");
        let has_moved =
            then.iter().any(|e| matches!(e, Event::Changed(state) if *state == stage.world.state().record));
        assert!(has_moved, "{later}: it did not wait: {then:?}");
        assert!(stage.world.events().contains(&wrote(later)), "{later}");
    }
}

#[tokio::test(start_paused = true)]
async fn hooks_that_never_end_keep_a_switch_for_a_bounded_time() {
    let stage = Stage::new(Hooked, |s| s.hooks_take = Duration::from_secs(86_400));
    let began = tokio::time::Instant::now();
    let outcome = stage.live(&Arc::new(Fuse::default()), usize::MAX).await;
    assert!(matches!(outcome, Some(Outcome::Abandoned { .. })), "{outcome:?}");
    // Those before it have as long as the decision lives, those after it five minutes.
    assert_eq!(began.elapsed().as_secs(), 60 + 300);
}
