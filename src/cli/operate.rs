//! `redrover ack | pause | resume SERVICE`: a person's orders, written into the journal that the agent reads each cycle.

use clap::Args;

use super::parts::{Failure, JournalArgs, config, service};
use crate::app::{now, open_dns_read_only};
use crate::decide::fence_of;
use crate::store::{Body, Journal as _, NewEntry, OperatorAction, SqliteJournal};

#[derive(Debug, Args)]
pub(super) struct OperateArgs {
    /// The service.
    service: String,
    #[command(flatten)]
    journal: JournalArgs,
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

fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}
