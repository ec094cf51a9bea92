//! The `route53-sandbox` program.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use route53_sandbox::{Options, PrivateZone, RecordSpec, RecordSpecError, Sandbox, ThrottleOptions};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;
use tracing_subscriber::EnvFilter;

/// A strict stand-in for Amazon Route 53 that serves its zone over DNS.
///
/// Once it listens it prints one line of JSON: {"api":"http://..","dns":"..","zone_id":".."}
#[derive(Debug, Parser)]
#[command(version, args_override_self = true)]
struct Cli {
    /// The zone's name.
    #[arg(long)]
    zone: String,
    /// The hosted zone's id.
    #[arg(long)]
    zone_id: String,
    /// A record that exists from the start, as 'name type ttl value..'; may be repeated.
    #[arg(long = "record", value_name = "RECORD")]
    records: Vec<RecordSpec>,
    /// A private zone beside it, as 'id name'; DNS does not serve it. May be repeated.
    #[arg(long = "private-zone", value_name = "ZONE", value_parser = private_zone, conflicts_with = "state")]
    private_zones: Vec<PrivateZone>,
    /// A record of a private zone, as 'id name type ttl value..'; may be repeated.
    #[arg(long = "private-record", value_name = "RECORD", value_parser = private_record)]
    private_records: Vec<(String, RecordSpec)>,
    /// A long-lived access key that is known; without any, every key is. May be repeated.
    #[arg(long = "access-key", value_name = "ID")]
    access_keys: Vec<String>,
    /// A delegated name server; may be repeated.
    #[arg(long = "name-server", value_name = "NAME")]
    name_servers: Vec<String>,
    /// The address of the API.
    #[arg(long, default_value_t = loopback())]
    listen: SocketAddr,
    /// The address of DNS, UDP and TCP.
    #[arg(long, default_value_t = loopback())]
    dns_listen: SocketAddr,
    /// How long a change stays PENDING, in ms or s.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    sync_delay: Duration,
    /// Refuse a change while another one is PENDING.
    #[arg(long)]
    strict_pending: bool,
    /// How many requests may come at once.
    #[arg(long, requires = "throttle_per_second")]
    throttle_burst: Option<u32>,
    /// How many requests may come each second in the long run.
    #[arg(long, requires = "throttle_burst", value_parser = rate)]
    throttle_per_second: Option<f64>,
    /// Keep the records in this file across restarts.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let options = Cli::parse().options()?;
    // Before the line is printed, for whoever reads it may send the signal at once.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let running = Sandbox::start(options).await?;
    let ready = serde_json::json!({
        "api": running.api_url(),
        "dns": running.dns_addr().to_string(),
        "zone_id": running.zone_id(),
    });
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{ready}")
        .and_then(|()| stdout.flush())
        .context("cannot print where the sandbox listens")?;
    drop(stdout);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    info!("the sandbox has stopped");
    Ok(())
}

impl Cli {
    fn options(self) -> anyhow::Result<Options> {
        let mut options = Options::new(self.zone, self.zone_id);
        options.records = self.records;
        options.access_keys = self.access_keys;
        options.private_zones = self.private_zones;
        for (id, record) in self.private_records {
            let zone = options.private_zones.iter_mut().find(|zone| zone.id == id);
            zone.with_context(|| format!("there is no private zone {id}"))?.records.push(record);
        }
        if !self.name_servers.is_empty() {
            options.name_servers = self.name_servers;
        }
        options.listen = self.listen;
        options.dns_listen = self.dns_listen;
        options.sync_delay = self.sync_delay;
        options.strict_pending = self.strict_pending;
        options.throttle = self
            .throttle_burst
            .zip(self.throttle_per_second)
            .map(|(burst, per_second)| ThrottleOptions { burst, per_second });
        options.state = self.state;
        Ok(options)
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn private_zone(text: &str) -> Result<PrivateZone, String> {
    let (id, name) = text.split_once(' ').ok_or_else(|| format!("{text:?} is not 'id name'"))?;
    Ok(PrivateZone { id: id.to_owned(), name: name.trim().to_owned(), records: Vec::new() })
}

fn private_record(text: &str) -> Result<(String, RecordSpec), String> {
    let (id, record) = text.split_once(' ').ok_or_else(|| format!("{text:?} is not 'id record'"))?;
    Ok((id.to_owned(), record.parse().map_err(|error: RecordSpecError| error.to_string())?))
}

fn duration(text: &str) -> Result<Duration, String> {
    let number =
        |digits: &str| digits.parse::<u64>().map_err(|_| format!("{text:?} is not a time like 500ms or 2s"));
    match text.strip_suffix("ms") {
        Some(digits) => number(digits).map(Duration::from_millis),
        None => number(text.strip_suffix('s').unwrap_or("")).map(Duration::from_secs),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate >= 0.0 && rate.is_finite() => Ok(rate),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a rate of 0 or more")),
    }
}
