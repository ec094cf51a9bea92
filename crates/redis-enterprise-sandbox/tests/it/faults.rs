//! What can be wrong with the way to a cluster.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Rig, VIEWER};

const PATH: &str = "/v1/bdbs/7?fields=uid,crdt";
/// Long enough for an answer that comes, and short for one that does not.
const A_WHILE: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_rest_api_fails_in_many_ways_while_its_databases_go_on() {
    let rig = Rig::standard().await;
    let ask = async || timeout(A_WHILE, rig.ask("a", 2, Method::GET, PATH, Some(VIEWER), None)).await;
    assert_eq!(ask().await.unwrap().unwrap().json(), json!({"uid": 7, "crdt": false}));
    for fault in ["refused", "reset", "truncated"] {
        rig.change("a", json!({"rest": fault})).await;
        assert!(ask().await.unwrap().is_err(), "{fault}");
    }
    for fault in [json!("silent"), json!("endless"), json!({"slow": 60_000})] {
        rig.change("a", json!({"rest": fault})).await;
        assert!(ask().await.is_err(), "{fault}");
    }
    for status in [429, 502] {
        rig.change("a", json!({"rest": {"status": status}})).await;
        let got = ask().await.unwrap().unwrap();
        assert_eq!((got.status, got.text.starts_with('{')), (status, false));
    }
    rig.change("a", json!({"rest": "garbage"})).await;
    assert!(ask().await.unwrap().unwrap().text.starts_with('<'));
    assert_eq!(rig.redis("a", 7, &["PING"]).await, ["+PONG"]);
    rig.change("a", json!({"rest": "none"})).await;
    assert_eq!(ask().await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn another_certificate_is_not_believed() {
    let rig = Rig::standard().await;
    let ask = async |node| rig.ask("a", node, Method::GET, PATH, Some(VIEWER), None).await;
    assert_eq!(ask(2).await.unwrap().status, 200);
    rig.change("a", json!("rotate_certificate")).await;
    // The connection that is open goes on; a new one meets the new certificate.
    assert!(ask(1).await.is_err());
    let strangers = crate::support::client(&[rig.running.hello()["clusters"]["b"]["certificate"]
        .as_str()
        .unwrap()
        .to_owned()]);
    assert!(strangers.get(format!("{}{PATH}", rig.node("a", 3))).send().await.is_err());
}

#[tokio::test]
async fn clients_of_a_database_suffer_in_many_ways() {
    let rig = Rig::standard().await;
    let address = rig.address("a", 7);
    rig.change("a/bdb/7", json!({"wire": "refused"})).await;
    assert!(TcpStream::connect(&address).await.is_err());
    for (fault, ends) in [("silent", false), ("reset", true)] {
        rig.change("a/bdb/7", json!({"wire": fault})).await;
        let mut stream = connect(&address).await;
        let _ = stream.write_all(b"PING\r\n").await;
        let read = timeout(A_WHILE, stream.read(&mut [0; 1])).await;
        assert_eq!(read.is_ok_and(|read| read.unwrap_or(0) == 0), ends, "{fault}");
    }
    rig.change("a/bdb/7", json!({"wire": "none"})).await;
    assert_eq!(rig.redis("a", 7, &["PING"]).await, ["+PONG"]);
    rig.change("a", json!("isolate")).await;
    let mut stream = connect(&address).await;
    stream.write_all(b"PING\r\n").await.unwrap();
    assert!(timeout(A_WHILE, stream.read(&mut [0; 1])).await.is_err());
}

/// Connects as soon as somebody listens.
async fn connect(address: &str) -> TcpStream {
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_was_asked_is_remembered_without_credentials() {
    let rig = Rig::standard().await;
    rig.get("a", PATH).await;
    let told = rig.control(Method::GET, "requests", json!(null)).await;
    let request = &told.json()["requests"][0];
    assert_eq!((&request["path"], &request["status"]), (&json!(PATH), &json!(200)));
    assert_eq!((&request["user"], &request["node"]), (&json!(VIEWER.0), &json!(2)));
    assert!(!told.text.contains(VIEWER.1));
    rig.control(Method::DELETE, "requests", json!(null)).await;
    assert_eq!(rig.control(Method::GET, "requests", json!(null)).await.json()["requests"], json!([]));
}

#[tokio::test]
async fn the_truth_is_told_to_tests() {
    let rig = Rig::standard().await;
    rig.change("a/shard/1", json!("down")).await;
    let truth = rig.control(Method::GET, "truth", json!(null)).await.json();
    let of = |cluster: &str, uid: u32| {
        let all = truth["databases"].as_array().unwrap();
        all.iter().find(|d| d["cluster"] == cluster && d["uid"] == uid).unwrap().clone()
    };
    assert_eq!((&of("a", 1)["writes_succeed"], &of("b", 4)["writes_succeed"]), (&json!(false), &json!(true)));
    assert_eq!(of("a", 2)["writes_survive"], false, "a copy loses them");
    for (target, change) in [
        ("a/moon/1", json!("down")),
        ("c", json!("isolate")),
        ("a/node/9", json!("down")),
        ("a/node/1", json!("explode")),
    ] {
        let got = rig.control(Method::POST, "changes", json!({"target": target, "change": change})).await;
        assert_eq!(got.status, 400, "{target}");
    }
}
