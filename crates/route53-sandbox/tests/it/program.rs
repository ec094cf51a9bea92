//! The program: its one line, its state file, its end.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::process::Stdio;

use aws_sdk_route53::types::ChangeAction::Create;
use hickory_proto::rr::RecordType;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{LIMIT, answers, change, client, sets, udp};

#[tokio::test]
async fn the_program_says_where_it_listens_keeps_its_records_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let arguments = [
        "--zone",
        "example.test",
        "--zone-id",
        "Z0TEST",
        "--sync-delay",
        "0ms",
        "--state",
        state.to_str().unwrap(),
    ];
    let record = ["--record", "db.example.test CNAME 5 paris.example.net"];

    let (mut first, ready) = start(&[&arguments[..], &record[..]].concat()).await;
    assert_eq!(ready["zone_id"], "Z0TEST");
    let sdk = client(ready["api"].as_str().unwrap(), LIMIT);
    change(&sdk, "Z0TEST", &[(Create, "a.example.test A 5 192.0.2.1")]).await.unwrap();
    let dns = ready["dns"].as_str().unwrap().parse().unwrap();
    assert_eq!(answers(&udp(dns, "a.example.test", RecordType::A).await), ["a.example.test. A 5 192.0.2.1"]);
    terminate(&mut first).await;

    let (mut second, ready) = start(&arguments).await;
    let sdk = client(ready["api"].as_str().unwrap(), LIMIT);
    let kept = ["a.example.test. A 5 192.0.2.1", "db.example.test. CNAME 5 paris.example.net"];
    assert_eq!(sets(&sdk, "Z0TEST").await, kept);
    terminate(&mut second).await;
}

#[tokio::test]
async fn the_program_refuses_what_it_cannot_serve() {
    for arguments in [
        &["--zone", "example.test"][..],
        &["--zone", "example.test", "--zone-id", "Z0", "--record", "db CNAME 5"],
        &["--zone", "example.test", "--zone-id", "Z0", "--record", "db.example.org A 5 192.0.2.1"],
        &["--zone", "example.test", "--zone-id", "Z0", "--sync-delay", "soon"],
        &["--zone", "example.test", "--zone-id", "Z0", "--throttle-burst", "1"],
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_route53-sandbox")).args(arguments).output().await.unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
    }
}

async fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_route53-sandbox"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    timeout(LIMIT, stdout.read_line(&mut line)).await.unwrap().unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

async fn terminate(child: &mut Child) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let status = timeout(LIMIT, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}
