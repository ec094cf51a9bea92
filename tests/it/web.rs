//! Who may connect and ask: the file of `--web.config.file`, held against real clients.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::agent::{
    Metrics, SERVICE, Setup, WEBHOOK_TOKEN, embedded_record, notification, redrover, site,
};
use super::support::pki::{Authority, Identity};
use super::support::ports::free_port;
use super::support::process::{Output, Process, START_LIMIT, installed, run, wait_for, wait_until};
use super::support::prometheus::{Alertmanager, Prometheus, repository_text};
use super::support::scene::{NAME, TARGETS};

/// `crypt("hunter2", "$2y$05$abcdefghijklmnopqrstuu")` by libxcrypt.
const HUNTER2: &str = "$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.";
/// The same of `correct horse`.
const HORSE: &str = "$2b$04$ABCDEFGHIJKLMNOPQRSTUu6C6jEMz4jEJoFRTrM10b9xHpc.SH9E6";
const USER: &str = "prometheus:hunter2";

/// An agent behind a lock, with what opens it.
struct Locked {
    setup: Setup,
    folder: TempDir,
    client: Identity,
    rules: Value,
    address: String,
    process: Process,
}

impl Locked {
    /// TLS, certificates of clients, and one user.
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for certificates");
        let authority = Authority::new(folder.path(), "authority");
        authority.issue("server", &["127.0.0.1", "localhost"]);
        let client = authority.issue("client", &["prometheus.example.com"]);
        let rules = json!({
            "tls_server_config": {
                "cert_file": "server.pem", "key_file": "server.key", "min_version": "TLS13",
                "client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": "authority.pem",
            },
            "http_server_config": {"headers": {"X-Frame-Options": "deny"}},
            "basic_auth_users": {"prometheus": HUNTER2},
        });
        let file = folder.path().join("web.yml");
        fs::write(&file, rules.to_string()).expect("the rules can be written");
        let setup = setup();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = run_command(&setup, &[&address]);
        command.arg("--web.config.file").arg(&file);
        let process = Process::start("redrover", &mut command);
        let mut locked = Self { setup, folder, client, rules, address, process };
        wait_until("the agent to be healthy", START_LIMIT, async || {
            locked.status(&[], "/-/healthy").await == "200"
        })
        .await;
        assert!(locked.process.exit_status().is_none());
        locked
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self) {
        fs::write(self.file("web.yml"), self.rules.to_string()).expect("the rules can be written");
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// What curl says with everything that it takes, and these words.
    async fn curl(&self, words: &[&str], path: &str) -> Output {
        let mut command = curl();
        command.arg("--cacert").arg(self.file("authority.pem"));
        command.arg("--cert").arg(&self.client.certificate).arg("--key").arg(&self.client.key);
        command.args(["--user", USER]).args(words).arg(self.url(path));
        run("curl", &mut command, START_LIMIT).await
    }

    /// The status that curl gets; `000` where there is no answer.
    async fn status(&self, words: &[&str], path: &str) -> String {
        let words = [&["--output", "/dev/null", "--write-out", "%{http_code}"], words].concat();
        self.curl(&words, path).await.stdout
    }

    async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let page = self.curl(&["--fail"], "/metrics").await.stdout;
        Metrics::parse(&page).value(name, labels).unwrap_or_else(|| panic!("no {name}{labels:?}: {page}"))
    }
}

fn setup() -> Setup {
    let (dns, nobody) = (format!("127.0.0.1:{}", free_port()), json!(["redis://127.0.0.1:1"]));
    let zone = json!({"listen": dns, "zone": "example.test", "name_servers": ["ns1.example.test"]});
    let sites = [site("dc-a", TARGETS[0], &[]), site("dc-b", TARGETS[1], &[])];
    Setup::new(embedded_record(NAME), &sites)
        .with("/embedded_dns", zone)
        .with("/services/0/sites/0/targets", nobody.clone())
        .with("/services/0/sites/1/targets", json!(["redis://127.0.0.1:2"]))
}

fn run_command(setup: &Setup, addresses: &[&str]) -> Command {
    let mut command = redrover();
    command.arg("run").arg("--config.file").arg(setup.config_file());
    for address in addresses {
        command.args(["--web.listen-address", address]);
    }
    command
}

fn curl() -> Command {
    let mut command = Command::new(installed(&["curl"]));
    command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20"]);
    command
}

