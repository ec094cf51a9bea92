//! No secret leaves the program but towards the one it is for: not in the log, not in an answer, not in a file, not in
//! DNS. Looked for through a whole outage, with everything that asks for a secret, and with secrets that are wrong.

use std::fs;
use std::path::Path;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::support::agent::{Agent, SERVICE, Setup, WEBHOOK_TOKEN, notification, route53_record, site};
use super::support::dns::{self, RecordType};
use super::support::process::{wait_for, wait_until};
use super::support::redis::{RedisOptions, RedisServer};
use super::support::sandbox::Route53Sandbox;
use super::support::scene::{NAME, ROUNDS_LIMIT, TARGETS};

const REDIS_PASSWORD: &str = "redis-secret-0d4b1c77";
const AWS_SECRET: &str = "aws-secret-5b9e20f3a6c84d17";
const AWS_SESSION: &str = "aws-session-77ac10be4f92d835";
const CLUSTER_PASSWORD: &str = "cluster-secret-92f0e1aa";
const PROMETHEUS_TOKEN: &str = "prometheus-secret-3c6d58b4";
/// Written as it is, and as `Basic` and some encodings of bytes show it.
const SECRETS: [&str; 6] =
    [REDIS_PASSWORD, AWS_SECRET, AWS_SESSION, CLUSTER_PASSWORD, PROMETHEUS_TOKEN, WEBHOOK_TOKEN];

/// Asserts that none of the secrets stands in what the program has shown to others or left behind.
#[track_caller]
fn assert_clean(place: &str, bytes: &[u8]) {
    for secret in SECRETS {
        let debugged = format!("{:?}", secret.as_bytes());
        let debugged = debugged.trim_matches(['[', ']']);
        for form in [secret.to_owned(), debugged.to_owned(), basic(secret)] {
            let is_there = bytes.windows(form.len()).any(|window| window == form.as_bytes());
            assert!(!is_there, "{secret} stands in {place} as {form}");
        }
    }
}

/// The part of `Basic` credentials of the user redrover that no other password shares.
fn basic(secret: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .encode(format!("redrover:{secret}"))
        .trim_end_matches('=')
        .to_owned()
}

/// Every file below a folder.
fn assert_clean_folder(folder: &Path) {
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("the data folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            assert_clean_folder(&path);
        } else {
            files += 1;
            assert_clean(&path.display().to_string(), &fs::read(&path).expect("a file can be read"));
        }
    }
    assert!(files > 0, "{} is empty", folder.display());
}

async fn assert_clean_pages(agent: &Agent) {
    for path in ["/metrics", "/-/healthy", "/-/ready", "/scrape?target=redis", "/nowhere"] {
        assert_clean(path, agent.get(path).await.body.as_bytes());
    }
    let labels = [("alertname", "RedisDown"), ("redis_service", SERVICE)];
    for token in [Some("wrong"), None, Some(WEBHOOK_TOKEN)] {
        let answer = agent.post_webhook_as(&notification("firing", &labels), token).await;
        assert_clean("the answer of the webhook", answer.body.as_bytes());
    }
}

/// Refuses every request, and keeps what it was shown.
async fn refusing() -> (String, JoinSet<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap_or(0);
            head.truncate(length);
            // The one who asks may have gone.
            let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await;
            if !head.is_empty() {
                return head;
            }
        }
        Vec::new()
    });
    (url, tasks)
}

fn file(setup: &Setup, name: &str, secret: &str) -> String {
    let path = setup.config_file().with_file_name(name);
    fs::write(&path, secret).expect("a secret can be written");
    path.display().to_string()
}

