//! `redrover check`: whether the configuration is right, and with `--connect` whether everything it names can be reached.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use prometheus_client::registry::Registry;

use super::parts::{ConfigArgs, Failure, config};
use crate::app::open_dns;
use crate::config::{Config, Service, Topology};
use crate::decide::fence_of;
use crate::monitor::{Metrics, Monitor, SiteClient as _, TlsProfiles, WriteCanary};
use crate::types::{CanaryResult, Role, SystemClock, TargetSnapshot};

/// Deadline for Alertmanager's answer.
const HTTP_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try every target, the DNS provider (reading only) and Alertmanager.
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
    let mut report = Report { missing: 0 };
    for service in &config.services {
        println!("{}", service.name);
        targets(config, service, &mut report).await?;
        record(config, service, &mut report).await;
    }
    if let Some(alertmanager) = &config.alertmanager {
        let base = alertmanager.url.as_str().trim_end_matches('/');
        let ask = async { reqwest::get(format!("{base}/-/ready")).await?.error_for_status() };
        match tokio::time::timeout(HTTP_DEADLINE, ask).await {
            Ok(Ok(_)) => report.good("Alertmanager", "is ready"),
            Ok(Err(error)) => report.bad("Alertmanager", &format!("{error}")),
            Err(_) => report.bad("Alertmanager", "does not answer in time"),
        }
    }
    match report.missing {
        0 => Ok(()),
        n => bail!("{n} of the checks failed"),
    }
}

struct Report {
    missing: usize,
}

impl Report {
    fn good(&self, what: &str, why: &str) {
        println!("  ok       {what}: {why}");
    }

    fn bad(&mut self, what: &str, why: &str) {
        self.missing += 1;
        println!("  MISSING  {what}: {why}");
    }
}

async fn targets(config: &Config, service: &Service, report: &mut Report) -> anyhow::Result<()> {
    let clock = std::sync::Arc::new(SystemClock::new());
    let metrics = Metrics::register(&mut Registry::default());
    let monitor = Monitor::new(service, &config.agent.name, &TlsProfiles::new(), metrics, clock)?;
    for site in &service.sites {
        let seen = monitor.look(&site.name, config.global.probe_timeout, WriteCanary::Write).await;
        for target in &seen.targets {
            let what = format!("{} {}", site.name, target.target);
            match verdict(target, service) {
                Ok(why) => report.good(&what, &why),
                Err(why) => report.bad(&what, &why),
            }
        }
    }
    Ok(())
}

fn verdict(seen: &TargetSnapshot, service: &Service) -> Result<String, String> {
    let gap =
        |what: &str, gap: &crate::types::Gap| format!("{what}: {} ({})", gap.reason.as_str(), gap.detail);
    let ping = seen.ping.as_ref().map_err(|g| gap("no answer", g))?;
    let facts = seen.facts.as_ref().map_err(|g| gap("INFO is not allowed or cut", g))?;
    let is_replica = facts.role == Some(Role::Replica);
    let canary = match &seen.canary {
        CanaryResult::Written(_) => "the write canary passed",
        CanaryResult::NotAsked => "no write canary",
        CanaryResult::Failed(_) if is_replica && service.topology == Topology::Replication => {
            "a replica, as it should be"
        }
        CanaryResult::Failed(g) => return Err(gap("the write canary failed", g)),
    };
    Ok(format!("answers in {:.1} ms; {canary}", ping.as_secs_f64() * 1e3))
}

async fn record(config: &Config, service: &Service, report: &mut Report) {
    let what = format!("record {}", service.record.name);
    let dns = match open_dns(config, service).await {
        Ok(dns) => dns,
        Err(error) => return report.bad(&what, &error.to_string()),
    };
    let missing = dns.check().await;
    if missing.is_empty() {
        report.good(&what, "the provider lets this agent read; the right to change shows only in a change");
    }
    missing.iter().for_each(|error| report.bad(&what, &error.to_string()));
    let state = match dns.read().await {
        Ok(state) => state,
        Err(error) => return report.bad(&what, &error.to_string()),
    };
    match (&state.record, fence_of(&state)) {
        (None, _) => report.bad(&what, "there is no such record"),
        (Some(_), Err(error)) => report.bad(&what, &error.to_string()),
        (Some(_), Ok(None)) => report.bad(&what, "it has no fence; run `redrover adopt`"),
        (Some(_), Ok(Some(fence))) => {
            report.good(&what, &format!("{} is active, epoch {}", fence.active, fence.epoch))
        }
    }
    for answer in dns.answers().await {
        match &answer.result {
            Ok(_) => report.good(&what, &answer.to_string()),
            Err(_) => report.bad(&what, &answer.to_string()),
        }
    }
}