#[tokio::test]
async fn only_a_certificate_and_a_password_together_open_the_door() {
    let locked = Locked::start().await;
    let stranger = Authority::new(locked.folder.path(), "stranger");
    let (certificate, key) = {
        let identity = stranger.issue("strange", &["prometheus.example.com"]);
        (identity.certificate.display().to_string(), identity.key.display().to_string())
    };
    for (path, status) in [
        ("/", "200"),
        ("/metrics", "200"),
        ("/-/healthy", "200"),
        ("/-/ready", "200"),
        ("/elsewhere", "404"),
        ("/webhook/alertmanager", "405"),
    ] {
        wait_until(&format!("{path} to answer {status}"), START_LIMIT, async || {
            locked.status(&[], path).await == status
        })
        .await;
    }
    // curl takes the last of two logins, and of two certificates.
    for login in ["prometheus:wrong", "nobody:hunter2", "prometheus:", ":"] {
        for path in ["/metrics", "/-/healthy", "/", "/elsewhere"] {
            assert_eq!(locked.status(&["--user", login], path).await, "401", "{login} {path}");
        }
    }
    for path in ["/-/reload", "/api/v1/models/retrain"] {
        let order = ["--request", "POST", "--user", "prometheus:wrong"];
        assert_eq!(locked.status(&order, path).await, "401", "an order: {path}");
    }
    let bearer = ["--header", "Authorization: Bearer a-token-for-tests"];
    assert_eq!(locked.status(&bearer, "/metrics").await, "401", "the webhook's token opens the webhook only");
    let headers = locked.curl(&["--head", "--user", "a:b"], "/metrics").await.stdout;
    assert!(headers.contains("www-authenticate: Basic realm=\"redrover\""), "{headers}");
    assert!(headers.contains("x-frame-options: deny"), "{headers}");

    wait_until("the wrong logins to be written down", START_LIMIT, async || {
        let told = locked.setup.redrover(&["history", "--kind", "denied"]).await.stdout;
        told.contains("web: 127.0.0.1 did not show who it is") && !told.contains("wrong")
    })
    .await;

    let strange = ["--cert", &certificate, "--key", &key];
    let output = locked.curl(&strange, "/metrics").await;
    assert!(output.code != 0 && output.stdout.is_empty(), "a stranger's certificate: {output:?}");
    let mut bare = curl();
    bare.arg("--cacert").arg(locked.file("authority.pem")).args(["--user", USER, &locked.url("/metrics")]);
    let output = run("curl", &mut bare, START_LIMIT).await;
    assert!(output.code != 0 && output.stdout.is_empty(), "no certificate: {output:?}");
    let output = locked.curl(&["--tls-max", "1.2"], "/metrics").await;
    assert!(output.code != 0 && output.stdout.is_empty(), "TLS 1.2: {output:?}");
    let mut clear = curl();
    clear.args(["--user", USER, &format!("http://{}/metrics", locked.address)]);
    let output = run("curl", &mut clear, START_LIMIT).await;
    assert!(output.code != 0 && output.stdout.is_empty(), "clear text: {output:?}");

    let refused = "redrover_http_refused_total";
    assert!(locked.metric(refused, &[("reason", "tls")]).await >= 4.0);
    assert_eq!(locked.metric(refused, &[("reason", "unauthorized")]).await, 20.0);
    assert_eq!(locked.metric(refused, &[("reason", "busy")]).await, 0.0);
    let log = locked.process.stderr();
    assert!(!log.contains("hunter2") && !log.contains("$2y$"), "{log}");
}

