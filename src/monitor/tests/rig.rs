//! Real servers and pretended ones for the tests of this room.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::config::{
    Address, Agent, Canary, Config, Global, History, Mode, Policy, Provider, Record, Secret, Service, Site,
    Target, Tls, Topology, Webhook, WebhookAuth,
};
use crate::monitor::{Collectors, Metrics, Monitor, RedisClient, SiteClient, TlsProfiles, WriteCanary};
use crate::types::{
    AgentName, Clock, Moment, RecordName, RecordType, ServiceName, SiteName, SystemClock, TargetName,
    TargetSnapshot,
};

/// Patience with things that happen soon.
const PATIENCE: Duration = Duration::from_secs(20);
/// A deadline that nothing healthy reaches, even on a busy machine.
pub const AMPLE: Duration = Duration::from_secs(10);

/// A clock that a test moves.
pub struct HandClock(Mutex<Moment>);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SystemClock::new().now())))
    }

    pub fn forward(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

/// A redis-server in a directory of its own; dropping it kills it.
pub struct Server {
    child: Child,
    pub port: u16,
    pub dir: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one and waits until it listens.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments).await
    }

    pub async fn start_in(dir: TempDir, arguments: &[&str]) -> Self {
        let port = free_port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"])
            .args(["--repl-diskless-sync-delay", "0", "--dir"])
            .arg(dir.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self { child, port, dir };
        until("the server listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        server
    }

    /// A Sentinel that watches a primary under the name `shop`.
    pub async fn sentinel(primary: &Self) -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let file = dir.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor shop 127.0.0.1 {} 1\n",
            dir.path().display(),
            primary.port
        );
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("redis-server");
        let child = command.arg(&file).arg("--sentinel").stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { child: child.spawn().expect("redis-server is installed"), port, dir };
        until("the Sentinel listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        server
    }

    pub fn target(&self) -> Target {
        target("127.0.0.1", self.port)
    }

    pub fn client(&self) -> RedisClient {
        client(self.target())
    }

    /// Runs a command with redis-cli and returns its output.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .expect("redis-cli is installed");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

/// Waits for a condition, with a limit.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, poll).await.is_ok(), "in vain: {what}");
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn target(host: &str, port: u16) -> Target {
    Target {
        name: TargetName::new(format!("redis://{host}:{port}")).unwrap(),
        address: Address::Tcp { host: host.to_owned(), port },
        tls: None,
        username: None,
        password: None,
        password_file: None,
    }
}

pub fn with_login(target: Target, username: Option<&str>, password: &str) -> Target {
    Target { username: username.map(str::to_owned), password: Some(Secret::new(password)), ..target }
}

pub fn with_tls(target: Target, ca_file: &Path) -> Target {
    Target { tls: Some(Tls { ca_file: Some(ca_file.to_owned()), ..Tls::default() }), ..target }
}

pub fn client(target: Target) -> RedisClient {
    RedisClient::new(target, &TlsProfiles::new(), Arc::new(SystemClock::new())).unwrap()
}

pub fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

/// A service with one site `dc-a` and these targets.
pub fn service(targets: Vec<Target>) -> Service {
    let record = Record {
        name: RecordName::new("redis.example").unwrap(),
        kind: RecordType::Cname,
        ttl_seconds: 5,
        provider: Provider::Embedded,
        read_interval: Duration::from_secs(60),
        name_servers: Vec::new(),
        resolvers: Vec::new(),
    };
    Service {
        name: ServiceName::new("sessions").unwrap(),
        topology: Topology::Replication,
        mode: Mode::Observe,
        record,
        sites: vec![Site { name: site("dc-a"), dns_target: "a.example".into(), targets, database: None }],
        promote: None,
        canary: Some(Canary { key_prefix: "_redrover:".into() }),
        client_errors: None,
        hooks: Default::default(),
        maintenance: Vec::new(),
        dry_run: false,
        policy: Policy::default(),
    }
}

/// A monitor of one site `dc-a` with these targets, and the registry of its metrics.
pub fn monitor(targets: Vec<Target>) -> (Monitor, Registry) {
    monitor_every(AMPLE * 2, targets)
}

/// The same, with so long from one round to the next.
pub fn monitor_every(probe_interval: Duration, targets: Vec<Target>) -> (Monitor, Registry) {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let mut config = config(vec![service(targets)]);
    config.global.probe_interval = probe_interval;
    let collectors = Collectors::new(&config, metrics, Arc::new(SystemClock::new())).unwrap();
    (Monitor::new(&config.services[0], Arc::new(collectors)).unwrap(), registry)
}

/// A configuration with nothing around these services.
pub fn config(services: Vec<Service>) -> Config {
    Config {
        global: Global { probe_interval: AMPLE * 2, probe_timeout: AMPLE },
        agent: Agent {
            name: AgentName::new("a1").unwrap(),
            failure_domain: site("office"),
            data_dir: PathBuf::from("."),
            vantages: Vec::new(),
        },
        self_checks: Vec::new(),
        datacenters: Vec::new(),
        services,
        webhook: Webhook {
            service_label: "redis_service".to_owned(),
            auth: WebhookAuth::Open,
            body_bytes_max: 1024,
        },
        alertmanager: None,
        prometheus: None,
        notify: Vec::new(),
        embedded_dns: None,
        exporter: crate::config::Exporter::default(),
        history: History::default(),
        analysis: crate::config::Analysis::default(),
    }
}

/// One look at one target, with the canary.
pub async fn look(target: Target, deadline: Duration) -> TargetSnapshot {
    let (monitor, _) = monitor(vec![target]);
    monitor.look(&site("dc-a"), deadline, WriteCanary::Write).await.targets.remove(0)
}

/// What a pretended server does after its words: hang up, or stay and say the same to whatever comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Close,
    Stall,
}

/// A server that answers PING, and everything else with these bytes.
pub struct Pretender {
    pub port: u16,
    _tasks: JoinSet<()>,
}

impl Pretender {
    pub async fn start(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = socket.read(&mut buffer).await {
                    if buffer[..length].windows(4).any(|w| w == b"PING") {
                        socket.write_all(b"+PONG\r\n").await.unwrap();
                        continue;
                    }
                    // The client may hang up before it has heard it all.
                    let _ = socket.write_all(&answer).await;
                    if then == Then::Close {
                        break;
                    }
                }
            }
        });
        Self { port, _tasks: tasks }
    }
}

/// A certificate authority, and a server certificate for 127.0.0.1 that it signed, in files.
pub struct Papers {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Papers {
    pub fn write(dir: &Path, name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer_key = rcgen::KeyPair::generate().unwrap();
        let issuer_certificate = params.self_signed(&issuer_key).unwrap();
        let issuer = rcgen::Issuer::new(params, issuer_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = leaf.signed_by(&key, &issuer).unwrap();
        let file = |part: &str, pem: String| {
            let path = dir.join(format!("{name}.{part}"));
            std::fs::write(&path, pem).unwrap();
            path
        };
        Self {
            ca: file("ca", issuer_certificate.pem()),
            certificate: file("crt", certificate.pem()),
            key: file("key", key.serialize_pem()),
        }
    }
}
