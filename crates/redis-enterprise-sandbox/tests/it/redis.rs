//! The databases' own protocol.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{LIMIT, Rig};

#[tokio::test]
async fn keys_are_written_read_and_end() {
    let rig = Rig::standard().await;
    let replies =
        rig.redis("a", 7, &["PING", "SET k v", "GET k", "PTTL k", "DEL k", "GET k", "EXISTS k"]).await;
    assert_eq!(replies, ["+PONG", "+OK", "$1", "v", ":-1", ":1", "$-1", ":0"]);
    rig.redis("a", 7, &["SET k v PX 1000"]).await;
    rig.skip(1_100).await;
    assert_eq!(rig.redis("a", 7, &["GET k"]).await, ["$-1"]);
}

#[tokio::test]
async fn what_the_proxy_does_not_know_is_an_error() {
    let rig = Rig::standard().await;
    for command in [
        "ROLE",
        "CLIENT PAUSE 100",
        "CONFIG GET maxmemory",
        "REPLICAOF no one",
        "CLUSTER INFO",
        "LATENCY LATEST",
        "SELECT 1",
    ] {
        let reply = &rig.redis("a", 7, &[command]).await[0];
        assert!(reply.starts_with("-ERR"), "{command}: {reply}");
    }
    // A copy says that it is a master, too.
    let info = rig.redis("a", 2, &["INFO"]).await.join("\n");
    for line in ["role:master", "rlec_version:8.0.10-81", "# Server", "keyspace_hits:0"] {
        assert!(info.contains(line), "{line}: {info}");
    }
    assert!(!info.contains("master_link_status"));
    let one = rig.redis("a", 2, &["INFO replication"]).await.join("\n");
    assert!(one.contains("role:master") && !one.contains("# Server"), "{one}");
}

#[tokio::test]
async fn a_shard_in_trouble_fails_its_own_keys_while_ping_is_fine() {
    let rig = Rig::with(json!({"clusters": [{"name": "a", "plain": true, "databases": [
        {"uid": 1, "name": "d", "primaries": 2, "replication": false}]}]}))
    .await;
    rig.change("a/shard/1", json!("loading")).await;
    // The slot of foo is 12182, of the second half; that of bar is 5061.
    let replies = rig.redis("a", 1, &["PING", "SET foo 1", "SET bar 1"]).await;
    assert_eq!(replies[..2], ["+PONG", "+OK"]);
    assert!(replies[2].starts_with("-LOADING"), "{replies:?}");
    rig.control(reqwest::Method::PUT, "variants", json!({"ping": "shard"})).await;
    assert!(rig.redis("a", 1, &["PING"]).await[0].starts_with("-LOADING"));
}

#[tokio::test]
async fn passwords_are_asked_for() {
    let rig = Rig::with(json!({"clusters": [{"name": "a", "plain": true, "databases": [
        {"uid": 1, "name": "d", "password": "s3cret"}]}]}))
    .await;
    let replies = rig.redis("a", 1, &["GET k", "AUTH nope", "AUTH default s3cret", "GET k"]).await;
    assert!(replies[0].starts_with("-NOAUTH") && replies[1].starts_with("-WRONGPASS"), "{replies:?}");
    assert_eq!(replies[2..], ["+OK", "$-1"]);
    let hello = rig.redis("a", 1, &["HELLO 3 AUTH default s3cret", "GET k"]).await;
    assert_eq!((hello[0].as_str(), hello.last().unwrap().as_str()), ("%6", "_"));
}

#[tokio::test]
async fn an_endpoint_moves_with_its_node() {
    let rig = Rig::standard().await;
    let old = rig.address("a", 1);
    let mut open = TcpStream::connect(&old).await.unwrap();
    let node = old.split(':').next().unwrap().rsplit('.').next().unwrap().to_owned();
    rig.change(&format!("a/node/{node}"), json!("down")).await;
    let mut end = [0; 1];
    assert_eq!(timeout(LIMIT, open.read(&mut end)).await.unwrap().unwrap_or(0), 0, "the connection ends");
    assert!(TcpStream::connect(&old).await.is_err());
    rig.skip(5_100).await;
    let alive = if node == "1" { 3 } else { 1 };
    let leader = if node == "2" { alive } else { 2 };
    let endpoints = rig.get_of("a", leader, "/v1/bdbs/1?fields=endpoints").await.json();
    let endpoint = &endpoints["endpoints"][0];
    let address = format!("{}:{}", endpoint["addr"][0].as_str().unwrap(), endpoint["port"]);
    assert_ne!(address, old);
    let mut stream = connected(&address).await;
    stream.write_all(b"PING\r\n").await.unwrap();
    let mut reply = [0; 7];
    timeout(LIMIT, stream.read_exact(&mut reply)).await.unwrap().unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
}

async fn connected(address: &str) -> TcpStream {
    let look = async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    };
    timeout(LIMIT, look).await.unwrap()
}
