//! A damaged journal at the start of the agent: it watches on, knows nothing of its fences, and moves nothing.

use std::fs;

use super::support::agent::SERVICE;
use super::support::process::START_LIMIT;
use super::support::scene::{Holder, NAME, Scene, TARGETS};

#[tokio::test]
async fn a_damaged_journal_is_moved_aside_and_the_agent_observes() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    scene.agent.process().signal("TERM");
    assert_eq!(scene.agent.process().wait_exit(START_LIMIT).await.code(), Some(0));
    let path = scene.setup.data_dir().join("journal.db");
    let mut bytes = fs::read(&path).expect("the journal");
    bytes.iter_mut().skip(100).for_each(|byte| *byte ^= 0xa5);
    fs::write(&path, &bytes).expect("the journal can be written");

    // A reader says so and leaves it where it is.
    let told = scene.setup.redrover(&["explain", SERVICE]).await;
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stderr.contains("the journal"), "{}", told.stderr);
    assert_eq!(fs::read(&path).expect("it is still there"), bytes);

    scene.agent = scene.setup.start().await;
    scene.wait_veto("unfamiliar_fence").await;
    let folder = fs::read_dir(scene.setup.data_dir()).expect("the folder");
    let names = folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let aside: Vec<_> = names.filter(|name| name.starts_with("journal.db.damaged-")).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(fs::read(scene.setup.data_dir().join(&aside[0])).expect("it was kept"), bytes);
    let log = scene.agent.process().stderr();
    let line = log.lines().find(|line| line.contains("ERROR") && line.contains(&aside[0]));
    assert!(line.is_some_and(|line| line.contains("journal.db ")), "both are named: {log}");

    scene.wait_rounds(26).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_rounds(12).await;
    scene.assert_unmoved(1).await;

    // A person accepts the fence as it stands, and what that held up goes on.
    scene.order(&["ack", SERVICE]).await;
    scene.wait_switch(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
}

#[tokio::test]
async fn the_history_of_a_switch_is_told_and_any_change_of_it_shows() {
    let mut scene = Scene::ready(Holder::Embedded, &[]).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_switch(SERVICE).await;

    let told =
        scene.order(&["history", SERVICE, "--kind", "ended", "--kind", "stepped", "--since", "1h"]).await;
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines.iter().all(|line| line.contains(&format!("  {SERVICE}  "))), "{told}");
    assert!(
        lines
            .last()
            .is_some_and(|line| line.contains("  ended ") && line.ends_with("the name points to the target")),
        "{told}"
    );
    assert!(told.contains("stepped"), "{told}");

    let json = scene.order(&["history", "--output", "json"]).await;
    let entries: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).expect("one entry in each line")).collect();
    let kinds: Vec<&str> = entries.iter().filter_map(|entry| entry["entry"]["kind"].as_str()).collect();
    let at = |kind| kinds.iter().position(|one| *one == kind);
    assert!(at("adopted") < at("ticketed") && at("ticketed") < at("ended"), "{kinds:?}");
    assert!(entries.windows(2).all(|pair| pair[0]["seq"].as_u64() < pair[1]["seq"].as_u64()));

    let told = scene.order(&["history", "--verify"]).await;
    let seal = told.lines().find_map(|line| line.trim().strip_prefix("newest seal of kept")).expect("a seal");
    let log = scene.agent.process().stderr();
    assert!(log.contains("the journal's newest seal"), "{log}");
    assert_eq!(seal.trim().len(), 64, "{told}");

    let file = rusqlite::Connection::open(scene.setup.data_dir().join("journal.db")).expect("the journal");
    let sql = "UPDATE entries SET body = replace(body, 'dc-b', 'dc-a') WHERE kind = 'ticketed'";
    assert_eq!(file.execute(sql, []).expect("it can be changed"), 1);
    let told = scene.setup.redrover(&["history", "--verify"]).await;
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stderr.contains("the journal is not as it was written"), "{}", told.stderr);
}
