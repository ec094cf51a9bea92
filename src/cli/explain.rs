//! `redrover explain SERVICE`: a decision with its arithmetic, and what came of it, for a tired person.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;

use super::parts::{Failure, JournalArgs, Output};
use crate::decide::{Decision, Strength, Verdict, otherwise};
use crate::store::{Body, Entry, Journal as _, Kind, Query, SqliteJournal};

/// Decisions searched for one by its id.
const SEARCH_MAX: usize = 10_000;

/// A switch by hand, in the order that loses nothing.
const BY_HAND: &str = "  1. make sure that the old primary takes no writes: stop it, or CLIENT PAUSE … WRITE
  2. plain replication: REPLICAOF NO ONE at the standby
  3. change the record to the standby's dns_target
  4. redrover adopt SERVICE, which writes the fence anew
  With the provider embedded, or to leave it to redrover: set mode: automatic, lift what stands against it, and reload";

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The service.
    service: String,
    /// The decision's id; without it, the last decision.
    #[arg(long)]
    decision: Option<String>,
    /// The last decision with this verdict.
    #[arg(long, value_parser = ["hold", "recommend", "failover", "halt"])]
    verdict: Option<String>,
    #[command(flatten)]
    journal: JournalArgs,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(super) async fn run(args: ExplainArgs) -> Result<(), Failure> {
    let (directory, service) = args.journal.find(&args.service)?;
    let journal = SqliteJournal::open_read_only(&directory)?;
    let query = Query {
        service: Some(service.clone()),
        kinds: vec![Kind::Decided],
        is_newest_first: true,
        limit: SEARCH_MAX,
        ..Query::default()
    };
    let is_wanted = |d: &Decision| {
        args.decision.as_ref().is_none_or(|id| d.id == *id)
            && args.verdict.as_ref().is_none_or(|verdict| d.verdict.as_str() == verdict)
    };
    let found = journal.read(query).await?.into_iter().find_map(|entry| {
        let Body::Decided { decision, .. } = &entry.body else { return None };
        let decision = Some(decision).filter(|d| is_wanted(d))?.clone();
        Some((decision, entry))
    });
    let Some((decision, entry)) = found else {
        return Err(anyhow::anyhow!("the journal holds no such decision about {service}").into());
    };
    let later = Query {
        service: Some(service.clone()),
        kinds: vec![Kind::Stepped, Kind::Ended],
        after: entry.seq,
        ..Query::default()
    };
    let after: Vec<Entry> =
        journal.read(later).await?.into_iter().filter(|e| belongs(e, &decision.id)).collect();
    match args.output {
        Output::Text => print!("{}", text(&decision, &entry, &after)?),
        Output::Json => {
            let bodies: Vec<&Body> = after.iter().map(|e| &e.body).collect();
            let json = serde_json::json!({
                "decision": decision,
                "otherwise": otherwise(&decision),
                "count": entry.count,
                "then": bodies,
            });
            println!("{json:#}");
        }
    }
    Ok(())
}

fn belongs(entry: &Entry, id: &str) -> bool {
    match &entry.body {
        Body::Stepped { decision, .. } | Body::Ended { decision, .. } => decision == id,
        Body::Adopted { .. }
        | Body::Notified { .. }
        | Body::Decided { .. }
        | Body::Ticketed { .. }
        | Body::Halted { .. }
        | Body::Held { .. }
        | Body::Observed { .. }
        | Body::Closed { .. }
        | Body::Compared { .. }
        | Body::Ordered { .. }
        | Body::Configured { .. }
        | Body::Denied { .. }
        | Body::Dropped { .. }
        | Body::Remembered { .. } => false,
    }
}

