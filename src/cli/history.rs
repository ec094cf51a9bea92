//! `redrover history [SERVICE]`: what the journal holds, oldest first; and whether it is as it was written.

mod metrics;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::explain::time;
use super::parts::{Failure, JournalArgs, Output};
use crate::app::now;
use crate::store::{Body, Configured, Entry, Journal as _, Kind, Query, SqliteJournal, verify};
use crate::types::{AlertState, ServiceName};

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Print what was measured of a service's targets, and how it grows.
    Metrics(metrics::MetricsArgs),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,
    /// Only about this service.
    service: Option<String>,
    /// Only entries of this kind; may be given more than once.
    #[arg(long = "kind", value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)))]
    kinds: Vec<String>,
    /// Only entries that are younger, such as 24h; an entry that repeats itself counts by its last time.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// Say whether anything was changed, removed or inserted since it was written, instead of printing it.
    #[arg(long, conflicts_with_all = ["service", "kinds", "since"])]
    verify: bool,
    #[command(flatten)]
    journal: JournalArgs,
    /// How to print; json is one line for each entry.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(super) async fn run(args: HistoryArgs) -> Result<(), Failure> {
    if let Some(HistoryCommand::Metrics(args)) = &args.command {
        return tokio::task::block_in_place(|| metrics::run(args));
    }
    let (directory, service) = match &args.service {
        Some(name) => args.journal.find(name).map(|(directory, service)| (directory, Some(service)))?,
        None => (args.journal.directory()?, None),
    };
    if args.verify {
        return tokio::task::block_in_place(|| say_whether_whole(&directory, args.output));
    }
    print_all(&args, &directory, service).await
}

async fn print_all(
    args: &HistoryArgs,
    directory: &Path,
    service: Option<ServiceName>,
) -> Result<(), Failure> {
    let journal = SqliteJournal::open_read_only(directory)?;
    let kinds = Kind::ALL.into_iter().filter(|kind| args.kinds.iter().any(|k| k == kind.as_str())).collect();
    let mut query = Query { service, kinds, ..Query::default() };
    let age = args.since.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let earliest = age.map_or(i64::MIN, |age| now().unix_ms().saturating_sub(age));
    let mut out = std::io::stdout().lock();
    loop {
        let page = journal.read(query.clone()).await?;
        let Some(last) = page.last() else { return Ok(()) };
        query.after = last.seq;
        for entry in page.iter().filter(|entry| entry.last_unix_ms >= earliest) {
            let line = match args.output {
                Output::Text => text(entry),
                Output::Json => json(entry),
            };
            // Whoever reads may have seen enough.
            if writeln!(out, "{line}").is_err() {
                return Ok(());
            }
        }
    }
}

fn json(entry: &Entry) -> String {
    serde_json::json!({
        "seq": entry.seq,
        "at": time(entry.at_unix_ms),
        "last": time(entry.last_unix_ms),
        "count": entry.count,
        "service": entry.service.as_str(),
        "incident": entry.incident,
        "entry": entry.body,
    })
    .to_string()
}

fn text(entry: &Entry) -> String {
    let often = match entry.count {
        1 => String::new(),
        n => format!(" ({n} times, last at {})", time(entry.last_unix_ms)),
    };
    let (at, kind) = (time(entry.at_unix_ms), entry.body.kind().as_str());
    let service = if entry.service.is_agent() { "(agent)" } else { entry.service.as_str() };
    format!("{at}  {service}  {kind:<10}  {}{often}", said(&entry.body))
}

