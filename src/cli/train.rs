//! `redrover train [SERVICE…]`: makes models at once, of the local history or of that of Prometheus.

mod fetch;

use std::time::Duration;

use clap::Args;
use url::Url;

use self::fetch::Fetcher;
use super::parts::{ConfigArgs, Failure, config, service};
use super::replay::Progress;
use crate::app::{learning, now};
use crate::config::{Config, Service};
use crate::learn::{Learning, Models, Place};
use crate::replay::Span;

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// The services; without any, all of the configuration.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// First fetch the past of the targets from this Prometheus; what was fetched before is not fetched again.
    #[arg(long = "prometheus.url", value_name = "URL")]
    prometheus: Option<Url>,
    /// How far back to fetch.
    #[arg(long, value_name = "DURATION", default_value = "14d", value_parser = humantime::parse_duration, requires = "prometheus")]
    since: Duration,
}

pub(super) async fn run(args: TrainArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    let services: Vec<&Service> = match args.services.as_slice() {
        [] => config.services.iter().collect(),
        names => names.iter().map(|name| service(&config, name)).collect::<Result<_, _>>()?,
    };
    let (learning, models) = (learning(&config), Models::new(&config.agent.data_dir));
    if let Some(url) = &args.prometheus {
        fetch(&config, &services, &learning, &models, url, args.since).await?;
    }
    let mut made = 0;
    for place in services.iter().flat_map(|service| places(service)) {
        let (learning, models, of) = (learning.clone(), models.clone(), place.clone());
        let done = tokio::task::spawn_blocking(move || learning.train(&models, &of)).await?;
        let (service, site, target) = &place;
        match done {
            Ok(Some((artifact, _))) => {
                made += 1;
                println!("{service} {site} {target}: learned from {} rows", artifact.content.model.rows());
            }
            Ok(None) => println!("{service} {site} {target}: too little history"),
            Err(error) => println!("{service} {site} {target}: {:#}", anyhow::Error::new(error)),
        }
    }
    match made {
        0 => Err(anyhow::anyhow!("no model was made").into()),
        _ => {
            println!("a running agent takes them at the end of its next period");
            Ok(())
        }
    }
}

async fn fetch(
    config: &Config,
    services: &[&Service],
    learning: &Learning,
    models: &Models,
    url: &Url,
    since: Duration,
) -> Result<(), Failure> {
    let until = now().unix_ms();
    let from = until.saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).max(0);
    let targets = services.iter().flat_map(|service| places(service)).count();
    let period = Duration::from_secs(u64::from(learning.settings.period_seconds));
    let mut progress = Progress::new(Span::new(from, until, period), targets);
    for service in services {
        for site in &service.sites {
            for target in &site.targets {
                let place = (service.name.clone(), site.name.clone(), target.name.clone());
                let past = learning.history_of(&models.past(&place));
                let fetcher = Fetcher::new(config, url, &place, target, learning.settings.period_seconds)?;
                fetcher.fetch(&past, from / 1000, until / 1000, &mut |at| progress.at(at * 1000)).await?;
                progress.next();
            }
        }
    }
    Ok(())
}

fn places(service: &Service) -> impl Iterator<Item = Place> + '_ {
    service.sites.iter().flat_map(|site| {
        site.targets.iter().map(|target| (service.name.clone(), site.name.clone(), target.name.clone()))
    })
}