#[tokio::test]
async fn prometheus_scrapes_and_alertmanager_posts_through_the_door() {
    let locked = Locked::start().await;
    let tls = json!({
        "ca_file": locked.file("authority.pem"),
        "cert_file": locked.client.certificate, "key_file": locked.client.key,
    });
    let job = |name: &str, password: &str| {
        json!({
            "job_name": name, "scheme": "https", "tls_config": tls,
            "basic_auth": {"username": "prometheus", "password": password},
            "static_configs": [{"targets": [locked.address]}],
        })
    };
    let config = json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [job("redrover", "hunter2"), job("stranger", "wrong")],
    });
    let prometheus = Prometheus::start(&config.to_string()).await;
    let config = json!({
        "route": {"receiver": "redrover", "group_wait": "1s"},
        "receivers": [{"name": "redrover", "webhook_configs": [{
            "url": locked.url("/webhook/alertmanager"),
            "http_config": {"authorization": {"credentials": WEBHOOK_TOKEN}, "tls_config": tls},
        }]}],
    });
    let alertmanager = Alertmanager::start(&config.to_string()).await;
    let alert = json!([{"labels": {"alertname": "RedisDown", "redis_service": SERVICE}}]).to_string();
    let mut post = curl();
    post.args(["--fail", "--json", &alert, &format!("{}/api/v2/alerts", alertmanager.url())]);
    assert_eq!(run("curl", &mut post, START_LIMIT).await.code, 0);

    wait_until("two scrapes", START_LIMIT, async || prometheus.query("up").await.len() == 2).await;
    wait_until("Prometheus to see the targets", START_LIMIT, async || {
        prometheus.query("redis_up").await.len() == 2
    })
    .await;
    for (labels, up) in prometheus.query("up").await {
        assert_eq!(up, f64::from(u8::from(labels["job"] == "redrover")), "{labels:?}");
    }
    let taken = [("result", "accepted")];
    wait_until("the notification to be taken", START_LIMIT, async || {
        locked.metric("redrover_webhook_notifications_total", &taken).await >= 1.0
    })
    .await;

    // With a token of its own, the webhook does not take the users of the file.
    let body = notification("firing", &[("redis_service", SERVICE)]).to_string();
    assert_eq!(locked.status(&["--json", &body], "/webhook/alertmanager").await, "401");
}

#[tokio::test]
async fn an_open_webhook_asks_for_the_users_of_the_file() {
    let mut locked = Locked::start().await;
    locked.setup.set("/webhook", json!({}));
    assert_eq!(locked.status(&["--request", "POST"], "/-/reload").await, "200");
    let body = notification("firing", &[("redis_service", SERVICE)]).to_string();
    assert_eq!(locked.status(&["--json", &body], "/webhook/alertmanager").await, "200");
    let wrong = ["--user", "prometheus:wrong", "--json", &body];
    assert_eq!(locked.status(&wrong, "/webhook/alertmanager").await, "401");
}

#[tokio::test]
async fn a_changed_file_takes_effect_and_a_wrong_one_does_not() {
    let mut locked = Locked::start().await;
    let right = "redrover_web_config_last_reload_successful";
    assert_eq!(locked.metric(right, &[]).await, 1.0);

    // Another password, and another user.
    locked.rules["basic_auth_users"] = json!({"anna": HORSE});
    locked.write();
    let anna = ["--user", "anna:correct horse"];
    wait_until("anna to be let in", START_LIMIT, async || locked.status(&anna, "/metrics").await == "200")
        .await;
    assert_eq!(locked.status(&[], "/metrics").await, "401");
    locked.rules["basic_auth_users"] = json!({"prometheus": HUNTER2});
    locked.write();
    wait_until("the first user to be let in", START_LIMIT, async || {
        locked.status(&[], "/metrics").await == "200"
    })
    .await;

    // What is wrong, and what would protect less, has no effect, and is told once.
    let good = locked.rules.clone();
    let mut wrong = good.clone();
    wrong["tls_server_config"]["min_version"] = json!("TLS9");
    let mut no_tls = good.clone();
    no_tls["tls_server_config"].take();
    let mut no_clients = good.clone();
    no_clients["tls_server_config"] = json!({"cert_file": "server.pem", "key_file": "server.key"});
    let mut no_users = good.clone();
    no_users.as_object_mut().expect("a mapping").remove("basic_auth_users");
    let cases = [
        (wrong.to_string(), "web.yml:1: tls_server_config.min_version"),
        (no_tls.to_string(), "tls_server_config: is empty"),
        ("{basic_auth_users: {prometheus: \"".to_owned() + HUNTER2 + "\"}}", "no longer asks for TLS"),
        (no_clients.to_string(), "no longer asks for certificates of clients"),
        (no_users.to_string(), "no longer asks for users"),
        (String::new(), "web.yml: is empty"),
    ];
    for (text, told) in &cases {
        fs::write(locked.file("web.yml"), text).expect("the rules can be written");
        wait_until(&format!("the agent to tell {told}"), START_LIMIT, async || {
            locked.process.stderr().contains(told)
        })
        .await;
        assert_eq!(locked.metric(right, &[]).await, 0.0, "{told}");
        assert_eq!(locked.status(&["--user", "anna:correct horse"], "/metrics").await, "401");
    }
    let answer = locked.curl(&["--request", "POST"], "/-/reload").await.stdout;
    assert!(answer.contains("the web rules are wrong") && answer.contains("is empty"), "{answer}");
    let log = locked.process.stderr();
    assert_eq!(log.matches("web.yml: is empty").count(), 2, "by the keeper and by the reload, once: {log}");

    // A certificate of another authority, in two steps, as it happens.
    locked.write();
    wait_until("the file to be right", START_LIMIT, async || locked.metric(right, &[]).await == 1.0).await;
    let other = Authority::new(locked.folder.path(), "other");
    let next = other.issue("next", &["127.0.0.1"]);
    fs::copy(&next.certificate, locked.file("server.pem")).expect("the certificate can be written");
    wait_until("the agent to see that they do not fit", START_LIMIT, async || {
        locked.process.stderr().contains("cert_file with key_file cannot be used")
    })
    .await;
    assert_eq!(locked.status(&[], "/metrics").await, "200", "by the old certificate");
    fs::copy(&next.key, locked.file("server.key")).expect("the key can be written");
    let other = locked.file("other.pem").display().to_string();
    wait_until("the new certificate", START_LIMIT, async || {
        locked.status(&["--cacert", &other], "/metrics").await == "200"
    })
    .await;
    assert_eq!(locked.status(&[], "/metrics").await, "000", "the old one is not shown any more");
}