#[tokio::test]
async fn no_secret_is_shown_through_an_outage() {
    let user = format!("user redrover on >{REDIS_PASSWORD} ~* +@all");
    let mut primary = RedisServer::start(RedisOptions::default().line(&user)).await;
    let standby = RedisServer::start(RedisOptions::default().replica_of(&primary).line(&user)).await;
    let sandbox = Route53Sandbox::start(&[&format!("{NAME} CNAME 5 {}", TARGETS[0])]).await;
    let sites = [site("dc-a", TARGETS[0], &[&primary]), site("dc-b", TARGETS[1], &[&standby])];
    let mut setup = Setup::new(route53_record(&sandbox, NAME), &sites);
    let (prometheus, mut asked_prometheus) = refusing().await;
    let (cluster, mut asked_cluster) = refusing().await;
    let password = file(&setup, "redis-password", REDIS_PASSWORD);
    let token = file(&setup, "prometheus-token", PROMETHEUS_TOKEN);
    let admin = file(&setup, "cluster-password", CLUSTER_PASSWORD);
    setup.set("/services/0/redis", json!({"username": "redrover", "password_file": password}));
    setup.set("/prometheus", json!({"url": prometheus, "bearer_token_file": token}));
    setup.set("/services/0/client_errors", json!({"promql": "up"}));
    setup.set(
        "/datacenters/0/enterprise",
        json!({"url": cluster, "username": "redrover", "password_file": admin}),
    );
    setup.set("/services/0/sites/0/database", json!(1));
    let mut agent = setup
        .start_with(|command| {
            command.args(["--log.level", "debug"]);
            command.env("AWS_SECRET_ACCESS_KEY", AWS_SECRET).env("AWS_SESSION_TOKEN", AWS_SESSION);
        })
        .await;
    assert_eq!(setup.redrover(&["adopt", SERVICE, "--yes"]).await.code, 0);

    // The secrets are really used.
    let shown = asked_prometheus.join_next().await.expect("a task").expect("it was asked");
    assert!(String::from_utf8_lossy(&shown).contains(PROMETHEUS_TOKEN));
    let shown = asked_cluster.join_next().await.expect("a task").expect("it was asked");
    assert!(String::from_utf8_lossy(&shown).contains(&basic(CLUSTER_PASSWORD)));
    assert!(setup.redrover(&["check"]).await.code == 0);

    // A standby that refuses the password, for some rounds.
    let reset = ["ACL", "SETUSER", "redrover", "resetpass", ">another"];
    standby.command::<String>(&reset).await.expect("the user can be changed");
    // What is logged in stays so: only a new connection needs the password.
    standby.command::<i64>(&["CLIENT", "KILL", "USER", "redrover"]).await.expect("connections can be ended");
    let refused = [("redis_service", SERVICE), ("datacenter", "dc-b"), ("reason", "auth")];
    agent.wait_metric("redrover_target_gap", &refused, 1.0, ROUNDS_LIMIT).await;
    assert_clean_pages(&agent).await;
    let mend = ["ACL", "SETUSER", "redrover", "resetpass", &format!(">{REDIS_PASSWORD}")];
    standby.command::<String>(&mend).await.expect("the user can be changed");
    agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;

    primary.kill();
    agent.post_alert(SERVICE, "firing").await;
    wait_until("the name to move", ROUNDS_LIMIT, async || {
        let answer = dns::query(sandbox.dns(), NAME, RecordType::CNAME).await.expect("an answer");
        answer.values() == [TARGETS[1]]
    })
    .await;
    let told = wait_for("the switch to be told", ROUNDS_LIMIT, async || {
        setup.explain(SERVICE, Some("failover")).await
    })
    .await;
    assert_clean_pages(&agent).await;

    let process = agent.process();
    process.signal("TERM");
    process.wait_exit(ROUNDS_LIMIT).await;
    let log = process.stderr();
    assert!(log.contains("DEBUG"), "the log is written at the level debug");
    assert_clean("the log", log.as_bytes());
    assert_clean("the standard output", process.stdout().as_bytes());
    assert_clean("explain", told.to_string().as_bytes());
    assert_clean_folder(&setup.data_dir());
    let connect = setup.redrover(&["check", "--connect"]).await;
    assert_clean("check --connect", format!("{}{}", connect.stdout, connect.stderr).as_bytes());
    for (name, kind) in [(NAME.to_owned(), RecordType::CNAME), (format!("_redrover.{NAME}"), RecordType::TXT)]
    {
        let answer = dns::query(sandbox.dns(), &name, kind).await.expect("an answer");
        assert!(!answer.values().is_empty(), "{name}");
        assert_clean(&name, format!("{answer:?}").as_bytes());
    }
    assert_clean("the requests to Route 53", sandbox.history().await.text().as_bytes());
}
