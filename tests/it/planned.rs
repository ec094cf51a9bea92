//! A planned switch of plain replication, and the way back, under load: every acknowledged write is at the new primary.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::support::agent::SERVICE;
use super::support::dns::{self, RecordType};
use super::support::process::{wait_for, wait_until};
use super::support::redis::{RedisOptions, RedisServer};
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};
use super::support::slow_line::SlowLine;

/// Clients that write at the same time.
const CLIENTS: usize = 4;
/// A client gives up a write after so long, asks for the name again, and goes on with the next one.
const PATIENCE: Duration = Duration::from_millis(300);
/// Writes travel to the replica for so long.
const DELAY: Duration = Duration::from_millis(300);
/// Keys that are asked for at once.
const CHUNK: usize = 500;

/// Clients that find the primary by the name, and remember every write that was acknowledged.
struct Load {
    acknowledged: Arc<Mutex<Vec<String>>>,
    count: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Load {
    /// Clients of a service; `servers` are the ports behind the values of its record.
    fn start(name_server: SocketAddr, servers: &BTreeMap<String, u16>) -> Self {
        let mut load = Self {
            acknowledged: Arc::default(),
            count: Arc::default(),
            is_over: Arc::default(),
            clients: JoinSet::new(),
        };
        for client in 0..CLIENTS {
            let (acknowledged, count, is_over) =
                (Arc::clone(&load.acknowledged), Arc::clone(&load.count), Arc::clone(&load.is_over));
            let servers = servers.clone();
            load.clients.spawn(async move {
                let mut number = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let Some(mut connection) = connect(name_server, &servers).await else { continue };
                    while !is_over.load(Ordering::Relaxed) {
                        let key = format!("write:{client}:{number}");
                        number += 1;
                        let value = "x".repeat(200);
                        let mut set = redis::cmd("SET");
                        if set.arg(&key).arg(value).query_async::<()>(&mut connection).await.is_err() {
                            break;
                        }
                        acknowledged.lock().expect("nobody panics").push(key);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        load
    }

    /// Waits until so many more writes were acknowledged.
    async fn wait_more(&self, more: u64) {
        let until = self.count.load(Ordering::Relaxed) + more;
        let what = format!("{more} more acknowledged writes");
        wait_until(&what, ROUNDS_LIMIT, async || self.count.load(Ordering::Relaxed) >= until).await;
    }

    /// Ends the load; every write that was acknowledged.
    async fn end(mut self) -> Vec<String> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("a client does not panic");
        }
        std::mem::take(&mut *self.acknowledged.lock().expect("nobody panics"))
    }
}

async fn connect(
    name_server: SocketAddr,
    servers: &BTreeMap<String, u16>,
) -> Option<redis::aio::MultiplexedConnection> {
    let answer = dns::query(name_server, NAME, RecordType::CNAME).await.ok()?;
    let port = *servers.get(*answer.values().first()?)?;
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).ok()?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    client.get_multiplexed_async_connection_with_config(&config).await.ok()
}

/// How many of these keys a server lacks.
async fn missing(server: &RedisServer, keys: &[String]) -> usize {
    let mut missing = 0;
    for chunk in keys.chunks(CHUNK) {
        let words: Vec<&str> = std::iter::once("EXISTS").chain(chunk.iter().map(String::as_str)).collect();
        let found: usize = server.command(&words).await.expect("a server that answers");
        missing += chunk.len() - found;
    }
    missing
}

/// A primary, and a replica that hears from it over a slow line.
async fn pair() -> (RedisServer, SlowLine, RedisServer) {
    let primary = RedisServer::primary().await;
    let address = SocketAddr::from((primary.address(), primary.port()));
    let line = SlowLine::start(address, DELAY).await;
    let follow = format!("replicaof 127.0.0.1 {}", line.port());
    let standby = RedisServer::start(RedisOptions::default().line(&follow)).await;
    standby.wait_link_up().await;
    (primary, line, standby)
}

fn ports(scene: &Scene) -> BTreeMap<String, u16> {
    let [a, b] = TARGETS;
    BTreeMap::from([(a.to_owned(), scene.primary.port()), (b.to_owned(), scene.standby.port())])
}

/// The step of a switch by this name, with how long it took.
fn step(told: &Value, name: &str) -> Value {
    let then = told["then"].as_array().expect("entries");
    then.iter()
        .find(|entry| entry["step"]["step"] == name)
        .unwrap_or_else(|| panic!("{name}: {told}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_switch_and_the_way_back_lose_no_acknowledged_write() {
    let (primary, _line, standby) = pair().await;
    let scene = Scene::ready_with(Holder::Embedded, primary, standby, &[]).await;
    let load = Load::start(scene.name_server(), &ports(&scene));
    load.wait_more(1000).await;
    scene.order(&["failover", SERVICE, "--to", "dc-b"]).await;
    scene.wait_answer(NAME, TARGETS[1]).await;
    let told = scene.wait_switch(SERVICE).await;
    assert_eq!(told["decision"]["reasons"][0]["reason"], "requested", "{told}");
    let caught_up = step(&told, "caught_up");
    assert_eq!(caught_up["step"]["missing_bytes"], 0, "{told}");
    // Without the waiting these would have been lost.
    assert!(caught_up["took_ms"].as_u64().is_some_and(|ms| ms >= 100), "{told}");
    load.wait_more(200).await;
    let written = load.end().await;
    assert_eq!(missing(&scene.standby, &written).await, 0, "of {} writes", written.len());

    // The old primary is held, so only one takes writes; a person demotes it.
    scene.wait_number("redrover_writable_primaries", 1.0).await;
    scene.order(&["failback", SERVICE]).await;
    scene.wait_decision("hold", "not_stable").await;
    let port = scene.standby.port().to_string();
    let _: () = scene.primary.command(&["REPLICAOF", "127.0.0.1", &port]).await.expect("a demotion");
    scene.primary.wait_link_up().await;

    let load = Load::start(scene.name_server(), &ports(&scene));
    load.wait_more(1000).await;
    let said = scene.order(&["failback", SERVICE, "--early"]).await;
    assert!(said.contains("asked to move back to dc-a when it is in step"), "{said}");
    scene.wait_answer(NAME, TARGETS[0]).await;
    load.wait_more(200).await;
    let back = load.end().await;
    assert_eq!(missing(&scene.primary, &back).await, 0, "of {} writes", back.len());
    scene.wait_number("redrover_fence_epoch", 5.0).await;
    println!("{} and {} acknowledged writes, none lost", written.len(), back.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_switch_is_given_up_when_the_last_writes_do_not_arrive() {
    let (primary, line, standby) = pair().await;
    // However far behind, so that the switch itself must notice.
    let policy =
        [("/services/0/policy/rpo_soft", json!("10m")), ("/services/0/policy/rpo_hard", json!("20m"))];
    let scene = Scene::ready_with(Holder::Embedded, primary, standby, &policy).await;
    let load = Load::start(scene.name_server(), &ports(&scene));
    load.wait_more(100).await;
    line.stall();
    load.wait_more(100).await;
    scene.order(&["failover", SERVICE, "--to", "dc-b"]).await;
    let ended = wait_for("the switch to be given up", ROUNDS_LIMIT, async || {
        let told = scene.setup.explain(SERVICE, Some("failover")).await?;
        told["then"].as_array()?.iter().find(|entry| entry["kind"] == "ended").cloned()
    })
    .await;
    assert_eq!(ended["outcome"]["outcome"], "abandoned", "{ended}");
    let why = ended["outcome"]["why"].as_str().expect("a reason");
    assert!(why.contains("of the writes of dc-a") || why.contains("which writes of dc-a"), "{why}");
    // The pause is over at once, and not when it would run out.
    load.wait_more(200).await;
    assert_eq!(scene.answer().await, [TARGETS[0]]);
    assert_eq!(scene.standby.info("role").await.expect("an answer").as_deref(), Some("slave"));
    let written = load.end().await;
    assert_eq!(missing(&scene.primary, &written).await, 0, "of {} writes", written.len());
}