#[tokio::test]
async fn several_addresses_another_path_and_a_page_that_leads_to_all() {
    let setup = setup();
    let (first, second) = (free_port(), free_port());
    let mut command = run_command(&setup, &[&format!("127.0.0.1:{first}"), &format!(":{second}")]);
    command.args(["--web.telemetry-path", "/series/of/redis"]);
    let _process = Process::start("redrover", &mut command);
    let get = async |url: String| run("curl", curl().args(["--fail", &url]), START_LIMIT).await;
    for base in [format!("127.0.0.1:{first}"), format!("127.0.0.2:{second}")] {
        let page = wait_for("the page", START_LIMIT, async || {
            let output = get(format!("http://{base}/")).await;
            (output.code == 0).then_some(output.stdout)
        })
        .await;
        let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|l| l.split('"').next()).collect();
        assert_eq!(links, ["/series/of/redis", "/-/healthy", "/-/ready"], "{page}");
        for link in links {
            wait_until(&format!("{link} to answer"), START_LIMIT, async || {
                get(format!("http://{base}{link}")).await.code == 0
            })
            .await;
        }
        let metrics = Metrics::parse(&get(format!("http://{base}/series/of/redis")).await.stdout);
        assert_eq!(metrics.select("redis_up", &[]).count(), 2);
        assert_eq!(get(format!("http://{base}/metrics")).await.code, 22, "404");
    }
    for (option, value) in [
        ("--web.telemetry-path", "/-/healthy"),
        ("--web.telemetry-path", "metrics"),
        ("--web.listen-address", "9911"),
    ] {
        let mut command = run_command(&setup, &[]);
        let output = run("redrover", command.args([option, value]), START_LIMIT).await;
        assert_eq!(output.code, 2, "{option} {value}: {}", output.stderr);
        assert!(output.stderr.contains(option), "{}", output.stderr);
    }
}

#[tokio::test]
async fn the_example_to_copy_is_one_for_every_exporter() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path(), "authority");
    let server = authority.issue("server", &["127.0.0.1"]);
    let text = repository_text(
        "deploy/redrover/web.yml",
        &[
            ("/etc/redrover/server.pem", &server.certificate.display().to_string()),
            ("/etc/redrover/server.key", &server.key.display().to_string()),
            ("A_BCRYPT_HASH", HUNTER2),
            ("/etc/redrover/clients.pem", &folder.path().join("authority.pem").display().to_string()),
        ],
    );
    let file = folder.path().join("web.yml");
    fs::write(&file, &text).expect("the rules can be written");
    let mut promtool = Command::new(installed(&["promtool"]));
    let output = run("promtool", promtool.args(["check", "web-config"]).arg(&file), START_LIMIT).await;
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let setup = setup();
    let path = file.display().to_string();
    let check = async || setup.redrover(&["check", "--web.config.file", &path]).await;
    let output = check().await;
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("web.yml: the web rules are right (1 user(s))"), "{}", output.stdout);

    fs::write(&file, text.replace("cert_file", "certfile")).expect("the rules can be written");
    let output = check().await;
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.stderr.contains("did you mean cert_file?"), "{}", output.stderr);
    let mut command = run_command(&setup, &[]);
    let output = run("redrover", command.arg("--web.config.file").arg(&file), START_LIMIT).await;
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("did you mean cert_file?"), "{}", output.stderr);
}
