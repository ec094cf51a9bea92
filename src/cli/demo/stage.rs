//! The stage: a folder, free ports, and the servers, all of which end with the demo.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::story::{Dns, Without};

/// Where the two Redis sites listen: as in production they differ in their address, not in their port.
pub(super) const SITES: [(&str, &str); 2] = [("dc-a", "127.0.0.11"), ("dc-b", "127.0.0.12")];
/// The name that clients use.
pub(super) const NAME: &str = "sessions.demo.test";
/// A server has so long to come up.
const START_LIMIT: Duration = Duration::from_secs(20);

const PROMETHEUS: &str = include_str!("../../../deploy/prometheus/prometheus.yml");
const ALERTMANAGER: &str = include_str!("../../../deploy/alertmanager/alertmanager.yml");
const RULES: &str = include_str!("../../../rules/redrover.yml");

/// Everything that runs.
pub(super) struct Stage {
    folder: PathBuf,
    keeps_folder: bool,
    children: Vec<(&'static str, Child)>,
    /// The port of both Redis sites.
    pub(super) redis_port: u16,
    /// The agent.
    pub(super) agent: SocketAddr,
    /// Prometheus.
    pub(super) prometheus: SocketAddr,
    /// Alertmanager.
    pub(super) alertmanager: SocketAddr,
    /// The name server of the zone.
    pub(super) dns: SocketAddr,
    route53: Option<(String, String)>,
}

impl Stage {
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("redrover-demo-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let stage = Self {
            folder,
            keeps_folder: false,
            children: Vec::new(),
            redis_port: free_port(&["127.0.0.11", "127.0.0.12"])?,
            agent: local(free_port(&["127.0.0.1"])?),
            prometheus: local(free_port(&["127.0.0.1"])?),
            alertmanager: local(free_port(&["127.0.0.1"])?),
            dns: local(free_port(&["127.0.0.1"])?),
            route53: None,
        };
        Ok(stage)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves the logs where they are when everything ends.
    pub(super) fn keep_folder(&mut self) {
        self.keeps_folder = true;
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.folder.join("redrover.yml")
    }

    pub(super) fn redis_url(&self, site: usize) -> String {
        format!("redis://{}:{}", SITES[site].1, self.redis_port)
    }

    /// Starts a Redis site; the second follows the first.
    pub(super) async fn start_redis(&mut self, site: usize) -> anyhow::Result<()> {
        let (name, address) = SITES[site];
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)?;
        let mut command = Command::new(program(&["redis-server"])?);
        let port = self.redis_port.to_string();
        command.arg("--dir").arg(&folder).args([
            "--bind",
            address,
            "--bind-source-addr",
            address,
            "--port",
            &port,
        ]);
        command.args(["--save", "", "--repl-diskless-sync-delay", "0", "--repl-timeout", "5"]);
        // Redis holds only 127.0.0.1 for this machine, and the sites have other loopback addresses.
        command.args(["--protected-mode", "no"]);
        if site == 1 {
            command.args(["--replicaof", SITES[0].1, &port]);
        }
        self.spawn(name, command)?;
        let url = self.redis_url(site);
        wait_for(name, async || super::observer::ping(&url).await).await
    }

