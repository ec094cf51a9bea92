//! The redrover binary itself: a configuration, a running agent, and its commands.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{self, Response};
use super::ports::free_port;
use super::process::{Output, Process, run, wait_for, wait_until};
use super::prometheus::Series;
use super::redis::RedisServer;
use super::sandbox::Route53Sandbox;

/// The token that the webhook asks for.
pub const WEBHOOK_TOKEN: &str = "a-token-for-tests";
/// The service of [`Setup::new`].
pub const SERVICE: &str = "sessions";
/// Longest run of a command that is no server.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// An agent's files: the configuration, the secrets and the data folder. They outlive a restart of the agent.
pub struct Setup {
    folder: TempDir,
    config: Value,
}

impl Setup {
    /// One service in automatic mode, with quick probes and windows. `record` comes from [`route53_record`] or
    /// [`embedded_record`], each site from [`site`].
    pub fn new(record: Value, sites: &[Value]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the agent");
        let token_file = folder.path().join("webhook-token");
        fs::write(&token_file, WEBHOOK_TOKEN).expect("the token can be written");
        let datacenters: Vec<_> = sites.iter().map(|site| json!({"name": site["datacenter"]})).collect();
        let config = json!({
            "global": {"probe_interval": "250ms", "probe_timeout": "200ms"},
            "agent": {"name": "agent-1", "failure_domain": "office", "data_dir": folder.path().join("data")},
            "datacenters": datacenters,
            "webhook": {"service_label": "redis_service", "bearer_token_file": token_file},
            "services": [{
                "name": SERVICE,
                "topology": "replication",
                "mode": "automatic",
                "record": record,
                "sites": sites,
                "promote": {"kind": "replicaof"},
                "canary": {"enabled": true},
                "policy": {
                    "accept_fewer_vantages": true,
                    "confirm_window": "1s", "confirm_rounds": 3, "isolation_confirm": "2s",
                },
            }],
        });
        fs::create_dir(folder.path().join("data")).expect("a data folder");
        let setup = Self { folder, config };
        setup.write();
        setup
    }

    /// Sets one value of the configuration, by its JSON pointer such as `/services/0/mode`, and writes the file.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        self.set(pointer, value);
        self
    }

    /// As [`Self::with`], `Null` to leave the key out; a running agent sees it after a reload.
    pub fn set(&mut self, pointer: &str, value: Value) {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
        let parent = self.config.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}: no such parent"));
        match parent {
            Value::Array(items) => {
                let index: usize = key.parse().unwrap_or_else(|_| panic!("{pointer}: {key} is no index"));
                items[index] = value;
            }
            Value::Object(map) if value.is_null() => {
                map.remove(key);
            }
            Value::Object(map) => {
                map.insert(key.to_owned(), value);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                panic!("{pointer}: the parent holds nothing");
            }
        }
        self.write();
    }

    /// Adds a service that is like the first, but for these.
    pub fn add_service(&mut self, name: &str, record: Value, sites: &[Value]) {
        let mut service = self.config["services"][0].clone();
        (service["name"], service["record"], service["sites"]) = (json!(name), record, json!(sites));
        self.config["services"].as_array_mut().expect("services are a list").push(service);
        self.write();
    }

    /// The configuration of one service.
    pub fn service(&self, index: usize) -> Value {
        self.config["services"][index].clone()
    }

    /// The configuration file. It is JSON, which is YAML as well.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("redrover.yml")
    }

    /// Where the journal lives.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs a command such as `["check", "--connect"]` with this configuration to its end.
    pub async fn redrover(&self, words: &[&str]) -> Output {
        let (name, arguments) = words.split_first().expect("a command has a name");
        let mut command = redrover();
        command.arg(name).arg("--config.file").arg(self.config_file()).args(arguments);
        run(&format!("redrover {name}"), &mut command, COMMAND_LIMIT).await
    }

    /// The last decision about a service, or the last with a verdict, as `redrover explain` tells it; `None` where there
    /// is none yet.
    pub async fn explain(&self, service: &str, verdict: Option<&str>) -> Option<Value> {
        let mut words = vec!["explain", service, "--output", "json"];
        words.extend(verdict.iter().flat_map(|verdict| ["--verdict", verdict]));
        serde_json::from_str(&self.redrover(&words).await.stdout).ok()
    }

    /// Starts the agent and waits until it is up.
    pub async fn start(&self) -> Agent {
        self.start_with(|_| {}).await
    }

    /// As [`Self::start`], with something more on the command line or in the environment.
    pub async fn start_with(&self, change: impl FnOnce(&mut Command)) -> Agent {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = redrover();
        command.arg("run").arg("--config.file").arg(self.config_file());
        command.arg("--web.listen-address").arg(address.to_string());
        change(&mut command);
        let mut process = Process::start("redrover", &mut command);
        process.wait_ready(async || http::is_ok(&format!("http://{address}/-/healthy")).await).await;
        Agent { address, process }
    }

    fn write(&self) {
        let text = serde_json::to_string_pretty(&self.config).expect("a value is JSON");
        fs::write(self.config_file(), text).expect("the configuration can be written");
    }
}

