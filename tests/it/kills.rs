//! `kill -9` of the real agent at random moments of a real failover, with real Redis; then the agent once more. Nothing
//! is done twice, nothing that was written is lost, and the name comes to the standby.
//!
//! A moment follows a step of the switch, each kill another one; which step the agent came to before it died depends on
//! the machine, and how many deaths each step saw is printed.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the variants that it is about")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use redrover::decide::saga::Outcome;
use redrover::store::{Body, Entry, Journal as _, Kind, Query, SqliteJournal, Story, verify};

use super::support::agent::SERVICE;
use super::support::process::wait_for;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

/// Kills of the usual run; `REDROVER_KILLS` asks for another number.
const KILLS: usize = 2;
/// Tried at the same time.
const ABREAST: usize = 2;
/// Longest wait for the failover: on a crowded machine an attempt may be given up, and the next one waits for a minute or two.
const SETTLED_LIMIT: Duration = Duration::from_secs(300);
/// What a switch of this scene writes until the name moves.
const BEFORE_THE_NAME: [&str; 6] = ["ticketed", "claim", "fence", "recheck", "promote", "prove"];
/// Entries that a kill may wait for: these, and two beyond.
const MOMENTS: usize = BEFORE_THE_NAME.len() + 2;
/// The first kill comes after the promotion, the second one after the proof: the usual run has no more.
const FIRST: usize = 4;
/// About the time from one step to the next.
const STEP_MS: f64 = 15.0;
/// From so many kills on, they must be spread.
const SPREAD_FROM: usize = 20;

#[tokio::test]
async fn an_agent_killed_at_any_moment_of_a_failover_finishes_it_once() {
    let asked = std::env::var("REDROVER_KILLS").ok().and_then(|n| n.parse().ok());
    let kills: Vec<usize> = (0..asked.unwrap_or(KILLS)).collect();
    let mut died_after = BTreeMap::<String, u32>::new();
    for abreast in kills.chunks(ABREAST) {
        for step in join_all(abreast.iter().map(|kill| kill_and_go_on(*kill))).await {
            *died_after.entry(step).or_default() += 1;
        }
    }
    println!("{} kills, after the step: {died_after:?}", kills.len());
    let is_before = |step: &str| BEFORE_THE_NAME.contains(&step);
    let before: u32 = died_after.iter().filter(|(step, _)| is_before(step)).map(|(_, deaths)| deaths).sum();
    assert!(
        kills.len() < SPREAD_FROM || before as usize * 4 >= kills.len(),
        "too few before the name moved: {before}"
    );
}

/// Returns the last thing that stood in the journal when the agent was killed.
async fn kill_and_go_on(kill: usize) -> String {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    let folder = scene.setup.data_dir();
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    wait_entries(&folder, (kill + FIRST) % MOMENTS + 1).await;
    // A moment that looks random and is another one for each kill (the golden ratio spreads them evenly).
    let share = (kill as f64 * 0.618_033_988_749_895).fract();
    tokio::time::sleep(Duration::from_micros((share * STEP_MS * 1e3) as u64)).await;
    scene.agent.process().kill();

    let before = entries(&folder).await.expect("the journal can be read");
    let last = last_step(&before);
    scene.agent = scene.setup.start().await;
    let what = format!("kill {kill}, after {last}: the failover to be done");
    let done = wait_for(&what, SETTLED_LIMIT, async || settled(&folder).await).await;
    scene.wait_answer(NAME, TARGETS[1]).await;

    // Only how often a decision was repeated may have changed.
    let said = |entry: &Entry| (entry.seq, entry.at_unix_ms, entry.incident.clone(), entry.body.clone());
    let (kept, after): (Vec<_>, Vec<_>) =
        (before.iter().map(said).collect(), done.iter().take(before.len()).map(said).collect());
    assert_eq!(after, kept, "{what}: entries were lost or changed");
    assert_eq!(verify(&folder).expect("it can be read").flaws, [], "{what}");
    assert_eq!(scene.standby.info("role").await.expect("it answers").as_deref(), Some("master"), "{what}");
    assert_changed_once(&scene, &what).await;
    last
}

/// Waits until a switch has written so many entries, or has ended.
async fn wait_entries(folder: &Path, count: usize) {
    let journal = SqliteJournal::open_read_only(folder).expect("there is a journal");
    let kinds = vec![Kind::Ticketed, Kind::Stepped, Kind::Ended];
    let written = async {
        loop {
            let query = Query { kinds: kinds.clone(), ..Query::default() };
            let entries = journal.read(query).await.expect("it can be read");
            let has_ended = entries.iter().any(|entry| entry.body.kind() == Kind::Ended);
            if entries.len() >= count || has_ended {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(ROUNDS_LIMIT, written).await.expect("the switch goes on");
}

async fn entries(folder: &Path) -> Option<Vec<Entry>> {
    let journal = SqliteJournal::open_read_only(folder).ok()?;
    journal.read(Query::default()).await.ok()
}

fn last_step(entries: &[Entry]) -> String {
    let step = |entry: &Entry| match &entry.body {
        Body::Ticketed { .. } => Some("ticketed".to_owned()),
        Body::Stepped { step, .. } => Some(step.phase().to_owned()),
        Body::Ended { outcome, .. } => Some(outcome.as_str().to_owned()),
        _ => None,
    };
    entries.iter().rev().find_map(step).unwrap_or_default()
}

/// The journal, once the name has moved and nothing is unfinished.
async fn settled(folder: &Path) -> Option<Vec<Entry>> {
    let entries = entries(folder).await?;
    let mut story = Story::default();
    entries.iter().for_each(|entry| story.tell(entry));
    let has_switched =
        entries.iter().any(|entry| matches!(&entry.body, Body::Ended { outcome: Outcome::Switched, .. }));
    (has_switched && story.unfinished.is_none()).then_some(entries)
}

/// The record itself was changed once, and the fence's epoch rose with every change.
async fn assert_changed_once(scene: &Scene, what: &str) {
    let history = scene.sandbox().history().await;
    let target = TARGETS[1].trim_end_matches('.');
    let values = history.values(NAME);
    let moves = values.iter().filter(|value| *value != TARGETS[0].trim_end_matches('.'));
    assert!(moves.eq([target]) && values.last().is_some_and(|last| last == target), "{what}: {values:?}");
    let epochs: Vec<u64> = history.values(&format!("_redrover.{NAME}")).iter().map(|t| epoch(t)).collect();
    assert!(epochs.is_sorted_by(|a, b| a < b) && epochs.len() >= 3, "{what}: {epochs:?}");
}

fn epoch(fence: &str) -> u64 {
    let digits = fence.split("epoch=").nth(1).unwrap_or_default();
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a fence has an epoch")
}