/// Unix milliseconds as RFC 3339, in UTC.
pub(super) fn time(unix_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(unix_ms).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

fn text(decision: &Decision, entry: &Entry, after: &[Entry]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    headline(&mut out, decision, entry)?;
    arithmetic(&mut out, decision)?;
    if !decision.vetoes.is_empty() {
        writeln!(out, "\nWhat stands against acting")?;
        for veto in &decision.vetoes {
            let strength = match veto.strength {
                Strength::Soft => "at most recommend",
                Strength::Hard => "hold",
                Strength::Halt => "halt",
            };
            writeln!(out, "  {strength:<18} {}", veto.reason)?;
        }
    }
    others(&mut out, decision)?;
    if decision.verdict == Verdict::Recommend {
        writeln!(out, "\nWhat a person can do\n{BY_HAND}")?;
    }
    if !after.is_empty() {
        writeln!(out, "\nWhat was done")?;
        for entry in after {
            writeln!(out, "  {}  {}", time(entry.at_unix_ms), done(&entry.body))?;
        }
    }
    Ok(out)
}

/// What the bolder verdicts would have needed.
fn others(out: &mut String, decision: &Decision) -> std::fmt::Result {
    for needs in otherwise(decision) {
        let verdict = match needs.verdict {
            Verdict::Recommend => "a recommendation",
            Verdict::Failover => "a failover",
            Verdict::Hold | Verdict::Halt => continue,
        };
        writeln!(out, "\nWhat {verdict} would have needed")?;
        for change in &needs.all {
            writeln!(out, "  {change}")?;
        }
        if !needs.one_of.is_empty() {
            let ways: Vec<String> = needs.one_of.iter().map(ToString::to_string).collect();
            let and = if needs.all.is_empty() { "" } else { "and " };
            writeln!(out, "  {and}{}", ways.join(", or "))?;
        }
    }
    Ok(())
}

fn headline(out: &mut String, decision: &Decision, entry: &Entry) -> std::fmt::Result {
    let active = decision.active.as_ref().map_or("unknown", |s| s.as_str());
    let way = match (&decision.verdict, &decision.target) {
        (Verdict::Failover | Verdict::Recommend, Some(target)) => format!("{active} -> {target}"),
        _ => format!("active: {active}"),
    };
    writeln!(
        out,
        "{}: {}  ({way}; level {})",
        decision.service,
        decision.verdict.as_str().to_uppercase(),
        decision.level.as_str()
    )?;
    writeln!(out, "  decision {}", decision.id)?;
    match entry.count {
        1 => writeln!(out, "  at {}", time(entry.at_unix_ms))?,
        n => writeln!(
            out,
            "  first at {}, {n} times, last at {}; the figures are those of the first",
            time(entry.at_unix_ms),
            time(entry.last_unix_ms)
        )?,
    }
    for reason in &decision.reasons {
        writeln!(out, "  because {reason}")?;
    }
    let health = decision
        .health
        .iter()
        .map(|(site, health)| format!("{site} {}", health.as_str()))
        .collect::<Vec<_>>();
    writeln!(out, "  sites: {}", health.join(", "))
}

fn arithmetic(out: &mut String, decision: &Decision) -> std::fmt::Result {
    let c = &decision.confidence;
    writeln!(out, "\n{:<12} {:>8} {:>8} {:>8}  from", "Evidence", "strength", "weight", "adds")?;
    writeln!(out, "{:<12} {:>8} {:>8} {:>8.2}  no evidence at all", "bias", "", "", c.bias)?;
    for term in &c.terms {
        let strength = term.strength.map_or("-".to_owned(), |s| format!("{:.2}", s.get()));
        let (weight, adds) = (term.weight, term.contribution());
        writeln!(
            out,
            "{:<12} {strength:>8} {weight:>8.2} {adds:>8.2}  {}",
            term.group.as_str(),
            term.because
        )?;
    }
    writeln!(out, "{:<12} {:>8} {:>8} {:>8.2}  the sum, L", "log-odds", "", "", c.log_odds)?;
    writeln!(out, "\nbelief     p = 1/(1+e^-L) = {:.3}   that the active site cannot serve", c.belief.get())?;
    writeln!(out, "fitness    q             = {:.3}   of the best standby", c.fitness.get())?;
    for target in &decision.fitness {
        writeln!(out, "  {} (q = {:.3})", target.site, target.fitness.get())?;
        for dimension in &target.dimensions {
            let (name, d) = (dimension.dimension.as_str(), dimension.unfitness.get());
            let kappa = dimension.dimension.kappa();
            writeln!(
                out,
                "    {name:<14} 1 - {kappa:.1} x {d:.2} = {:.3}   {}",
                1.0 - kappa * d,
                dimension.because
            )?;
        }
    }
    writeln!(out, "damping    D             = {:.3}   after earlier switches", c.damping.get())?;
    let (auto, recommend) = decision.thresholds;
    let product = c.belief.get() * c.fitness.get() * c.damping.get();
    let vetoed = if decision.vetoes.is_empty() { "" } else { " (0 under a veto)" };
    writeln!(
        out,
        "confidence C = p x q x D = {product:.3}{vetoed}; failover needs {auto:.2}, a recommendation {recommend:.2}"
    )
}

fn done(body: &Body) -> String {
    match body {
        Body::Stepped { step, took_ms, .. } => format!("{step} [{took_ms} ms]"),
        Body::Ended { outcome, .. } => format!("ended: {outcome}"),
        Body::Adopted { .. }
        | Body::Notified { .. }
        | Body::Decided { .. }
        | Body::Ticketed { .. }
        | Body::Halted { .. }
        | Body::Held { .. }
        | Body::Observed { .. }
        | Body::Closed { .. }
        | Body::Compared { .. }
        | Body::Ordered { .. }
        | Body::Configured { .. }
        | Body::Denied { .. }
        | Body::Dropped { .. }
        | Body::Remembered { .. } => body.kind().as_str().to_owned(),
    }
}
