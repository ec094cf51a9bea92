//! The `redis-enterprise-sandbox` program.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use redis_enterprise_sandbox::{Options, Plan, Sandbox};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;
use tracing_subscriber::EnvFilter;

/// A stand-in for clusters of Redis Enterprise: REST API, Redis protocol, metrics and DNS over one state.
///
/// Once it listens it prints one line of JSON that says where everything is.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The clusters, a JSON file; without it two, with an Active-Active database, a copy and a plain one.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The address of the control endpoint.
    #[arg(long, default_value_t = loopback())]
    listen: SocketAddr,
    /// The address of DNS, UDP and TCP.
    #[arg(long, default_value_t = loopback())]
    dns_listen: SocketAddr,
    /// Write the certificate of each cluster to NAME.pem in this folder.
    #[arg(long, value_name = "FOLDER")]
    certificates: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let cli = Cli::parse();
    let plan = match &cli.plan {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Plan::parse(&text).with_context(|| format!("cannot use {}", path.display()))?
        }
        None => Plan::standard(),
    };
    let options = Options { plan, control: cli.listen, dns: cli.dns_listen, folder: cli.certificates };
    // Before the line is printed, for whoever reads it may send the signal at once.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let running = Sandbox::start(options).await?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", running.hello())
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

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
