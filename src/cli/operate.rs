//! `redrover ack | pause | resume | maintenance | failover | failback SERVICE`: a person's orders, written into the journal that the agent reads each cycle.

use std::time::Duration;

use clap::Args;

use super::explain::time;
use super::parts::{Failure, JournalArgs, config, service};
use crate::app::{now, open_dns_read_only};
use crate::decide::fence_of;
use crate::store::{Body, Journal as _, Kind, NewEntry, OperatorAction, Query, SqliteJournal};
use crate::types::{NameError, SiteName};

#[derive(Debug, Args)]
pub(super) struct OperateArgs {
    /// The service.
    service: String,
    #[command(flatten)]
    journal: JournalArgs,
}

#[derive(Debug, Args)]
pub(super) struct MaintenanceArgs {
    #[command(flatten)]
    of: OperateArgs,
    /// Only this site: it is never chosen, and never left by itself.
    #[arg(long, value_name = "DATACENTER", value_parser = site)]
    datacenter: Option<SiteName>,
    /// How long, such as 2h.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration, required_unless_present = "end")]
    duration: Option<Duration>,
    /// End it.
    #[arg(long, conflicts_with = "duration")]
    end: bool,
}

#[derive(Debug, Args)]
pub(super) struct FailoverArgs {
    #[command(flatten)]
    of: OperateArgs,
    /// Where to.
    #[arg(long, value_name = "DATACENTER", value_parser = site)]
    to: SiteName,
}

#[derive(Debug, Args)]
pub(super) struct FailbackArgs {
    #[command(flatten)]
    of: OperateArgs,
    /// Do not wait until the site was fit for `policy.failback_stability`; it must be in step all the same.
    #[arg(long)]
    early: bool,
}

/// No automatic action for the service or one of its sites, for a while.
pub(super) async fn maintain(args: MaintenanceArgs) -> Result<(), Failure> {
    let until = now().plus(args.duration.unwrap_or_default());
    let what = args.datacenter.as_ref().map_or("the service", |site| site.as_str());
    let said = match args.end {
        true => format!("{what} is out of maintenance"),
        false => format!("{what} is in maintenance until {}", time(until.unix_ms())),
    };
    let action = OperatorAction::Maintain { site: args.datacenter.clone(), until_unix_ms: until.unix_ms() };
    order(args.of, action, &said).await
}

/// Asks the agent to move the name: it checks the target, and does it within its next round, or says why not.
pub(super) async fn failover(args: FailoverArgs) -> Result<(), Failure> {
    if args.of.journal.is_configured() {
        let config = config(args.of.journal.config_file())?;
        let service = service(&config, &args.of.service)?;
        if service.site(&args.to).is_none() {
            let sites = service.sites.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Failure::Wrong(format!("{} has no site {}; it has {sites}", service.name, args.to)));
        }
    }
    let said = format!("asked to move to {}; `redrover explain` tells what came of it", args.to);
    order(args.of, OperatorAction::Failover { to: args.to }, &said).await
}

/// Asks the agent to move the name back to the site that was left last: the same way as any other switch, once that site
/// was fit for long enough and is in step.
pub(super) async fn failback(args: FailbackArgs) -> Result<(), Failure> {
    let (directory, service) = args.of.journal.find(&args.of.service)?;
    let journal = SqliteJournal::open_read_only(&directory)?;
    let newest = Query {
        service: Some(service.clone()),
        kinds: vec![Kind::Decided],
        is_newest_first: true,
        limit: 1,
        ..Query::default()
    };
    let left = journal.read(newest).await?.into_iter().find_map(|entry| {
        let Body::Decided { decision, .. } = entry.body else { return None };
        decision.recovery.map(|recovery| recovery.site)
    });
    let Some(to) = left else {
        let hint = "`redrover failover` moves to a site that you name";
        return Err(anyhow::anyhow!("{service}: no switch has left a site that is configured; {hint}").into());
    };
    let when = if args.early { "when it is in step" } else { "when it is stable and in step" };
    let said =
        format!("asked to move back to {to} {when}; `redrover explain {service}` tells what came of it");
    order(args.of, OperatorAction::Failback { to, early: args.early }, &said).await
}

pub(super) async fn pause(args: OperateArgs) -> Result<(), Failure> {
    order(args, OperatorAction::Pause, "paused: nothing moves by itself until `redrover resume`").await
}

pub(super) async fn resume(args: OperateArgs) -> Result<(), Failure> {
    order(args, OperatorAction::Resume, "resumed").await
}

pub(super) async fn acknowledge(args: OperateArgs) -> Result<(), Failure> {
    let config = config(args.journal.config_file())?;
    let service = service(&config, &args.service)?;
    let dns = open_dns_read_only(&config, service).await?;
    let state = dns.read().await?;
    let epoch = fence_of(&state)?.map(|fence| fence.epoch);
    order(args, OperatorAction::Acknowledge { epoch }, "acknowledged").await
}

async fn order(args: OperateArgs, action: OperatorAction, said: &str) -> Result<(), Failure> {
    let (directory, service) = args.journal.find(&args.service)?;
    // An order into a journal that no agent reads would be a lie.
    let journal = SqliteJournal::open_existing(&directory)?;
    let body = Body::Ordered { action, by: user() };
    let entry = NewEntry { at_unix_ms: now().unix_ms(), service: service.clone(), incident: None, body };
    journal.append(vec![entry]).await?;
    println!("{service}: {said}");
    Ok(())
}

/// Who runs this command.
pub(super) fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn site(text: &str) -> Result<SiteName, NameError> {
    SiteName::new(text)
}
