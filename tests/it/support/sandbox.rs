//! The stand-in for Route 53, as a program of its own.

use std::net::SocketAddr;
use std::process::Command;

use serde::Deserialize;

use super::dns::{self, Answer, RecordType};
use super::process::{Process, sibling_binary};

/// The zone that the sandbox holds.
pub const ZONE: &str = "example.test";
/// The zone's id.
pub const ZONE_ID: &str = "Z0TEST";

/// What the sandbox prints when it is up.
#[derive(Deserialize)]
struct Hello {
    api: String,
    dns: SocketAddr,
    zone_id: String,
}

/// A running sandbox.
pub struct Route53Sandbox {
    hello: Hello,
    process: Process,
}

impl Route53Sandbox {
    /// Starts a sandbox with these records, each in the form `name CNAME 5 target`.
    pub async fn start(records: &[&str]) -> Self {
        Self::start_with(records, &[]).await
    }

    /// As [`Self::start`], with further flags.
    pub async fn start_with(records: &[&str], flags: &[&str]) -> Self {
        let mut command = Command::new(sibling_binary("route53-sandbox"));
        command.args(["--zone", ZONE, "--zone-id", ZONE_ID, "--sync-delay", "500ms"]);
        command.args(["--listen", "127.0.0.1:0", "--dns-listen", "127.0.0.1:0"]);
        records.iter().for_each(|record| {
            command.args(["--record", record]);
        });
        command.args(flags);
        let mut process = Process::start("route53-sandbox", &mut command);
        let hello = process.wait_stdout_line().await;
        let hello =
            serde_json::from_str(&hello).unwrap_or_else(|e| panic!("the sandbox says {hello:?}: {e}"));
        Self { hello, process }
    }

    /// The base URL of the API, for `record.endpoint`.
    pub fn api(&self) -> String {
        let api = &self.hello.api;
        if api.starts_with("http") { api.clone() } else { format!("http://{api}") }
    }

    /// The name server, for `record.name_servers`.
    pub fn dns(&self) -> SocketAddr {
        self.hello.dns
    }

    /// The zone's id, for `record.zone_id`.
    pub fn zone_id(&self) -> &str {
        &self.hello.zone_id
    }

    /// The process, to freeze or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What the name server answers.
    pub async fn query(&self, name: &str, kind: RecordType) -> Result<Answer, String> {
        dns::query(self.dns(), name, kind).await
    }
}
