//! The program: its one line, its files, its end.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::LIMIT;

#[tokio::test]
async fn the_program_says_where_everything_is_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_redis-enterprise-sandbox"))
        .args(["--certificates", folder.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    timeout(LIMIT, stdout.read_line(&mut line)).await.unwrap().unwrap();
    let hello: Value = serde_json::from_str(&line).unwrap();
    let pem = std::fs::read_to_string(hello["clusters"]["a"]["ca_file"].as_str().unwrap()).unwrap();
    assert_eq!(hello["clusters"]["a"]["certificate"].as_str().unwrap(), pem);
    assert!(hello["clusters"]["b"]["url"].as_str().unwrap().starts_with("https://127.30.2.2:"));
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert!(timeout(LIMIT, child.wait()).await.unwrap().unwrap().success());

    let plan = folder.path().join("plan.json");
    std::fs::write(&plan, r#"{"clusters": []}"#).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_redis-enterprise-sandbox"))
        .arg("--plan")
        .arg(&plan)
        .output()
        .await
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}
