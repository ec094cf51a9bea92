//! The stand-in for Route 53, as a program of its own.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::http;
use super::process::{Process, sibling_binary};

/// The zone that the sandbox holds.
pub const ZONE: &str = "example.test";
/// The zone's id.
pub const ZONE_ID: &str = "Z0TEST";
/// The id that tests give to a private zone beside it.
pub const PRIVATE_ID: &str = "Z0PRIVATE";

/// Longest wait for the history: ten thousand entries take a crowded machine its time.
const HISTORY_LIMIT: Duration = Duration::from_secs(120);

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
    _process: Process,
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
        Self { hello, _process: process }
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

    /// What was applied and what was refused.
    pub async fn history(&self) -> History {
        let request = http::client().get(format!("{}/_sandbox/history", self.api())).timeout(HISTORY_LIMIT);
        let response = http::send(request).await.expect("the history is told");
        let json: Value = serde_json::from_str(&response.body).expect("the history is JSON");
        History { entries: json["entries"].as_array().expect("a history has entries").clone() }
    }

    /// Queues faults, such as `{"fault": "throttle", "count": 2}`, for the next changes.
    pub async fn put_faults(&self, faults: &[Value]) {
        self.put("faults", &json!({ "faults": faults })).await;
    }

    /// Sets a record set as somebody else would.
    pub async fn set_foreign(&self, name: &str, kind: &str, value: &str) {
        let record = json!({"name": name, "type": kind, "ttl": 5, "values": [value]});
        self.put("records", &json!({"action": "set", "record": record})).await;
    }

    /// Deletes a record set as somebody else would.
    pub async fn delete_foreign(&self, name: &str, kind: &str) {
        self.put("records", &json!({"action": "delete", "record": {"name": name, "type": kind}})).await;
    }

    /// Lets a policy of the identity service judge every request.
    pub async fn put_policy(&self, policy: &Value) {
        self.put("policy", policy).await;
    }

    async fn put(&self, path: &str, body: &Value) {
        let request = http::client().put(format!("{}/_sandbox/{path}", self.api())).json(body);
        let response = http::send(request).await.expect("the sandbox answers");
        assert!((200..300).contains(&response.status), "{path}: {}", response.body);
    }
}

/// What the sandbox was asked for.
#[derive(Debug)]
pub struct History {
    entries: Vec<Value>,
}

impl History {
    /// All of it, as text.
    pub fn text(&self) -> String {
        serde_json::to_string(&self.entries).expect("a value is JSON")
    }

    /// How many changes were applied that came from `api` or were `foreign`.
    pub fn applied(&self, source: &str) -> usize {
        self.entries.iter().filter(|e| e["outcome"] == "applied" && e["source"] == source).count()
    }

    /// The codes of the refused requests for changes.
    pub fn refused(&self) -> Vec<&str> {
        let refused = self.entries.iter().filter(|e| e["outcome"] == "refused");
        let changes = refused.filter(|e| e["operation"] == "ChangeResourceRecordSets");
        changes.filter_map(|e| e["code"].as_str()).collect()
    }

    /// The epochs of all fences that were written, in their order.
    pub fn epochs(&self) -> Vec<u64> {
        let changes = self.entries.iter().filter_map(|e| e["changes"].as_array()).flatten();
        let fences = changes.filter(|c| c["type"] == "TXT").filter_map(|c| c["after"]["values"][0].as_str());
        fences.filter_map(|text| text.split("epoch=").nth(1)?.split(';').next()?.parse().ok()).collect()
    }

    /// The values that a record set has had in turn through applied changes, without final dots. A change that repeats
    /// a value is how a batch makes sure of it.
    pub fn values(&self, name: &str) -> Vec<String> {
        let changes = self.entries.iter().filter_map(|e| e["changes"].as_array()).flatten();
        let of_name = changes.filter(|c| c["name"].as_str().is_some_and(|n| n.trim_end_matches('.') == name));
        let values = of_name.filter_map(|c| c["after"]["values"][0].as_str());
        let mut values: Vec<_> = values.map(|value| value.trim_end_matches('.').to_owned()).collect();
        values.dedup();
        values
    }
}
