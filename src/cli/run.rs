//! `redrover run`: the agent.

use std::net::SocketAddr;

use clap::Args;

use super::parts::{ConfigArgs, Failure, LogArgs, loaded};
use crate::app::{App, Options};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to serve HTTP.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = "127.0.0.1:9911")]
    listen: SocketAddr,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) async fn run(args: RunArgs) -> Result<(), Failure> {
    args.log.start()?;
    let loaded = loaded(&args.config.file)?;
    let app = App::start(loaded, Options { config_file: args.config.file, listen: args.listen }).await?;
    app.wait().await?;
    Ok(())
}
