//! The commands, their shared options, and the way from a command to an exit code.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::{
    adopt, check, demo, demote, evaluate, explain, history, models, operate, replay, run, simulate, train,
};
use crate::config::{Config, Loaded, Service, load};
use crate::types::{AgentName, ServiceName};

/// Work on threads of its own, such as a write on a broken disk, has so long to end with the program.
const END_LIMIT: Duration = Duration::from_secs(2);
/// It failed while running.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const WRONG: u8 = 2;

#[derive(Debug, Parser)]
#[command(name = "redrover", version, about, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch, take notifications, and act.
    Run(run::RunArgs),
    /// Say whether the configuration is right; with --connect, also whether everything can be reached.
    Check(check::CheckArgs),
    /// Write a service's first fence, after asking.
    Adopt(adopt::AdoptArgs),
    /// Print a service's last decision, or another one, with its arithmetic.
    Explain(explain::ExplainArgs),
    /// Print what the journal holds, or say whether it is as it was written.
    History(history::HistoryArgs),
    /// End a halt, lift the interval after a switch, and accept the fence as it stands.
    Ack(operate::OperateArgs),
    /// Let nothing move by itself until resumed.
    Pause(operate::OperateArgs),
    /// End a pause.
    Resume(operate::OperateArgs),
    /// Let nothing move by itself for a while, for a service or one of its sites.
    Maintenance(operate::MaintenanceArgs),
    /// Move a service's name to another site; the agent checks the target and does it.
    Failover(operate::FailoverArgs),
    /// Move a service's name back to the site that was left last, once that is stable and in step.
    Failback(operate::FailbackArgs),
    /// Make the old primary of a plain replication a replica of the active site's, after asking.
    Demote(demote::DemoteArgs),
    /// Play scenarios: whole agents in a simulated world, on virtual time.
    Simulate(simulate::SimulateArgs),
    /// Say what this policy would have decided in recorded history: the journal's, or that of Prometheus.
    Replay(replay::ReplayArgs),
    /// Run the analysis over numbers of your own, and write what it makes of each row.
    Evaluate(evaluate::EvaluateArgs),
    /// Make models at once: of the local history, or of the past that Prometheus has.
    Train(train::TrainArgs),
    /// Print what was learned of each target.
    Models(models::ModelsArgs),
    /// Show a failover from beginning to end on this machine, with real servers.
    Demo(demo::DemoArgs),
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigArgs {
    /// The configuration file.
    #[arg(
        long = "config.file",
        value_name = "FILE",
        default_value = "redrover.yml",
        env = "REDROVER_CONFIG_FILE"
    )]
    pub(super) file: PathBuf,
}

/// Where the journal is.
#[derive(Debug, Clone, Args)]
pub(super) struct JournalArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The agent's data folder, where the configuration file is broken; it is then not read.
    #[arg(long = "data-dir", value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl JournalArgs {
    /// Whether the configuration file is to be read.
    pub(super) fn is_configured(&self) -> bool {
        self.data_dir.is_none()
    }

    pub(super) fn config_file(&self) -> &Path {
        &self.config.file
    }

    /// The journal's folder.
    pub(super) fn directory(&self) -> Result<PathBuf, Failure> {
        match &self.data_dir {
            Some(directory) => Ok(directory.clone()),
            None => Ok(config(&self.config.file)?.agent.data_dir),
        }
    }

    /// The journal's folder, and the service by its name.
    pub(super) fn find(&self, name: &str) -> Result<(PathBuf, ServiceName), Failure> {
        if let Some(directory) = &self.data_dir {
            let name = ServiceName::new(name).map_err(|e| Failure::Wrong(format!("{name:?} {e}")))?;
            return Ok((directory.clone(), name));
        }
        let config = config(&self.config.file)?;
        let service = service(&config, name)?.name.clone();
        Ok((config.agent.data_dir, service))
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How the log is written.
#[derive(Debug, Clone, Args)]
pub(super) struct LogArgs {
    /// How the log is written, to standard error.
    #[arg(long = "log.format", value_name = "FORMAT", value_enum, default_value = "text")]
    format: Output,
    /// What is logged: error, warn, info, debug, or a filter such as redrover=debug.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    level: String,
}

impl LogArgs {
    pub(super) fn start(&self) -> Result<(), Failure> {
        let filter =
            EnvFilter::try_new(&self.level).map_err(|e| Failure::Wrong(format!("--log.level: {e}")))?;
        // A log on a full disk must not end the program, which a complaint about it would.
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .log_internal_errors(false);
        match self.format {
            Output::Text => log.with_ansi(false).init(),
            Output::Json => log.json().flatten_event(true).init(),
        }
        Ok(())
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line or the configuration is wrong.
    Wrong(String),
    /// It failed while running.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads the configuration; warnings go to standard error.
pub(super) fn config(file: &Path) -> Result<Config, Failure> {
    loaded(file).map(|loaded| loaded.config)
}

/// As [`config`], with the outline of the file.
pub(super) fn loaded(file: &Path) -> Result<Loaded, Failure> {
    let loaded = load(file, &|name| std::env::var(name).ok()).map_err(|p| Failure::Wrong(p.to_string()))?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(loaded)
}

/// Finds a service by name, or says which there are.
pub(super) fn service<'a>(config: &'a Config, name: &str) -> Result<&'a Service, Failure> {
    let wanted = ServiceName::new(name).map_err(|e| Failure::Wrong(format!("{name:?} {e}")))?;
    config.services.iter().find(|s| s.name == wanted).ok_or_else(|| {
        let known = config.services.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
        Failure::Wrong(format!("no service {name:?} is configured; there are: {known}"))
    })
}

/// The configuration as a command looks with it that writes canaries: they must not meet those of the running agent, whose
/// keys its name makes.
pub(super) fn beside_the_agent(config: &Config) -> Config {
    let mut config = config.clone();
    if let Ok(name) = AgentName::new(format!("{}-command", config.agent.name)) {
        config.agent.name = name;
    }
    config
}

/// Asks a person, who must say yes.
pub(super) fn confirmed(question: &str) -> std::io::Result<bool> {
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Runs the command line and turns the result into an exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // The first crate to ask for a provider would otherwise decide; a second installation is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Run(args) => run::run(args).await,
            Command::Check(args) => check::run(args).await,
            Command::Adopt(args) => adopt::run(args).await,
            Command::Explain(args) => explain::run(args).await,
            Command::History(args) => history::run(args).await,
            Command::Ack(args) => operate::acknowledge(args).await,
            Command::Pause(args) => operate::pause(args).await,
            Command::Resume(args) => operate::resume(args).await,
            Command::Maintenance(args) => operate::maintain(args).await,
            Command::Failover(args) => operate::failover(args).await,
            Command::Failback(args) => operate::failback(args).await,
            Command::Demote(args) => demote::run(args).await,
            Command::Simulate(args) => tokio::task::block_in_place(|| simulate::run(args)),
            Command::Replay(args) => replay::run(args).await,
            Command::Evaluate(args) => tokio::task::block_in_place(|| evaluate::run(&args)),
            Command::Train(args) => train::run(args).await,
            Command::Models(args) => tokio::task::block_in_place(|| models::run(&args)),
            Command::Demo(args) => demo::run(args).await,
        }
    });
    runtime.shutdown_timeout(END_LIMIT);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Wrong(text)) => {
            eprintln!("{text}");
            ExitCode::from(WRONG)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