/// A record that the sandbox holds.
pub fn route53_record(sandbox: &Route53Sandbox, name: &str) -> Value {
    json!({
        "provider": "route53", "zone_id": sandbox.zone_id(), "endpoint": sandbox.api(),
        "name": name, "type": "CNAME", "ttl": "5s", "name_servers": [sandbox.dns()],
    })
}

/// A record that redrover's own name server holds; needs `/embedded_dns` too.
pub fn embedded_record(name: &str) -> Value {
    json!({"provider": "embedded", "name": name, "type": "CNAME", "ttl": "5s"})
}

/// A site: what the record holds for it, and its Redis.
pub fn site(datacenter: &str, dns_target: &str, servers: &[&RedisServer]) -> Value {
    let targets: Vec<_> = servers.iter().map(|server| server.target()).collect();
    json!({"datacenter": datacenter, "dns_target": dns_target, "targets": targets})
}

/// The redrover binary, with credentials for the sandbox only and no proxy.
pub fn redrover() -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_redrover")));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// A running agent.
pub struct Agent {
    address: SocketAddr,
    process: Process,
}

impl Agent {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process, to freeze, kill or ask it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Response {
        http::get(&self.url(path)).await.unwrap_or_else(|e| panic!("{path}: the agent does not answer: {e}"))
    }

    /// What `/metrics` says.
    pub async fn metrics(&self) -> Metrics {
        let response = self.get("/metrics").await;
        assert_eq!(response.status, 200, "{}", response.body);
        Metrics::parse(&response.body)
    }

    /// Waits until a series has this value.
    pub async fn wait_metric(&self, name: &str, labels: &[(&str, &str)], value: f64, limit: Duration) {
        let what = format!("{name}{labels:?} to be {value}");
        wait_for(&what, limit, async || (self.metrics().await.value(name, labels)? == value).then_some(()))
            .await;
    }

    /// Waits until exactly these vetoes stand about a service, in the order of the alphabet.
    pub async fn wait_vetoes(&self, service: &str, vetoes: &[&str], limit: Duration) {
        let what = format!("the vetoes of {service} to be {vetoes:?}");
        wait_until(&what, limit, async || {
            let metrics = self.metrics().await;
            let wanted = [("redis_service", service)];
            let found = metrics.select("redrover_veto", &wanted);
            found.map(|(labels, _)| labels["veto"].as_str()).eq(vetoes.iter().copied())
        })
        .await;
    }

    /// Posts an alert about `dc-a` of a service, which must be taken.
    pub async fn post_alert(&self, service: &str, status: &str) {
        let labels = [("alertname", "RedisDown"), ("redis_service", service), ("datacenter", "dc-a")];
        let response = self.post_webhook(&notification(status, &labels)).await;
        assert_eq!(response.status, 200, "{}", response.body);
    }

    /// Posts a notification with the right token.
    pub async fn post_webhook(&self, notification: &Value) -> Response {
        self.post_webhook_as(notification, Some(WEBHOOK_TOKEN)).await
    }

