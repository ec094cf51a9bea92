//! Somebody else's change, or a missing fence: nothing moves until a person has looked.

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS, labels};

/// Where the fence lives.
const FENCE: &str = "_redrover.sessions.example.test";
/// While nothing is suspected, the record is read this often.
const READ: (&str, &str) = ("/services/0/record/read_interval", "1s");

async fn ready() -> Scene {
    Scene::ready(Holder::Route53, &[(READ.0, json!(READ.1))]).await
}

/// Kills the primary with an alert, and sees that nothing comes of it in many more rounds than a switch needs.
async fn assert_death_moves_nothing(scene: &mut Scene, changes: usize) {
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    let failed = [("redis_service", SERVICE), ("datacenter", "dc-a"), ("state", "failed")];
    scene.agent.wait_metric("redrover_health", &failed, 1.0, ROUNDS_LIMIT).await;
    scene.wait_rounds(12).await;
    assert_eq!(scene.decisions(Some("failover")).await, 0.0);
    assert_eq!(scene.decisions(Some("recommend")).await, 0.0);
    assert_eq!(scene.sandbox().history().await.applied("api"), changes);
    assert_eq!(scene.standby.info("role").await.expect("an answer").as_deref(), Some("slave"));
}

#[tokio::test]
async fn a_foreign_record_halts_until_it_is_acknowledged() {
    let mut scene = ready().await;
    scene.sandbox().set_foreign(NAME, "CNAME", "elsewhere.example.net").await;
    let decision = scene.wait_decision("halt", "foreign_record").await;
    assert_eq!(decision["level"], "page", "{decision}");
    scene.wait_number("redrover_dns_drift", 1.0).await;
    // The halt is written down once two rounds have read the same; from then on it stays although the record is right.
    scene.wait_veto("halted").await;
    scene.sandbox().set_foreign(NAME, "CNAME", TARGETS[0]).await;
    scene.wait_number("redrover_dns_drift", 0.0).await;
    scene.wait_decision("halt", "halted").await;
    scene.wait_answer(NAME, TARGETS[0]).await;
    assert_death_moves_nothing(&mut scene, 1).await;
    scene.wait_number("redrover_halted", 1.0).await;

    // A person has looked: what the halt held up goes on, once.
    scene.order(&["ack", SERVICE]).await;
    let told = scene.wait_switch(SERVICE).await;
    assert_eq!(told["decision"]["target"], "dc-b");
    scene.wait_answer(NAME, TARGETS[1]).await;
    assert_eq!(scene.sandbox().history().await.applied("api"), 3);
}

#[tokio::test]
async fn a_foreign_record_can_be_adopted() {
    let scene = ready().await;
    scene.sandbox().set_foreign(NAME, "CNAME", TARGETS[1]).await;
    scene.wait_decision("halt", "foreign_record").await;
    scene.wait_veto("halted").await;
    // The word of a person who sees nothing else wrong does not help while the record is still another.
    scene.order(&["ack", SERVICE]).await;
    scene.wait_rounds(6).await;
    scene.wait_number("redrover_halted", 1.0).await;

    // Nor does the word of one who has not looked at the Redis: the record now points to the replica.
    let refused = scene.setup.redrover(&["adopt", SERVICE, "--yes"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    for word in ["dc-b says that it is a replica", "dc-a that it is the primary", "--force"] {
        assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    scene.wait_number("redrover_fence_epoch", 1.0).await;

    let said = scene.order(&["adopt", SERVICE, "--yes", "--force"]).await;
    assert!(said.contains("dc-b is active"), "{said}");
    scene.wait_number("redrover_halted", 0.0).await;
    scene.wait_number("redrover_fence_epoch", 2.0).await;
    let active = [("redis_service", SERVICE), ("datacenter", "dc-b")];
    scene.agent.wait_metric("redrover_active_datacenter", &active, 1.0, ROUNDS_LIMIT).await;
    scene.wait_rounds(12).await;
    assert_eq!(scene.decisions(Some("failover")).await, 0.0);
    let history = scene.sandbox().history().await;
    assert_eq!((history.applied("api"), history.applied("foreign")), (2, 1), "{history:?}");
    assert_eq!(scene.answer().await, [TARGETS[1]]);
}

#[tokio::test]
async fn a_service_that_nobody_has_adopted_is_left_alone() {
    let mut scene = Scene::start(Holder::Route53, &[]).await;
    let decision = scene.wait_decision("halt", "not_adopted").await;
    assert_eq!(decision["level"], "warn", "{decision}");
    scene.wait_rounds(26).await;
    assert_death_moves_nothing(&mut scene, 0).await;
    scene.wait_number("redrover_halted", 0.0).await;
    let told = scene.setup.explain(SERVICE, None).await.expect("a decision");
    assert!(labels(&told["decision"]["reasons"]).contains("not_adopted"), "{told}");
    assert_eq!(scene.answer().await, [TARGETS[0]]);
}

#[tokio::test]
async fn a_fence_that_vanished_halts_until_it_is_adopted_anew() {
    let mut scene = ready().await;
    scene.sandbox().delete_foreign(FENCE, "TXT").await;
    let decision = scene.wait_decision("halt", "foreign_fence").await;
    assert_eq!(decision["level"], "page", "{decision}");
    scene.wait_veto("halted").await;
    assert_death_moves_nothing(&mut scene, 1).await;
    scene.wait_number("redrover_halted", 1.0).await;
    scene.primary.restart().await;
    scene.standby.wait_link_up().await;

    scene.order(&["adopt", SERVICE, "--yes"]).await;
    scene.wait_number("redrover_halted", 0.0).await;
    scene.wait_number("redrover_fence_epoch", 1.0).await;
    let history = scene.sandbox().history().await;
    let value: Value = json!(history.values(FENCE));
    assert_eq!(value.as_array().map(Vec::len), Some(2), "two adoptions: {history:?}");
}
