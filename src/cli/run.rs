//! `redrover run`: the agent.

use std::net::SocketAddr;

use clap::Args;

use super::parts::{ConfigArgs, Failure, LogArgs, config};
use crate::app::{App, Options};
use crate::monitor::{Connections, ExporterOptions, Names};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to serve HTTP.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = "127.0.0.1:9911")]
    listen: SocketAddr,
    /// Also export the names of redis_exporter that `promtool check metrics` complains of.
    #[arg(long = "compat.redis-exporter")]
    compat: bool,
    /// Connect anew for each scrape of `/scrape`, so that it proves that connecting works.
    #[arg(long = "probe.fresh-connection")]
    fresh: bool,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) async fn run(args: RunArgs) -> Result<(), Failure> {
    args.log.start()?;
    let config = config(&args.config.file)?;
    let names = if args.compat { Names::Compat } else { Names::Clean };
    let connections = if args.fresh { Connections::Fresh } else { Connections::Kept };
    let exporter = ExporterOptions { names, connections };
    let options = Options { config_file: args.config.file, listen: args.listen, exporter };
    let app = App::start(config, options).await?;
    app.wait().await?;
    Ok(())
}