/// What an entry says, in one line.
fn said(body: &Body) -> String {
    match body {
        Body::Adopted { epoch, active, by } => {
            let by = by.as_ref().map_or(String::new(), |by| format!("{by}: "));
            format!("{by}the fence says {active}, epoch {epoch}")
        }
        Body::Notified { alerts } => {
            let names: Vec<String> =
                alerts.iter().map(|alert| format!("{} {}", alert.name, state(alert.state))).collect();
            names.join(", ")
        }
        Body::Decided { decision, .. } => {
            let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
            format!("{} because {} [{}]", decision.verdict.as_str(), reasons.join("; "), decision.id)
        }
        Body::Ticketed { plan } => format!("{} -> {}, decision {}", plan.from, plan.to, plan.decision),
        Body::Stepped { step, took_ms, .. } => format!("{step} [{took_ms} ms]"),
        Body::Ended { outcome, .. } => outcome.to_string(),
        Body::Halted { why } => why.clone(),
        Body::Held { site, error: None, how } => match how.first() {
            Some(how) => format!("the old primary at {site} is held: {how}"),
            None => format!("the old primary at {site} is held"),
        },
        Body::Held { site, error: Some(error), .. } => {
            format!("the old primary at {site} cannot be kept from taking writes: {error}")
        }
        Body::Observed { fence } => {
            format!("{} wrote the fence: {}, epoch {}", fence.owner, fence.active, fence.epoch)
        }
        Body::Closed { closing } => match closing.confirmed {
            true => format!("{} is over; it was an outage", closing.incident),
            false => format!("{} is over; it was never confirmed", closing.incident),
        },
        Body::Compared { comparison } => comparison.to_string(),
        Body::Ordered { action, by } => format!("{by}: {action}"),
        Body::Configured { configured } => configured_line(configured),
        Body::Denied { denial } => {
            let client = denial.client.as_deref().unwrap_or("other addresses");
            format!("{}: {client} did not show who it is, {} times", denial.door.as_str(), denial.count)
        }
        Body::Dropped { anchor } => {
            format!(
                "{} entries of chain {} up to {}, by age or number",
                anchor.count, anchor.chain, anchor.seq
            )
        }
        Body::Remembered { .. } => "all that was said of the service up to here".to_owned(),
    }
}

fn configured_line(configured: &Configured) -> String {
    let by = configured.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
    let occasion = format!("{}{by}, version {}", configured.occasion.as_str(), configured.version);
    if let Some(why) = &configured.refused {
        return format!("{occasion}: refused: {}", why.lines().next().unwrap_or_default());
    }
    let mut changes: Vec<String> = configured.changes.iter().map(ToString::to_string).collect();
    if configured.more > 0 {
        changes.push(format!("and {} more", configured.more));
    }
    if configured.is_secret_changed {
        changes.push("a file or a variable that it names holds something else".to_owned());
    }
    match changes.is_empty() {
        true => format!("{occasion}: nothing is different"),
        false => format!("{occasion}: {}", changes.join("; ")),
    }
}

fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Firing => "fires",
        AlertState::Resolved => "is resolved",
    }
}

fn say_whether_whole(directory: &Path, output: Output) -> Result<(), Failure> {
    let found = verify(directory)?;
    match output {
        Output::Text => {
            println!("{} entries in chains, {} from before there were chains", found.sealed, found.unsealed);
            for (chain, seal) in &found.heads {
                println!("  newest seal of {chain:<9} {seal}");
            }
            for anchor in &found.anchors {
                println!("  {} begins behind entry {}, dropped by age or number", anchor.chain, anchor.seq);
            }
        }
        Output::Json => {
            let heads: serde_json::Map<_, _> =
                found.heads.iter().map(|(chain, seal)| (chain.clone(), seal.to_string().into())).collect();
            let flaws: Vec<String> = found.flaws.iter().map(ToString::to_string).collect();
            let json = serde_json::json!({
                "sealed": found.sealed, "unsealed": found.unsealed, "heads": heads, "anchors": found.anchors,
                "flaws": flaws,
            });
            println!("{json:#}");
        }
    }
    if found.flaws.is_empty() {
        return Ok(());
    }
    let flaws: Vec<String> = found.flaws.iter().map(|flaw| format!("\n  {flaw}")).collect();
    Err(anyhow::anyhow!("the journal is not as it was written:{}", flaws.concat()).into())
}
