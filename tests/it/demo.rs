//! The demo shows a failover, and fails when a part that the failover needs is left out.

use std::path::PathBuf;
use std::time::Duration;

use super::support::agent::redrover;
use super::support::process::{Output, run};

/// Longest run: warm-up and failover each have their limit in the demo itself.
const DEMO_LIMIT: Duration = Duration::from_secs(180);

async fn demo(words: &[&str]) -> Output {
    let mut command = redrover();
    command.args(["demo", "--dns", "embedded"]).args(words);
    run("the demo", &mut command, DEMO_LIMIT).await
}

#[tokio::test]
async fn the_demo_shows_a_failover() {
    let output = demo(&[]).await;
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let wanted = [
        "anomaly score of dc-a",
        "anomaly score of dc-b",
        "a write through the name succeeds",
        "sessions: FAILOVER",
        "a write there is held",
    ];
    for said in wanted {
        assert!(output.stdout.contains(said), "{said}: {}", output.stdout);
    }
}

#[tokio::test]
async fn without_the_webhook_the_demo_fails() {
    assert_fails_for_want_of_a_failover(&demo(&["--without", "webhook"]).await);
}

#[tokio::test]
async fn without_a_promotion_the_demo_fails() {
    assert_fails_for_want_of_a_failover(&demo(&["--without", "promotion"]).await);
}

fn assert_fails_for_want_of_a_failover(output: &Output) {
    assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains("the failover did not happen"), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("RECOMMEND"), "it says what it would do instead: {}", output.stdout);
    let logs = output.stdout.lines().find_map(|line| line.strip_prefix("The logs stay in "));
    let logs = PathBuf::from(logs.expect("it says where its logs are"));
    assert!(logs.join("redrover.log").exists(), "they are still there: {}", logs.display());
    std::fs::remove_dir_all(logs).expect("nobody else needs them");
}
