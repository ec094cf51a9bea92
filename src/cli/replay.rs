//! `redrover replay [SERVICE…]`: what this policy would have decided in recorded history.

mod progress;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use url::Url;

pub(super) use self::progress::Progress;
use super::parts::{ConfigArgs, Failure, Output, config, service};
use crate::app::now;
use crate::config::read::{Value, instant};
use crate::config::{Config, Prometheus, Service};
use crate::replay::{
    Account, Asked, History, JournalHistory, Outage, PrometheusHistory, Report, Span, load_outages, replay,
};
use crate::store::{Journal, SqliteJournal};

/// The finest step: below it the answers of Prometheus are larger than what they say.
const STEP_MIN: Duration = Duration::from_millis(10);

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The services; without any, all of the configuration.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// How far back to begin, such as 30d.
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = humantime::parse_duration)]
    since: Duration,
    /// When to begin, such as 2026-12-01T22:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "since")]
    from: Option<i64>,
    /// When to end; without it, now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<i64>,
    /// The folder of the journal, where it is not the configuration's.
    #[arg(long = "data-dir", value_name = "DIR", conflicts_with = "prometheus")]
    data_dir: Option<PathBuf>,
    /// Take the history from this Prometheus, and not from the journal.
    #[arg(long = "prometheus.url", value_name = "URL")]
    prometheus: Option<Url>,
    /// The time from one round to the next in the history of Prometheus; without it, the probe interval.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, requires = "prometheus")]
    step: Option<Duration>,
    /// The outages there were: a YAML list of service, from, until.
    #[arg(long, value_name = "FILE")]
    outages: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    output: Output,
    /// Write a report with charts, one file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) async fn run(args: ReplayArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    let services: Vec<&Service> = match args.services.as_slice() {
        [] => config.services.iter().collect(),
        names => names.iter().map(|name| service(&config, name)).collect::<Result<_, _>>()?,
    };
    let outages = match &args.outages {
        Some(file) => Some(load_outages(file, &config.services).map_err(|p| Failure::Wrong(p.to_string()))?),
        None => None,
    };
    let interval = interval(&args, &config)?;
    let span = span(&args, interval)?;
    let source = Source::open(&args, &config, interval)?;
    let mut accounts = Vec::new();
    let mut progress = Progress::new(span, services.len());
    for service in services {
        accounts
            .push(source.replay(&config, service, span, outages.as_deref(), interval, &mut progress).await?);
        progress.next();
    }
    drop(progress);
    let report = Report { span, source: source.name, services: accounts };
    if let Some(file) = &args.html {
        std::fs::write(file, report.html()).with_context(|| format!("cannot write {}", file.display()))?;
    }
    match args.output {
        Output::Text => print!("{report}"),
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
    }
    Ok(())
}

/// Where the history comes from, and what the report calls it.
struct Source {
    name: String,
    kind: Kind,
}

enum Kind {
    Journal(Arc<dyn Journal>),
    Prometheus(Asked),
}

impl Source {
    fn open(args: &ReplayArgs, config: &Config, step: Duration) -> Result<Self, Failure> {
        let Some(url) = &args.prometheus else {
            let directory = args.data_dir.as_ref().unwrap_or(&config.agent.data_dir);
            let journal = SqliteJournal::open_read_only(directory)?;
            let name = format!("the journal in {}", directory.display());
            return Ok(Self { name, kind: Kind::Journal(Arc::new(journal)) });
        };
        if !["http", "https"].contains(&url.scheme())
            || !url.username().is_empty()
            || url.password().is_some()
        {
            let hint = "write http://HOST:PORT; a login stands in the configuration, in prometheus";
            return Err(Failure::Wrong(format!("--prometheus.url: is not a plain address of HTTP; {hint}")));
        }
        // The configured login is for the configured server alone.
        let known = config.prometheus.as_ref().filter(|known| known.url.origin() == url.origin());
        let prometheus = Prometheus {
            url: url.clone(),
            login: known.and_then(|known| known.login.clone()),
            ca_file: known.and_then(|known| known.ca_file.clone()),
        };
        Ok(Self { name: format!("Prometheus at {url}"), kind: Kind::Prometheus(Asked { prometheus, step }) })
    }

    async fn replay(
        &self,
        config: &Config,
        service: &Service,
        span: Span,
        outages: Option<&[Outage]>,
        interval: Duration,
        progress: &mut Progress,
    ) -> Result<Account, Failure> {
        let mut history = match &self.kind {
            Kind::Journal(journal) => {
                let journal = JournalHistory::new(Arc::clone(journal), service.name.clone(), span);
                History::Journal(Box::new(journal))
            }
            Kind::Prometheus(asked) => {
                History::Prometheus(Box::new(PrometheusHistory::new(config, service, asked, span)?))
            }
        };
        Ok(replay(service, &mut history, span, outages, interval, &mut |at| progress.at(at)).await?)
    }
}

fn interval(args: &ReplayArgs, config: &Config) -> Result<Duration, Failure> {
    match args.step {
        Some(step) if step < STEP_MIN => {
            Err(Failure::Wrong(format!("--step: is shorter than {} ms", STEP_MIN.as_millis())))
        }
        Some(step) => Ok(Duration::from_millis(u64::try_from(step.as_millis()).unwrap_or(u64::MAX))),
        None => Ok(config.global.probe_interval),
    }
}

fn span(args: &ReplayArgs, interval: Duration) -> Result<Span, Failure> {
    let until = args.to.unwrap_or_else(|| now().unix_ms());
    let since = i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let from = args.from.unwrap_or_else(|| until.saturating_sub(since).max(0));
    if from >= until {
        return Err(Failure::Wrong("--from: is not earlier than the end".to_owned()));
    }
    Ok(Span::new(from, until, interval))
}

/// A time as RFC 3339 writes it, as Unix milliseconds.
fn time(text: &str) -> Result<i64, String> {
    instant(&Value::Text(text.to_owned())).map_err(|wrong| format!("{}; {}", wrong.reason, wrong.hint))
}