    /// Kills a site's Redis, as an out-of-memory killer would.
    pub(super) async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let at = self.children.iter().position(|(n, _)| *n == name).context("it does not run")?;
        let (_, mut child) = self.children.remove(at);
        child.kill().await.context("it cannot be killed")
    }

    pub(super) async fn start_prometheus(&mut self, without: Option<Without>) -> anyhow::Result<()> {
        fs::write(self.folder.join("rules.yml"), RULES)?;
        let token = self.folder.join("webhook-token");
        fs::write(&token, "demo-token")?;
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600))?;
        let path = match without {
            Some(Without::Webhook) => "/nowhere",
            Some(Without::Promotion) | None => "/webhook/alertmanager",
        };
        let alertmanager = ALERTMANAGER
            .replace("/webhook/alertmanager", path)
            .replace("127.0.0.1:9911", &self.agent.to_string())
            .replace("/etc/redrover/webhook-token", &self.folder.join("webhook-token").to_string_lossy());
        fs::write(self.folder.join("alertmanager.yml"), alertmanager)?;
        let prometheus = PROMETHEUS
            .replace("127.0.0.1:9911", &self.agent.to_string())
            .replace("127.0.0.1:9093", &self.alertmanager.to_string())
            .replace("127.0.0.1:9090", &self.prometheus.to_string())
            .replace("../../rules/redrover.yml", "rules.yml")
            .replace("scrape_interval: 5s", "scrape_interval: 1s")
            .replace("scrape_timeout: 3s", "scrape_timeout: 900ms")
            .replace("evaluation_interval: 5s", "evaluation_interval: 1s");
        fs::write(self.folder.join("prometheus.yml"), prometheus)?;

        let mut command = Command::new(program(&["prometheus-alertmanager", "alertmanager"])?);
        command.arg(format!("--config.file={}", self.folder.join("alertmanager.yml").display()));
        command.arg(format!("--storage.path={}", self.folder.join("alertmanager").display()));
        command.arg(format!("--web.listen-address={}", self.alertmanager)).arg("--cluster.listen-address=");
        self.spawn("alertmanager", command)?;
        let mut command = Command::new(program(&["prometheus"])?);
        command.arg(format!("--config.file={}", self.folder.join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", self.folder.join("prometheus").display()));
        command.arg(format!("--web.listen-address={}", self.prometheus));
        self.spawn("prometheus", command)?;
        for (name, address) in [("alertmanager", self.alertmanager), ("prometheus", self.prometheus)] {
            let url = format!("http://{address}/-/ready");
            wait_for(name, async || super::observer::get(&url).await.is_some()).await?;
        }
        Ok(())
    }

    /// Starts the stand-in for Route 53.
    pub(super) async fn start_route53(&mut self) -> anyhow::Result<()> {
        let sandbox = std::env::current_exe()?.with_file_name("route53-sandbox");
        if !sandbox.exists() {
            bail!("{} is missing; build it with `cargo build --workspace`", sandbox.display());
        }
        let mut command = Command::new(sandbox);
        command.args([
            "--zone",
            "demo.test",
            "--zone-id",
            "ZDEMO",
            "--listen",
            "127.0.0.1:0",
            "--sync-delay",
            "500ms",
        ]);
        command.args(["--dns-listen", "127.0.0.1:0", "--record", &format!("{NAME} A 5 {}", SITES[0].1)]);
        command.stdout(Stdio::piped());
        let stdout = self.spawn("route53-sandbox", command)?.stdout.take().context("no output to read")?;
        let line = tokio::time::timeout(START_LIMIT, BufReader::new(stdout).lines().next_line()).await??;
        let said: serde_json::Value = serde_json::from_str(&line.context("the stand-in said nothing")?)?;
        let text = |key: &str| {
            said[key].as_str().map(str::to_owned).with_context(|| format!("it did not say its {key}"))
        };
        self.dns = text("dns")?.parse()?;
        self.route53 = Some((text("api")?, text("zone_id")?));
        Ok(())
    }

    /// Starts BIND.
    pub(super) async fn start_named(&mut self) -> anyhow::Result<()> {
        let record = format!("{NAME}. 5 IN A {}", SITES[0].1);
        let named = program(&["named"])?;
        let command = super::named::command(&named, &self.folder.join("named"), self.dns, &record)?;
        self.spawn("named", command)?;
        let dns = self.dns;
        wait_for("named", async || super::observer::resolve(dns, NAME).await.is_some()).await
    }

    pub(super) fn write_config(&self, dns: Dns, without: Option<Without>) -> anyhow::Result<()> {
        let server = self.dns;
        let provider = match dns {
            Dns::Route53 => {
                let (api, zone) = self.route53.as_ref().context("the stand-in for Route 53 is not up")?;
                format!(
                    "provider: route53, zone_id: {zone}, endpoint: \"{api}\", name_servers: [\"{server}\"]"
                )
            }
            Dns::Rfc2136 => super::named::record(&self.folder.join("named"), server),
            Dns::Embedded => format!("provider: embedded, name_servers: [\"{server}\"]"),
        };
        let zone = match dns {
            Dns::Embedded => format!(
                "embedded_dns: {{listen: \"{}\", zone: demo.test, name_servers: [ns1.demo.test]}}\n",
                self.dns
            ),
            Dns::Route53 | Dns::Rfc2136 => String::new(),
        };
        let promote = match without {
            Some(Without::Promotion) => "",
            Some(Without::Webhook) | None => "    promote: {kind: replicaof}\n",
        };
        let sites: String = SITES
            .iter()
            .enumerate()
            .map(|(i, (name, address))| {
                let url = self.redis_url(i);
                format!("      - {{datacenter: {name}, dns_target: {address}, targets: [\"{url}\"]}}\n")
            })
            .collect();
        let text = format!(
            "global: {{probe_interval: 500ms, probe_timeout: 300ms}}\n\
             agent: {{name: demo-agent, failure_domain: office, data_dir: data}}\n\
             datacenters: [{{name: dc-a}}, {{name: dc-b}}]\n\
             webhook: {{bearer_token_file: webhook-token}}\n\
             alertmanager: {{url: \"http://{}\"}}\n{zone}\
             services:\n  - name: sessions\n    topology: replication\n    mode: automatic\n    \
             record: {{{provider}, name: {NAME}, type: A, ttl: 5s}}\n    sites:\n{sites}{promote}    \
             canary: {{enabled: true}}\n    \
             policy: {{accept_fewer_vantages: true, confirm_window: 3s, confirm_rounds: 4, isolation_confirm: 10s}}\n",
            self.alertmanager
        );
        fs::write(self.config_file(), text).context("cannot write the configuration")
    }

    pub(super) async fn start_agent(&mut self) -> anyhow::Result<()> {
        let mut command = redrover()?;
        command.arg("run").arg("--config.file").arg(self.config_file());
        command.arg(format!("--web.listen-address={}", self.agent));
        self.spawn("redrover", command)?;
        let url = format!("http://{}/-/ready", self.agent);
        wait_for("redrover", async || super::observer::get(&url).await.is_some()).await
    }

    /// Runs a redrover command to its end and returns what it printed.
    pub(super) async fn redrover(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut command = redrover()?;
        let output = command.args(words).arg("--config.file").arg(self.config_file()).output().await?;
        if !output.status.success() {
            bail!("redrover {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn spawn(&mut self, name: &'static str, mut command: Command) -> anyhow::Result<&mut Child> {
        let log = fs::File::create(self.folder.join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stderr(log.try_clone()?).kill_on_drop(true);
        if name != "route53-sandbox" {
            command.stdout(log);
        }
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        self.children.push((name, child));
        self.children.last_mut().map(|(_, child)| child).context("just pushed")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The children end by themselves (kill_on_drop); a folder that cannot be removed is not worth an error.
        self.children.clear();
        if !self.keeps_folder {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Waits until a server is up.
async fn wait_for(name: &str, mut is_up: impl AsyncFnMut() -> bool) -> anyhow::Result<()> {
    let poll = async {
        while !is_up().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(START_LIMIT, poll).await.with_context(|| format!("{name} did not come up"))
}

/// This program, with credentials that the stand-in for Route 53 takes and that mean nothing anywhere else.
fn redrover() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env("AWS_ACCESS_KEY_ID", "DEMO").env("AWS_SECRET_ACCESS_KEY", "demo");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    Ok(command)
}

fn program(names: &[&str]) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers may stand where only root's path leads.
    let folders = || std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = names.iter().find_map(|name| folders().map(|p| p.join(name)).find(|p| p.is_file()));
    found.with_context(|| format!("{} is not installed", names.join(" or ")))
}

/// A port that is free at all these addresses, for TCP and UDP.
fn free_port(addresses: &[&str]) -> anyhow::Result<u16> {
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let port = TcpListener::bind((addresses[0], 0))?.local_addr()?.port();
        let is_free = |a: &str| TcpListener::bind((a, port)).is_ok() && UdpSocket::bind((a, port)).is_ok();
        if addresses.iter().all(|a| is_free(a)) {
            return Ok(port);
        }
    }
    bail!("no free port was found at {}", addresses.join(", "))
}
