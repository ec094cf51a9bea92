//! `redrover models`: what was learned of each target.

use clap::{Args, ValueEnum};

use super::explain::time;
use super::parts::{ConfigArgs, Failure, Output, config, service};
use crate::analyse::{Artifact, Drift};
use crate::app::learning;
use crate::config::Config;
use crate::learn::{Learning, Listed, Models};

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    /// What the agent is to do; nothing: the models are listed.
    #[arg(value_name = "ORDER", value_enum)]
    order: Option<Order>,
    /// Only for this service.
    #[arg(requires = "order")]
    service: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// How to print.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    /// Let the agent make the models anew, of what it has seen until now.
    Retrain,
}

pub(super) fn run(args: &ModelsArgs) -> Result<(), Failure> {
    let config = config(&args.config.file)?;
    if let Some(Order::Retrain) = args.order {
        return retrain(&config, args.service.as_deref(), args.output);
    }
    let (models, learning) = (Models::new(&config.agent.data_dir), learning(&config));
    let listed = models.list()?;
    let known = Known { models, learning };
    match args.output {
        Output::Json => {
            let models: Vec<_> = listed.iter().map(|file| json(file, &known)).collect();
            println!("{:#}", serde_json::json!(models));
        }
        Output::Text if listed.is_empty() => {
            let least = humantime::format_duration(config.analysis.history_min);
            println!("no model yet: the first is made after {least} of history, or by redrover train");
        }
        Output::Text => listed.iter().for_each(|file| println!("{}", text(file, &known))),
    }
    Ok(())
}

/// Leaves the order where the agent finds it.
fn retrain(config: &Config, service: Option<&str>, output: Output) -> Result<(), Failure> {
    let service = service.map(|name| self::service(config, name)).transpose()?;
    let name = service.map(|service| &service.name);
    Models::new(&config.agent.data_dir).order(name)?;
    let of = name.map_or("all", |name| name.as_str());
    let period = humantime::format_duration(config.analysis.period);
    match output {
        Output::Json => println!("{}", serde_json::json!({ "retraining": of })),
        Output::Text => {
            println!("{of}: asked for new models; a running agent begins within its period of {period}");
        }
    }
    Ok(())
}

/// What is known of the targets whose models these are.
struct Known {
    models: Models,
    learning: Learning,
}

impl Known {
    /// How far the last day lies from what a model was trained on; unknown where its history is too short, or not readable.
    fn drift(&self, artifact: &Artifact) -> Option<Drift> {
        self.learning.drift(&self.models, artifact).ok().flatten()
    }
}

fn json(file: &Listed, known: &Known) -> serde_json::Value {
    let (path, bytes) = (file.path.display().to_string(), file.bytes);
    match &file.artifact {
        Ok(artifact) => {
            let model = &artifact.content.model;
            let (from, until) = model.span();
            let drift = known.drift(artifact);
            serde_json::json!({
                "path": path, "bytes": bytes, "service": artifact.service, "site": artifact.site,
                "target": artifact.target, "trained_unix_seconds": artifact.trained, "rows": model.rows(),
                "from_unix_seconds": from, "until_unix_seconds": until, "period_seconds": model.period_seconds(),
                "signals": model.names().len(), "moving": model.moving(), "knows_the_hour": model.is_daily(),
                "drift": drift.map(|drift| drift.distance), "drift_of": drift.map(|drift| &model.names()[drift.column]),
            })
        }
        Err(error) => serde_json::json!({"path": path, "bytes": bytes, "refused": reasons(error)}),
    }
}

fn text(file: &Listed, known: &Known) -> String {
    match &file.artifact {
        Ok(artifact) => {
            let model = &artifact.content.model;
            let (from, until) = model.span();
            let hour = if model.is_daily() { "knows the hour" } else { "knows no hour yet" };
            format!(
                "{} {} {}: {} rows from {} to {}, {} signals of which {} ever moved, {hour}, {}, {} KiB",
                artifact.service,
                artifact.site,
                artifact.target,
                model.rows(),
                time(from * 1000),
                time(until * 1000),
                model.names().len(),
                model.moving(),
                drift(artifact, known),
                file.bytes / 1024
            )
        }
        Err(error) => reasons(error),
    }
}

/// "drift 4.2 (keys)"
fn drift(artifact: &Artifact, known: &Known) -> String {
    let drift = known.drift(artifact);
    drift.map_or("drift not known yet".to_owned(), |drift| {
        format!("drift {:.1} ({})", drift.distance, artifact.content.model.names()[drift.column])
    })
}

/// An error with what caused it.
fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
