//! The stand-in for clusters of Redis Enterprise, as a program of its own.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http;
use super::process::{Process, sibling_binary};

/// The user that the agent looks with, and its password.
pub const USER: (&str, &str) = ("viewer@sandbox.test", "viewer-password");

/// The user that may change databases, and its password.
pub const MEMBER: (&str, &str) = ("member@sandbox.test", "member-password");

/// Two running clusters, `a` and `b`.
pub struct EnterpriseSandbox {
    hello: Value,
    folder: TempDir,
    _process: Process,
}

impl EnterpriseSandbox {
    /// Starts the clusters of the sandbox's own plan: an Active-Active database (1 in `a`, 4 in `b`), a copy, a plain one.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts clusters of another plan.
    pub async fn start_with(plan: Option<&Value>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for certificates");
        std::fs::write(folder.path().join("password"), USER.1).expect("the password can be written");
        std::fs::write(folder.path().join("member"), MEMBER.1).expect("the password can be written");
        let mut command = Command::new(sibling_binary("redis-enterprise-sandbox"));
        command.arg("--certificates").arg(folder.path());
        if let Some(plan) = plan {
            let file = folder.path().join("plan.json");
            std::fs::write(&file, plan.to_string()).expect("the plan can be written");
            command.arg("--plan").arg(file);
        }
        let mut process = Process::start("redis-enterprise-sandbox", &mut command);
        let hello = process.wait_stdout_line().await;
        let hello =
            serde_json::from_str(&hello).unwrap_or_else(|e| panic!("the sandbox says {hello:?}: {e}"));
        Self { hello, folder, _process: process }
    }

    /// A cluster as the configuration names it.
    pub fn cluster(&self, name: &str) -> Value {
        let cluster = &self.hello["clusters"][name];
        json!({
            "url": cluster["url"], "username": USER.0, "password_file": self.folder.path().join("password"),
            "ca_file": cluster["ca_file"], "interval": "1s",
        })
    }

    /// As [`Self::cluster`], with the user that may change databases beside the one that looks.
    pub fn cluster_to_promote(&self, name: &str) -> Value {
        let mut cluster = self.cluster(name);
        cluster["promotion"] =
            json!({"username": MEMBER.0, "password_file": self.folder.path().join("member")});
        cluster
    }

    /// What clients of a database would really get.
    pub async fn truth(&self, cluster: &str, database: u32) -> Value {
        let json = http::get_json(&self.control("truth")).await;
        let all = json["databases"].as_array().expect("databases are a list");
        let is_it = |one: &&Value| one["cluster"] == cluster && one["uid"] == database;
        all.iter().find(is_it).expect("there is such a database").clone()
    }

    /// Where a cluster tells its own metrics.
    pub fn metrics_url(&self, name: &str) -> String {
        format!("{}/v2", self.hello["clusters"][name]["metrics"].as_str().expect("a URL"))
    }

    /// A site of a service: a database of a cluster.
    pub fn site(&self, datacenter: &str, dns_target: &str, cluster: &str, database: u32) -> Value {
        let at = &self.hello["clusters"][cluster]["databases"][database.to_string()];
        let target = format!("redis://{}:{}", at["address"].as_str().expect("an address"), at["port"]);
        json!({"datacenter": datacenter, "dns_target": dns_target, "targets": [target], "database": database})
    }

    /// Changes the state of the clusters.
    pub async fn change(&self, target: &str, change: Value) {
        self.post("changes", &json!({"target": target, "change": change})).await;
    }

    /// As [`Self::change`], where there may be no such target.
    pub async fn try_change(&self, target: &str, change: Value) {
        let body = json!({"target": target, "change": change});
        let request = http::client().post(self.control("changes")).json(&body);
        http::send(request).await.expect("the sandbox answers");
    }

    /// Moves the clusters' clock forward.
    pub async fn skip(&self, ms: u64) {
        self.post("clock", &json!({"skip_ms": ms})).await;
    }

    /// Whether INFO tells the limit of memory.
    pub async fn set_info_has_memory_limit(&self, is_told: bool) {
        let request = http::client().put(self.control("variants"));
        let request = request.json(&json!({"info_has_memory_limit": is_told}));
        assert_eq!(http::send(request).await.expect("the sandbox answers").status, 200);
    }

    /// What the REST APIs were asked so far.
    pub async fn requests(&self) -> Vec<Value> {
        let json = http::get_json(&self.control("requests")).await;
        json["requests"].as_array().expect("requests are a list").clone()
    }

    fn control(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.hello["control"].as_str().expect("a URL"))
    }

    async fn post(&self, path: &str, body: &Value) {
        let request = http::client().post(self.control(path)).json(body);
        let response = http::send(request).await.expect("the sandbox answers");
        assert!((200..300).contains(&response.status), "{path} {body}: {}", response.body);
    }
}
