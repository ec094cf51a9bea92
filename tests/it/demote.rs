//! `redrover demote`, with real Redis: what it refuses, what it does, and what the agent makes of it.

use serde_json::{Value, json};

use super::support::agent::{SERVICE, site};
use super::support::process::wait_until;
use super::support::redis::{RedisOptions, RedisServer};
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

async fn demote(scene: &Scene, datacenter: &str, more: &[&str]) -> super::support::process::Output {
    let words = [&["demote", SERVICE, "--datacenter", datacenter], more].concat();
    scene.setup.redrover(&words).await
}

async fn assert_refused(scene: &Scene, datacenter: &str, more: &[&str], why: &str) {
    assert_refused_as(scene, datacenter, more, (1, why)).await;
}

async fn assert_refused_as(scene: &Scene, datacenter: &str, more: &[&str], (code, why): (i32, &str)) {
    let output = demote(scene, datacenter, more).await;
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains(why), "{}", output.stderr);
}

async fn role(redis: &RedisServer) -> Option<String> {
    redis.info("role").await.expect("it answers")
}

/// The demotions in the journal.
async fn demotions(scene: &Scene) -> Vec<Value> {
    let output = scene.order(&["history", SERVICE, "--kind", "ordered", "--output", "json"]).await;
    let entries = output.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    entries
        .map(|entry| entry["entry"]["action"].clone())
        .filter(|action| action["action"] == "demote")
        .collect()
}

#[tokio::test]
async fn the_old_primary_of_a_planned_switch_becomes_a_replica_and_its_pause_ends() {
    let scene = Scene::ready(Holder::Route53, &[]).await;
    assert_refused(&scene, "dc-a", &["--yes"], "points to dc-a").await;
    scene.order(&["failover", SERVICE, "--to", "dc-b"]).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    scene.wait_switch(SERVICE).await;
    scene.wait_number("redrover_writable_primaries", 1.0).await;

    assert_refused(&scene, "dc-b", &["--yes"], "points to dc-b").await;
    // Nobody says yes.
    assert_refused(&scene, "dc-a", &[], "not demoted").await;
    assert_eq!(demotions(&scene).await, Vec::<Value>::new());
    assert_eq!(role(&scene.primary).await.as_deref(), Some("master"));

    // A new primary that takes no writes is nobody's.
    let _: () = scene.standby.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await.expect("set");
    assert_refused(&scene, "dc-a", &["--yes"], "it took no write (noreplicas)").await;
    let _: () = scene.standby.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await.expect("set");

    let done = demote(&scene, "dc-a", &["--yes"]).await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("the primary has every write of it"), "{}", done.stdout);
    assert!(done.stdout.contains("its link is up"), "{}", done.stdout);
    let primary = format!("127.0.0.1:{}", scene.standby.port());
    assert_eq!(demotions(&scene).await, [json!({"action": "demote", "site": "dc-a", "primary": primary})]);
    assert_eq!(role(&scene.primary).await.as_deref(), Some("slave"));
    // Nothing holds it any more: what its primary takes arrives.
    let _: () = scene.standby.command(&["SET", "after", "1"]).await.expect("a primary takes writes");
    wait_until("a write to arrive", ROUNDS_LIMIT, async || {
        scene
            .primary
            .command::<Option<String>>(&["GET", "after"])
            .await
            .is_ok_and(|v| v.as_deref() == Some("1"))
    })
    .await;
    scene.wait_rounds(4).await;
    scene.wait_number("redrover_writable_primaries", 1.0).await;
    let again = demote(&scene, "dc-a", &["--yes"]).await;
    assert!(
        again.code == 0 && again.stdout.contains("a replica already"),
        "{}{}",
        again.stdout,
        again.stderr
    );

    // Whoever follows somebody else is not done with, and has writes that the primary lacks.
    let stranger = RedisServer::primary().await;
    let _: () = stranger.command(&["SET", "strange", "1"]).await.expect("a primary takes writes");
    let port = stranger.port().to_string();
    let _: () = scene.primary.command(&["REPLICAOF", "127.0.0.1", &port]).await.expect("it obeys");
    scene.primary.wait_link_up().await;
    assert_refused(&scene, "dc-a", &["--yes"], "nobody can tell which of its writes the primary lacks").await;
    let done = demote(&scene, "dc-a", &["--yes", "--discard-writes"]).await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    let port = scene.standby.port().to_string();
    assert_eq!(scene.primary.info("master_port").await.expect("it answers"), Some(port));
}

