//! `redrover simulate SCENARIO.yml...`: whole agents in a simulated world, on virtual time.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use clap::Args;

use super::bar::Bar;
use super::parts::{Failure, Output};
use crate::config::{Rules, load_for};
use crate::sim::language::{Ground, Scenario, load, load_on};
use crate::sim::random::{self, Summary};
use crate::sim::{Report, Task, compare, simulate_all};
use crate::types::{Clock as _, SystemClock};

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Scenario files; docs/scenarios.md describes them.
    #[arg(value_name = "SCENARIO", required_unless_present = "random")]
    scenarios: Vec<PathBuf>,
    /// Play every service of this configuration file instead of the scenarios' own world and policy.
    #[arg(long = "config.file", value_name = "FILE", conflicts_with = "compare")]
    config: Option<PathBuf>,
    /// Play so many random incidents instead: faults first, then everything is mended, and it must settle.
    #[arg(long, value_name = "COUNT", conflicts_with = "scenarios")]
    random: Option<u64>,
    /// Play so many incidents of the everyday mix instead, each three times, and hold redrover against two simple
    /// ways to move a record; docs/comparison.md describes mix, baselines and figures.
    #[arg(long, requires = "random")]
    compare: bool,
    /// Threads; one for each processor unless told otherwise.
    #[arg(long, value_name = "THREADS")]
    jobs: Option<usize>,
    /// Chance begins here: the same seed gives the same run.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// How the reports are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    output: Output,
}

pub(super) fn run(args: SimulateArgs) -> Result<(), Failure> {
    match args.random {
        Some(count) => play_random(count, &args),
        None => play_files(&args),
    }
}

fn play_random(count: u64, args: &SimulateArgs) -> Result<(), Failure> {
    let task = Task { count, seed: args.seed, jobs: jobs(args) };
    if args.compare {
        return compare(task, args.output);
    }
    let clock = SystemClock::new();
    let began = clock.now();
    let bar = Shared::new(count);
    let summary = random::run(task, &grounds(args)?, &|done| bar.show(done))?;
    drop(bar);
    let took = clock.now().since(began).as_secs_f64();
    match args.output {
        Output::Text => print_random(&summary, took),
        Output::Json => println!("{}", serde_json::to_string_pretty(&summary)?),
    }
    if summary.failed > 0 {
        bail_failed(summary.failed, summary.incidents, "random incidents broke a rule or did not settle")?;
    }
    Ok(())
}

/// A bar that all threads move.
struct Shared {
    bar: Mutex<Bar>,
    count: u64,
}

impl Shared {
    fn new(count: u64) -> Self {
        Self { bar: Mutex::new(Bar::new()), count: count.max(1) }
    }

    fn show(&self, done: u64) {
        let thousandths = done.saturating_mul(1000) / self.count;
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).show(thousandths);
    }
}

fn jobs(args: &SimulateArgs) -> usize {
    args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn compare(task: Task, output: Output) -> Result<(), Failure> {
    let bar = Shared::new(task.count);
    let comparison = compare::run(task, &|done| bar.show(done))?;
    drop(bar);
    match output {
        Output::Text => print!("{comparison}"),
        Output::Json => println!("{}", serde_json::to_string_pretty(&comparison)?),
    }
    if comparison.broken_rules > 0 {
        return Err(anyhow::anyhow!("redrover broke a rule {} times", comparison.broken_rules).into());
    }
    Ok(())
}

fn print_random(summary: &Summary, took: f64) {
    for failure in &summary.failures {
        println!("# incident {}, in its shortest form; it fails by: {}", failure.index, failure.way);
        for detail in &failure.details {
            println!("#   {detail}");
        }
        println!("# play it with: redrover simulate --seed {} FILE", failure.seed);
        println!("{}", failure.scenario);
    }
    for (way, count) in &summary.ways {
        println!("# {count} fail by: {way}");
    }
    println!(
        "{} incidents, {} failed; {} changes of records; {}, {:.0} incidents/s",
        summary.incidents,
        summary.failed,
        summary.dns_changes,
        speed(summary.simulated_hours, took),
        summary.incidents as f64 / took.max(f64::MIN_POSITIVE),
    );
}

fn speed(simulated_hours: f64, took: f64) -> String {
    let a_minute = simulated_hours / took.max(f64::MIN_POSITIVE) * 60.0;
    format!("{simulated_hours:.0} simulated hours in {took:.1} s: {a_minute:.0} a minute")
}

fn play_files(args: &SimulateArgs) -> Result<(), Failure> {
    let scenarios = scenarios(args)?;
    let clock = SystemClock::new();
    let began = clock.now();
    let bar = Shared::new(scenarios.len() as u64);
    let reports = simulate_all(&scenarios, args.seed, jobs(args), &|done| bar.show(done))?;
    drop(bar);
    let took = clock.now().since(began).as_secs_f64();
    match args.output {
        Output::Text => print_reports(&reports, took),
        Output::Json => println!("{}", serde_json::to_string_pretty(&reports)?),
    }
    let failed = reports.iter().filter(|report| !report.passed).count();
    if failed > 0 {
        bail_failed(failed as u64, reports.len() as u64, "scenarios did not come out as expected")?;
    }
    Ok(())
}

fn print_reports(reports: &[Report], took: f64) {
    if let [only] = reports {
        print!("{only}");
        return;
    }
    for report in reports {
        // Of many, only those are told in full that went wrong.
        if report.passed { print!("{}", report.summary()) } else { print!("{report}") }
    }
    let hours = reports.iter().map(|report| report.simulated_seconds).sum::<f64>() / 3600.0;
    println!("{} scenarios; {}", reports.len(), speed(hours, took));
}

/// The services of the configuration file, if one was named. Who leads is the simulator's business.
fn grounds(args: &SimulateArgs) -> Result<Vec<Ground>, Failure> {
    let Some(file) = &args.config else { return Ok(Vec::new()) };
    let loaded = load_for(file, &|name| std::env::var(name).ok(), Rules::Simulator)
        .map_err(|problems| Failure::Wrong(problems.to_string()))?;
    let ground = |service| {
        Ground::of(&loaded.config, service)
            .map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))
    };
    loaded.config.services.iter().map(ground).collect()
}

/// Every scenario; on a configuration, once for each of its services.
fn scenarios(args: &SimulateArgs) -> Result<Vec<Scenario>, Failure> {
    let grounds = grounds(args)?;
    let of_path = |path: &PathBuf| match grounds.is_empty() {
        true => vec![load(path)],
        false => grounds.iter().map(|ground| load_on(ground, path)).collect(),
    };
    let (mut scenarios, mut problems) = (Vec::new(), Vec::new());
    for read in args.scenarios.iter().flat_map(of_path) {
        match read {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => problems.push(error.to_string()),
        }
    }
    // A mistake that does not hang on the service is the same for each of them.
    problems.dedup();
    if problems.is_empty() { Ok(scenarios) } else { Err(Failure::Wrong(problems.join("\n"))) }
}

fn bail_failed(failed: u64, all: u64, what: &str) -> anyhow::Result<()> {
    bail!("{failed} of {all} {what}")
}
