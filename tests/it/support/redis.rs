//! A real Redis.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, RedisResult};
use tempfile::TempDir;

use super::ports::free_port;
use super::process::{Process, START_LIMIT, installed, wait_until};

/// Deadline of connecting, and of an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// How to start a Redis.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    address: Ipv4Addr,
    port: Option<u16>,
    replica_of: Option<(Ipv4Addr, u16)>,
    lines: String,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST, port: None, replica_of: None, lines: String::new() }
    }
}

impl RedisOptions {
    /// Listens on, and connects from, another loopback address.
    #[must_use]
    pub fn address(mut self, address: Ipv4Addr) -> Self {
        self.address = address;
        self
    }

    /// Listens on a port that another server has on another address, as sites behind one name do.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Starts as a replica.
    #[must_use]
    pub fn replica_of(mut self, primary: &RedisServer) -> Self {
        self.replica_of = Some((primary.address, primary.port));
        self
    }

    /// Adds a line to redis.conf, such as `user monitor on >secret +@all`.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        writeln!(self.lines, "{line}").expect("a string takes everything");
        self
    }
}

/// A running Redis; `default` without a password unless the options say otherwise.
pub struct RedisServer {
    address: Ipv4Addr,
    port: u16,
    folder: TempDir,
    process: Process,
}

impl RedisServer {
    /// Starts a Redis and waits until it answers; a replica also until its link is up.
    pub async fn start(options: RedisOptions) -> Self {
        let RedisOptions { address, port, replica_of, lines } = options;
        let port = port.unwrap_or_else(free_port);
        let folder = tempfile::tempdir().expect("a folder for the Redis");
        // Protected mode takes 127.0.0.1 alone for this machine and refuses 127.0.0.12; the bound address is loopback.
        let mut text = format!(
            "protected-mode no\nbind {address}\nbind-source-addr {address}\nport {port}\ndir {}\nsave \"\"\n\
             repl-diskless-sync-delay 0\nrepl-timeout 5\n{lines}",
            folder.path().display()
        );
        if let Some((address, port)) = replica_of {
            writeln!(text, "replicaof {address} {port}").expect("a string takes everything");
        }
        fs::write(folder.path().join("redis.conf"), text).expect("redis.conf can be written");
        let process = Self::spawn(&folder, address, port);
        let mut server = Self { address, port, folder, process };
        server.wait_ready().await;
        if replica_of.is_some() {
            server.wait_link_up().await;
        }
        server
    }

    /// A primary on 127.0.0.1.
    pub async fn primary() -> Self {
        Self::start(RedisOptions::default()).await
    }

    /// A replica on 127.0.0.1, in step with its primary.
    pub async fn replica(primary: &Self) -> Self {
        Self::start(RedisOptions::default().replica_of(primary)).await
    }

    /// The address that it listens on.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://address:port`, as a target in a configuration.
    pub fn target(&self) -> String {
        format!("redis://{}:{}", self.address, self.port)
    }

    /// Kills it: connections are reset and refused.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Lets a frozen Redis go on.
    pub fn cont(&self) {
        self.process.cont();
    }

    /// Kills it if it runs, and starts it again on its port, with its redis.conf and without data.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = Self::spawn(&self.folder, self.address, self.port);
        self.wait_ready().await;
    }

    /// Waits until the link to the primary is up.
    pub async fn wait_link_up(&self) {
        let what = format!("the replica {} to be in step", self.target());
        wait_until(&what, START_LIMIT, async || {
            self.info("master_link_status").await.is_ok_and(|s| s.as_deref() == Some("up"))
        })
        .await;
    }

    /// Sends a command as `default`, on a connection of its own.
    pub async fn command<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        Self::command_at(&self.target(), words).await
    }

    /// Sends a command as another user.
    pub async fn command_as<T: FromRedisValue>(
        &self,
        user: &str,
        password: &str,
        words: &[&str],
    ) -> RedisResult<T> {
        let url = format!("redis://{user}:{password}@{}:{}", self.address, self.port);
        Self::command_at(&url, words).await
    }

    /// One field of INFO; `None` where the answer lacks it.
    pub async fn info(&self, field: &str) -> RedisResult<Option<String>> {
        let text: String = self.command(&["INFO", "everything"]).await?;
        Ok(text.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned())))
    }

    async fn command_at<T: FromRedisValue>(url: &str, words: &[&str]) -> RedisResult<T> {
        let client = Client::open(url.into_connection_info()?)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT));
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let (name, arguments) = words.split_first().expect("a command has a name");
        redis::cmd(name).arg(arguments).query_async(&mut connection).await
    }

    async fn wait_ready(&mut self) {
        let url = (self.address, self.port);
        self.process.wait_ready(async || tokio::net::TcpStream::connect(url).await.is_ok()).await;
    }

    fn spawn(folder: &TempDir, address: Ipv4Addr, port: u16) -> Process {
        let mut command = Command::new(installed(&["redis-server"]));
        command.arg(folder.path().join("redis.conf"));
        Process::start(&format!("redis {address}:{port}"), &mut command)
    }
}

mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replica_follows_its_primary_and_survives_its_faults() {
        let mut primary = RedisServer::primary().await;
        let address = Ipv4Addr::new(127, 0, 0, 12);
        let options = RedisOptions::default().address(address).port(primary.port()).replica_of(&primary);
        let replica = RedisServer::start(options).await;
        assert_eq!(replica.address(), address);
        assert_eq!(replica.info("role").await.expect("an answer").as_deref(), Some("slave"));

        let _: () = primary.command(&["SET", "a", "1"]).await.expect("a primary takes writes");
        wait_until("the write to arrive", START_LIMIT, async || {
            replica.command::<Option<String>>(&["GET", "a"]).await.is_ok_and(|v| v.as_deref() == Some("1"))
        })
        .await;

        primary.stop();
        let frozen = primary.command::<String>(&["PING"]).await.expect_err("a frozen Redis does not answer");
        assert!(frozen.is_timeout(), "{frozen}");
        primary.cont();
        assert_eq!(primary.command::<String>(&["PING"]).await.expect("it goes on"), "PONG");

        primary.kill();
        primary.command::<String>(&["PING"]).await.expect_err("a killed Redis refuses");
        primary.restart().await;
        assert_eq!(primary.command::<Option<String>>(&["GET", "a"]).await.expect("it is back"), None);
    }

    #[tokio::test]
    async fn a_user_of_the_configuration_can_log_in() {
        let server =
            RedisServer::start(RedisOptions::default().line("user monitor on >secret -@all +ping")).await;
        assert_eq!(
            server.command_as::<String>("monitor", "secret", &["PING"]).await.expect("allowed"),
            "PONG"
        );
        server.command_as::<String>("monitor", "secret", &["GET", "a"]).await.expect_err("not allowed");
    }
}