#[tokio::test]
async fn what_only_the_old_primary_has_is_discarded_on_a_persons_word_only() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_switch(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    assert_refused(&scene, "dc-a", &["--yes"], "does not answer (refused)").await;
    scene.primary.restart().await;
    assert_refused(&scene, "dc-a", &["--yes"], "nobody can tell which of its writes the primary lacks").await;
    assert_eq!(role(&scene.primary).await.as_deref(), Some("master"));
    let done = demote(&scene, "dc-a", &["--yes", "--discard-writes"]).await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    assert_eq!(role(&scene.primary).await.as_deref(), Some("slave"));

    // A primary that is gone takes nobody's place.
    scene.standby.kill();
    assert_refused(&scene, "dc-a", &["--yes", "--discard-writes"], "serves nobody").await;
}

/// Two primaries at one site, and their replicas at the other, which the configuration names the other way round. A person
/// has moved the service: without a cluster that tells the lag, sites of several Redis are never moved by the agent.
#[tokio::test]
async fn each_old_primary_of_a_site_follows_the_one_that_took_over_from_it() {
    // So that one can be made to forget where it came from.
    let options = || RedisOptions::default().line("enable-debug-command yes");
    let (first, second) = (RedisServer::start(options()).await, RedisServer::start(options()).await);
    let (copy_of_first, copy_of_second) =
        (RedisServer::replica(&first).await, RedisServer::replica(&second).await);
    let sites = json!([
        site("dc-a", TARGETS[0], &[&first, &second]),
        site("dc-b", TARGETS[1], &[&copy_of_second, &copy_of_first]),
    ]);
    let wanted = [copy_of_first.port().to_string(), copy_of_second.port().to_string()];
    let scene =
        Scene::start_with(Holder::Route53, first, copy_of_first, &[("/services/0/sites", sites)]).await;
    scene.adopt(SERVICE).await;
    for copy in [&scene.standby, &copy_of_second] {
        let _: () = copy.command(&["REPLICAOF", "NO", "ONE"]).await.expect("it is promoted");
    }
    scene.sandbox().set_foreign(NAME, "CNAME", TARGETS[1].trim_end_matches('.')).await;
    scene.adopt(SERVICE).await;

    let with_address = ["--yes", "--primary", "127.0.0.1:1"];
    assert_refused_as(&scene, "dc-a", &with_address, (2, "the site has several")).await;
    let done = demote(&scene, "dc-a", &["--yes", "--discard-writes"]).await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("dc-a is a replica of dc-b, and its link is up"), "{}", done.stdout);
    assert_eq!(demotions(&scene).await.len(), 2);
    for (old, wanted) in [&scene.primary, &second].into_iter().zip(&wanted) {
        assert_eq!(role(old).await.as_deref(), Some("slave"));
        assert_eq!(old.info("master_port").await.expect("it answers").as_ref(), Some(wanted));
    }

    let _: () = second.command(&["REPLICAOF", "NO", "ONE"]).await.expect("it is a primary");
    let _: () = second.command(&["DEBUG", "CHANGE-REPL-ID"]).await.expect("it forgets");
    assert_refused(&scene, "dc-a", &["--yes", "--discard-writes"], "do not tell which follows which").await;
    assert_eq!(role(&second).await.as_deref(), Some("master"));
}