    /// Posts a notification with another token, or none.
    pub async fn post_webhook_as(&self, notification: &Value, token: Option<&str>) -> Response {
        let request = http::client().post(self.url("/webhook/alertmanager")).json(notification);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        http::send(request).await.unwrap_or_else(|e| panic!("the webhook does not answer: {e}"))
    }
}

/// A notification as Alertmanager posts it, with one alert. `status` is `firing` or `resolved`.
pub fn notification(status: &str, labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    let ends_at = if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-01-01T00:01:00Z" };
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": status, "receiver": "redrover",
        "groupLabels": {}, "commonLabels": labels, "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
        "alerts": [{
            "status": status, "labels": labels, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": ends_at, "generatorURL": "", "fingerprint": "0123456789abcdef",
        }],
    })
}

/// A scrape in the text format.
#[derive(Debug)]
pub struct Metrics {
    series: Vec<Series>,
}

impl Metrics {
    /// Reads the text; panics on a line that is none of the format.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = |line| parse_sample(line).unwrap_or_else(|| panic!("this is no sample: {line}"));
        Self { series: lines.map(series).collect() }
    }

    /// The value of the one series of that name that has these labels, and maybe more; panics when there are several.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.select(name, labels);
        let first = found.next();
        assert!(found.next().is_none(), "{name}{labels:?} names several series");
        first.map(|(_, value)| *value)
    }

    /// All series of that name that have these labels, and maybe more.
    pub fn select(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = &Series> {
        let has = |series: &Series, key: &str, value: &str| series.0.get(key).is_some_and(|v| v == value);
        self.series
            .iter()
            .filter(move |s| has(s, "__name__", name) && labels.iter().all(|(key, value)| has(s, key, value)))
    }
}

/// `name{label="value",…} 1 timestamp`, where labels and timestamp may be absent.
fn parse_sample(line: &str) -> Option<Series> {
    let name_end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = BTreeMap::from([("__name__".to_owned(), name.to_owned())]);
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, quoted) = rest.split_once("=\"")?;
            let (value, after) = unquote(quoted)?;
            labels.insert(key.to_owned(), value);
            rest = after;
        }
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some((labels, value))
}

/// The text up to the closing quote, and what follows that.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

mod tests {
    use super::*;

    #[test]
    fn a_scrape_is_read_with_all_that_the_format_allows() {
        let metrics = Metrics::parse(
            "# HELP redis_up text\n# TYPE redis_up gauge\nredis_up{a=\"1\",b=\"x\\\"}, \\\\y\\n\"} 1\nredis_up{a=\"2\",} 0 1700\n\nplain 2.5e3\nbound{le=\"+Inf\"} +Inf\n# EOF\n",
        );
        assert_eq!(metrics.value("redis_up", &[("a", "1")]), Some(1.0));
        assert_eq!(metrics.value("redis_up", &[("b", "x\"}, \\y\n")]), Some(1.0));
        assert_eq!(metrics.value("redis_up", &[("a", "2")]), Some(0.0));
        assert_eq!(metrics.value("redis_up", &[("a", "3")]), None);
        assert_eq!(metrics.value("plain", &[]), Some(2500.0));
        assert_eq!(metrics.value("bound", &[]), Some(f64::INFINITY));
        assert_eq!(metrics.select("redis_up", &[]).count(), 2);
    }

    #[test]
    fn a_setup_is_written_and_changed_by_pointer() {
        let sites = [json!({"datacenter": "dc-a"}), json!({"datacenter": "dc-b"})];
        let setup = Setup::new(embedded_record("redis.example.test"), &sites)
            .with("/services/0/mode", json!("observe"))
            .with("/datacenters/1", json!({"name": "dc-c"}));
        let text = fs::read_to_string(setup.config_file()).expect("it was written");
        let config: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(config["services"][0]["mode"], "observe");
        assert_eq!(config["datacenters"], json!([{"name": "dc-a"}, {"name": "dc-c"}]));
    }
}
