//! `redrover simulate SCENARIO.yml...`: whole agents in a simulated world, on virtual time.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::parts::{Failure, Output};
use crate::sim::language::load;
use crate::sim::simulate;

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Scenario files; docs/scenarios.md describes them.
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<PathBuf>,
    /// Chance begins here: the same seed gives the same run.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// How the reports are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    output: Output,
}

pub(super) fn run(args: SimulateArgs) -> Result<(), Failure> {
    let scenarios = args.scenarios.iter().map(|path| load(path)).collect::<Vec<_>>();
    let problems: Vec<String> =
        scenarios.iter().filter_map(|s| s.as_ref().err()).map(ToString::to_string).collect();
    if !problems.is_empty() {
        return Err(Failure::Wrong(problems.join("\n")));
    }
    let (mut reports, is_single) = (Vec::new(), scenarios.len() == 1);
    for scenario in scenarios.into_iter().flatten() {
        let report = simulate(&scenario, args.seed)?;
        match args.output {
            // Of many, only those are told in full that went wrong.
            Output::Text if is_single || !report.passed => print!("{report}"),
            Output::Text => print!("{}", report.summary()),
            Output::Json => {}
        }
        reports.push(report);
    }
    if args.output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    let failed = reports.iter().filter(|report| !report.passed).count();
    if failed > 0 {
        bail_failed(failed, reports.len())?;
    }
    Ok(())
}

fn bail_failed(failed: usize, all: usize) -> anyhow::Result<()> {
    bail!("{failed} of {all} scenarios did not come out as expected")
}
