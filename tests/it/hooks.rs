//! Programs of the operator's own, called by a real switch: before it, to promote, and after it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::process::wait_until;
use super::support::redis::RedisServer;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

/// A hook that writes down when it was called, and then does something.
fn hook(folder: &Path, then: &str) -> Value {
    let script =
        format!("echo $REDROVER_HOOK $REDROVER_TO $REDROVER_OUTCOME >> {}/calls; {then}", folder.display());
    json!(["/bin/sh", "-c", script])
}

fn calls(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("calls")).unwrap_or_default();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn a_program_promotes_between_those_before_and_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let (primary, standby) = pair().await;
    let promote = format!("redis-cli -p {} REPLICAOF NO ONE", standby.port());
    let changes = [
        ("/services/0/promote", json!({"kind": "exec", "command": hook(folder.path(), &promote)})),
        (
            "/services/0/hooks",
            json!({
                "before": [{"exec": hook(folder.path(), "true")}],
                "after": [{"exec": hook(folder.path(), "echo told; exit 1")}],
            }),
        ),
    ];
    let mut scene = Scene::ready_with(Holder::Embedded, primary, standby, &changes).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    let told = scene.wait_switch(SERVICE).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    assert_eq!(calls(folder.path()), ["before dc-b", "promote dc-b", "after dc-b switched"]);
    assert_eq!(scene.standby.info("role").await.expect("an answer").as_deref(), Some("master"));
    let then = told["then"].as_array().expect("entries");
    let steps: Vec<_> = then.iter().filter_map(|entry| entry["step"]["step"].as_str()).collect();
    let wanted = [
        "claimed",
        "prepared",
        "fenced",
        "promoting",
        "promoted",
        "proven",
        "switched",
        "verified",
        "following",
        "followed",
    ];
    assert_eq!(steps, wanted, "{told}");
    let explained = scene.order(&["explain", SERVICE, "--verdict", "failover"]).await;
    assert!(explained.contains("/bin/sh ended with exit status: 1: told"), "{explained}");
}

#[tokio::test]
async fn a_failing_hook_before_it_ends_the_switch() {
    let folder = tempfile::tempdir().expect("a folder");
    let (primary, standby) = pair().await;
    let before = hook(folder.path(), "echo not on a Friday >&2; exit 1");
    let changes = [("/services/0/hooks", json!({"before": [{"exec": before}]}))];
    let scene = Scene::ready_with(Holder::Embedded, primary, standby, &changes).await;
    scene.order(&["failover", SERVICE, "--to", "dc-b"]).await;
    let told = scene.wait_switch(SERVICE).await;
    let ended = told["then"].as_array().expect("entries").last().expect("an end");
    assert_eq!(ended["outcome"]["outcome"], "abandoned", "{told}");
    assert_eq!(ended["outcome"]["why"], "/bin/sh ended with exit status: 1: not on a Friday", "{told}");
    assert_eq!(calls(folder.path()), ["before dc-b"]);
    // Nothing was paused, and the claim is given back.
    let _: () = scene.primary.command(&["SET", "k", "v"]).await.expect("it takes writes");
    wait_until("the claim to be given back", ROUNDS_LIMIT, async || {
        scene.agent.metrics().await.value("redrover_fence_epoch", &[("redis_service", SERVICE)]) == Some(3.0)
    })
    .await;
    assert_eq!(scene.answer().await, [TARGETS[0]]);
}

async fn pair() -> (RedisServer, RedisServer) {
    let primary = RedisServer::primary().await;
    let standby = RedisServer::replica(&primary).await;
    (primary, standby)
}
