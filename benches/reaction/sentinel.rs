//! A primary, its replica, and three Sentinels.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::client;
use super::support::ports::free_port;
use super::support::process::{Process, START_LIMIT, installed, wait_until};
use super::support::redis::{RedisOptions, RedisServer};

const PRIMARY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 41);
const REPLICA: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 42);
/// How often the client asks.
const POLL: Duration = Duration::from_millis(1);

/// The group.
pub struct Sentinels {
    primary: RedisServer,
    replica: RedisServer,
    asked: SocketAddr,
    _sentinels: Vec<(Process, TempDir)>,
}

impl Sentinels {
    /// Starts all, and waits until each Sentinel knows the replica and the two others.
    pub async fn start(down_after: Duration) -> Self {
        let port = free_port();
        let primary = RedisServer::start(RedisOptions::default().address(PRIMARY).port(port)).await;
        let options = RedisOptions::default().address(REPLICA).port(port).replica_of(&primary);
        let replica = RedisServer::start(options).await;
        let mut sentinels = Vec::new();
        let mut addresses = Vec::new();
        for _ in 0..3 {
            let own = free_port();
            let folder = tempfile::tempdir().expect("a folder for the Sentinel");
            let text = format!(
                "port {own}\nbind 127.0.0.1\ndir {}\nsentinel monitor group {PRIMARY} {port} 2\n\
                 sentinel down-after-milliseconds group {}\n",
                folder.path().display(),
                down_after.as_millis(),
            );
            let file = folder.path().join("sentinel.conf");
            fs::write(&file, text).expect("it can be written");
            let mut command = Command::new(installed(&["redis-server"]));
            command.arg(&file).arg("--sentinel");
            sentinels.push((Process::start("sentinel", &mut command), folder));
            addresses.push(SocketAddr::from(([127, 0, 0, 1], own)));
        }
        let group = Self { primary, replica, asked: addresses[0], _sentinels: sentinels };
        for address in addresses {
            wait_until("a Sentinel to know all others", START_LIMIT, async || knows_all(address).await).await;
        }
        group
    }

    /// From the kill to the first write where a Sentinel sends its clients.
    pub async fn kill_and_write(&mut self) -> Duration {
        let new = SocketAddr::from((self.replica.address(), self.replica.port()));
        let killed = Instant::now();
        self.primary.kill();
        loop {
            let answer = client::command(self.asked, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "group"]).await;
            let is_new = answer.is_some_and(|answer| answer.contains(&REPLICA.to_string()));
            if is_new && client::can_write(new).await {
                return killed.elapsed();
            }
            sleep(POLL).await;
        }
    }
}

async fn knows_all(sentinel: SocketAddr) -> bool {
    let Some(told) = client::command(sentinel, &["SENTINEL", "MASTER", "group"]).await else { return false };
    let words: Vec<&str> = told.split("\r\n").collect();
    let field = |name: &str| {
        let place = words.iter().position(|word| *word == name)?;
        words.get(place + 2).copied()
    };
    field("num-slaves") == Some("1") && field("num-other-sentinels") == Some("2")
}
