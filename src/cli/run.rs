//! `redrover run`: the agent.

use std::path::PathBuf;

use clap::Args;

use super::parts::{ConfigArgs, Failure, LogArgs, loaded};
use crate::app::{App, Options};
use crate::monitor::{Connections, ExporterOptions, Names};
use crate::serve::{ListenAddress, TelemetryPath, WebError};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to serve HTTP; may be given several times. ":9911" is every address of the machine.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = "127.0.0.1:9911")]
    listen: Vec<ListenAddress>,
    /// The path of the series.
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value_t)]
    telemetry: TelemetryPath,
    /// A file with TLS and users, in the form that the exporters of Prometheus share; read anew when it changes.
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
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
    let loaded = loaded(&args.config.file)?;
    let names = if args.compat { Names::Compat } else { Names::Clean };
    let connections = if args.fresh { Connections::Fresh } else { Connections::Kept };
    let options = Options {
        config_file: args.config.file,
        listen: args.listen,
        telemetry: args.telemetry,
        web_config_file: args.web_config_file,
        exporter: ExporterOptions { names, connections },
    };
    let started = App::start(loaded, options).await;
    let app = started.map_err(|error| match error.is::<WebError>() {
        true => Failure::Wrong(format!("{error:#}")),
        false => Failure::Failed(error),
    })?;
    app.wait().await?;
    Ok(())
}
