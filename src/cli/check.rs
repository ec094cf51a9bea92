//! `redrover check`: whether the configuration is right, and with `--connect` whether everything it names is there.

mod around;
mod cluster;
mod hooks;
mod record;
mod redis;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use prometheus_client::registry::Registry;

use self::report::{Fault, Report};
use super::parts::{ConfigArgs, Failure, beside_the_agent, config};
use crate::act::dns::route53;
use crate::config::{Alertmanager, Config};
use crate::monitor::{Collectors, Metrics, Monitor, SilenceClient, incident_labels};
use crate::serve::{self, WebError, WebKeeper};
use crate::types::SystemClock;

/// Deadline for Alertmanager's answer.
const ALERTMANAGER_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try everything that the file names: every target (with the write canary), the DNS provider (reading only),
    /// clusters, checks, Prometheus and Alertmanager.
    #[arg(long)]
    connect: bool,
    /// Print, instead, the least that the AWS credentials must allow for the records at Route 53, as an IAM policy.
    #[arg(long, conflicts_with = "connect")]
    iam_policy: bool,
    /// Also say whether this file of web rules is right.
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
}

pub(super) async fn run(args: CheckArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    if args.iam_policy {
        return iam_policy(&config);
    }
    println!(
        "{}: the configuration is right ({} service(s))",
        args.config.file.display(),
        config.services.len()
    );
    if let Some(file) = &args.web_config_file {
        web(file)?;
    }
    if args.connect {
        connect(&config).await?;
    }
    Ok(())
}

fn iam_policy(config: &Config) -> Result<(), Failure> {
    let policy = route53::policy(config.services.iter().map(|service| &service.record))?;
    let policy = policy.ok_or_else(|| Failure::Wrong("no record is held at Route 53".to_owned()))?;
    println!("{policy:#}");
    Ok(())
}

/// Reads the web rules as the agent will, certificates and keys included.
fn web(file: &Path) -> Result<(), Failure> {
    let metrics = serve::Metrics::register(Registry::default());
    let wrong = |error: WebError| Failure::Wrong(format!("{:#}", anyhow::Error::from(error)));
    let keeper = WebKeeper::open(Some(file.to_owned()), metrics).map_err(wrong)?;
    for warning in keeper.warnings() {
        eprintln!("warning: {warning}");
    }
    println!("{}: the web rules are right ({} user(s))", file.display(), keeper.users_count());
    Ok(())
}

async fn connect(config: &Config) -> anyhow::Result<()> {
    let mut report = Report::default();
    let metrics = Metrics::register(&mut Registry::default());
    let collectors =
        Arc::new(Collectors::new(&beside_the_agent(config), metrics, Arc::new(SystemClock::new()))?);
    let deadline = config.global.probe_timeout;
    around::agent(config, &collectors, &mut report).await;
    for service in &config.services {
        println!("{}", service.name);
        let monitor = Monitor::new(service, Arc::clone(&collectors))?;
        redis::targets(service, &monitor, deadline, &mut report).await;
        cluster::promotions(config, service, &mut report).await;
        around::client_errors(&monitor, deadline, &mut report).await;
        record::record(config, service, &mut report).await;
        hooks::programs(service, &mut report);
    }
    if let Some(place) = &config.alertmanager {
        alertmanager(place, config, &mut report).await?;
    }
    report.end()
}

/// Asks for silences, as the agent will.
async fn alertmanager(place: &Alertmanager, config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let what = format!("Alertmanager {}", place.url);
    let sites = config.services.iter().flat_map(|service| service.sites.iter().map(move |s| (service, s)));
    let names: Vec<_> = sites.map(|(service, site)| (service.name.as_str(), site.name.as_str())).collect();
    let labels: Vec<_> = names.iter().map(|(service, site)| incident_labels(service, site)).collect();
    let client = SilenceClient::new(place, ALERTMANAGER_DEADLINE)?;
    match client.of(&labels, ALERTMANAGER_DEADLINE).await {
        Ok(found) => {
            let silenced = names.iter().zip(found).filter(|(_, silence)| silence.is_some());
            let silenced: Vec<_> =
                silenced.map(|((service, site), _)| format!("{service} at {site}")).collect();
            let said = match silenced.is_empty() {
                true => "silences no incident".to_owned(),
                false => format!("silences the incidents of {}: no automatic switch", silenced.join(", ")),
            };
            report.good(&what, &said);
        }
        Err(gap) => report.bad(&what, &Fault::of("no clear answer", &gap)),
    }
    Ok(())
}
