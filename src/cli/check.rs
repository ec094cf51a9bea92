//! `redrover check`: whether the configuration is right, and with `--connect` whether everything it names is there.

mod record;
mod redis;
mod report;

use std::error::Error;
use std::time::Duration;

use clap::Args;

use self::report::{Fault, Report};
use super::parts::{ConfigArgs, Failure, config};
use crate::config::{Alertmanager, Config};

/// Deadline for Alertmanager's answer.
const HTTP_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try every target (with the write canary), the DNS provider (reading only) and Alertmanager.
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
    for service in &config.services {
        println!("{}", service.name);
        redis::targets(config, service, &mut report).await?;
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
