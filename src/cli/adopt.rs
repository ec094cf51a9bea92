//! `redrover adopt SERVICE`: writes the first fence, after showing what stands there and asking.

mod roles;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::operate::user;
use super::parts::{ConfigArgs, Failure, config, confirmed, service};
use crate::act::dns::{Dns, RecordChange, SendBy};
use crate::app::{now, open_dns};
use crate::config::{Config, Provider, Service, Site};
use crate::decide::fence_of;
use crate::store::{Body, Journal as _, NewEntry, SqliteJournal};
use crate::types::{Fence, RecordState, ResourceSet, SiteName, SystemClock};

/// The change must leave within this time of the last look at the record.
const SEND_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct AdoptArgs {
    /// The service.
    service: String,
    /// The site that is active. Needed only where no record exists yet (provider `embedded`).
    #[arg(long, value_name = "DATACENTER")]
    active: Option<String>,
    /// Adopt a site that says that it is a replica, although another says that it is the primary.
    #[arg(long)]
    force: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: AdoptArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    let service = service(&config, &args.service)?;
    let dns = open_dns(&config, service).await?;
    let found = dns.read().await?;
    let seen = seen(&found)?;
    let active = active(&args, service, &seen)?;
    let wanted = wanted(&config, service, &seen, active)?;
    match roles::contradiction(&config, service, active).await? {
        Some(why) if !args.force => return Err(anyhow::anyhow!("not adopted: {why}; or use --force").into()),
        Some(why) => println!("--force, although {why}"),
        None => {}
    }

    let (name, kind) = (&service.record.name, service.record.kind.as_str());
    println!("{name} {kind}: {}", shown(found.record.as_ref()));
    println!("fence: {}", shown(found.fence.as_ref()));
    println!("will become");
    println!("{name} {kind}: {}", shown(wanted.record.as_ref()));
    println!("fence: {}", shown(wanted.fence.as_ref()));
    if !args.yes && !confirmed("Write it?")? {
        return Err(anyhow::anyhow!("not adopted").into());
    }
    adopt(&config, service, &*dns, found, wanted, active).await?;
    println!("{}: adopted; {} is active", service.name, active.name);
    Ok(())
}

/// What stands there, as one state. Two zones may differ in their fences, which are written anew; not in the record.
fn seen(found: &RecordState) -> Result<RecordState, Failure> {
    let Some((first, second)) = found.parted() else { return Ok(found.clone()) };
    let values = |state: &RecordState| state.record.as_ref().map(|set| set.values.clone());
    if values(&first) != values(&second) {
        let text = format!(
            "the public zone holds {}, the private one {}; make them the same first, pointing to the active site",
            shown(first.record.as_ref()),
            shown(second.record.as_ref())
        );
        return Err(Failure::Wrong(text));
    }
    let epoch = |state: &RecordState| fence_of(state).ok().flatten().map_or(0, |fence| fence.epoch);
    Ok(if epoch(&second) > epoch(&first) { second } else { first })
}

fn active<'a>(args: &AdoptArgs, service: &'a Service, found: &RecordState) -> Result<&'a Site, Failure> {
    let named = args.active.as_ref().map(|name| {
        let site = service.sites.iter().find(|s| s.name.as_str() == name);
        site.ok_or_else(|| Failure::Wrong(format!("{} has no site {name:?}", service.name)))
    });
    let Some(record) = &found.record else {
        if service.record.provider != Provider::Embedded {
            let text = format!(
                "there is no record {}; create it first, pointing to the active site",
                service.record.name
            );
            return Err(Failure::Wrong(text));
        }
        return named.unwrap_or_else(|| {
            Err(Failure::Wrong("say which site is active: --active DATACENTER".to_owned()))
        });
    };
    let pointed = service.site_of(&record.values).ok_or_else(|| {
        let value = record.values.iter().cloned().collect::<Vec<_>>().join(", ");
        Failure::Wrong(format!("the record holds {value:?}, which is the dns_target of no configured site"))
    })?;
    match named.transpose()? {
        Some(site) if site.name != pointed.name => {
            Err(Failure::Wrong(format!("the record points to {}, not to {}", pointed.name, site.name)))
        }
        Some(_) | None => Ok(pointed),
    }
}

fn wanted(
    config: &Config,
    service: &Service,
    found: &RecordState,
    active: &Site,
) -> Result<RecordState, Failure> {
    let ttl = service.record.ttl_seconds;
    // A damaged fence is replaced by a person's word; its epoch cannot be read, so time stands in for it.
    let epoch = match fence_of(found) {
        Ok(None) => 1,
        Ok(Some(fence)) => fence.epoch.saturating_add(1),
        Err(_) => now().unix_seconds(),
    };
    let fence = Fence {
        owner: config.agent.name.clone(),
        epoch,
        active: active.name.clone(),
        from: left(found, active),
        at: now().unix_seconds(),
        decision: format!("{}{:x}", Fence::ADOPTION, now().unix_ms()),
        intent: None,
    };
    Ok(RecordState {
        record: found.record.clone().or_else(|| Some(service.set_of(active))),
        fence: Some(ResourceSet::single(ttl, fence.to_string())),
    })
}

/// The site that was left: an old primary stays under the standing order through an adoption.
fn left(found: &RecordState, active: &Site) -> SiteName {
    match fence_of(found) {
        Ok(Some(fence)) if fence.active == active.name => fence.from,
        Ok(Some(fence)) => fence.active,
        Ok(None) | Err(_) => active.name.clone(),
    }
}

async fn adopt(
    config: &Config,
    service: &Service,
    dns: &dyn Dns,
    expected: RecordState,
    wanted: RecordState,
    active: &Site,
) -> Result<(), Failure> {
    let epoch = fence_of(&wanted)?.map_or(1, |fence| fence.epoch);
    let journal = SqliteJournal::open(&config.agent.data_dir)?;
    let body = Body::Adopted { epoch, active: active.name.clone(), by: Some(user()) };
    let entry = NewEntry { at_unix_ms: now().unix_ms(), service: service.name.clone(), incident: None, body };
    let send = SendBy::within(SEND_LIMIT, None, Arc::new(SystemClock::new()));
    dns.change(&RecordChange { expected, wanted }, &send).await?;
    journal.append(vec![entry]).await?;
    Ok(())
}

fn shown(set: Option<&ResourceSet>) -> String {
    set.map_or_else(
        || "(none)".to_owned(),
        |set| {
            format!(
                "{} (TTL {} s)",
                // Somebody else's text goes to a terminal.
                set.values.iter().map(|v| v.escape_debug().to_string()).collect::<Vec<_>>().join(" "),
                set.ttl_seconds
            )
        },
    )
}
