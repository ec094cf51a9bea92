//! `redrover check`: whether the configuration is right, and with `--connect` whether everything it names is there.

mod around;
mod record;
mod redis;
mod report;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use prometheus_client::registry::Registry;

use self::report::{Fault, Report};
use super::parts::{ConfigArgs, Failure, config};
use crate::config::{Alertmanager, Config};
use crate::monitor::{Collectors, Metrics, Monitor};
use crate::types::SystemClock;

/// Deadline for Alertmanager's answer.
const HTTP_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try everything that the file names: every target (with the write canary), the DNS provider (reading only),
    /// clusters, checks, Prometheus and Alertmanager.
    #[arg(long)]
    connect: bool,
}

pub(super) async fn run(args: CheckArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    println!(
        "{}: the configuration is right ({} service(s))",
        args.config.file.display(),
        config.services.len()
    );
    if args.connect {
        connect(&config).await?;
    }
    Ok(())
}

async fn connect(config: &Config) -> anyhow::Result<()> {
    let mut report = Report::default();
    let metrics = Metrics::register(&mut Registry::default());
    let collectors = Arc::new(Collectors::new(config, metrics, Arc::new(SystemClock::new()))?);
    let deadline = config.global.probe_timeout;
    around::agent(config, &collectors, &mut report).await;
    for service in &config.services {
        println!("{}", service.name);
        let monitor = Monitor::new(service, Arc::clone(&collectors))?;
        redis::targets(service, &monitor, deadline, &mut report).await;
        around::client_errors(&monitor, deadline, &mut report).await;
        record::record(config, service, &mut report).await;
    }
    if let Some(place) = &config.alertmanager {
        alertmanager(place, &mut report).await;
    }
    report.end()
}

async fn alertmanager(place: &Alertmanager, report: &mut Report) {
    let url = format!("{}/-/ready", place.url.as_str().trim_end_matches('/'));
    let ask = async { reqwest::get(&url).await?.error_for_status() };
    let fault = match tokio::time::timeout(HTTP_DEADLINE, ask).await {
        Ok(Ok(_)) => return report.good("Alertmanager", "is ready"),
        Ok(Err(error)) => format!("{url}: {}", innermost(&error)),
        Err(_) => format!("{url} does not answer in time"),
    };
    report.bad("Alertmanager", &Fault::Failed(fault));
}

/// What really happened; the errors around it only say where.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
