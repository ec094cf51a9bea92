//! `redrover evaluate`: the analysis on numbers of your own, row by row, as an agent would have seen them.

mod csv;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use self::csv::Csv;
use super::parts::Failure;
use crate::analyse::{Follower, Limit, Recipe, Table, Threshold, plain, train};

#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// What is usual: `t` (the number of the row in time), and any numbers, with a heading.
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// What is judged: the same columns, later.
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// The time from one row to the next.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    period_seconds: u32,
    /// Where to write, for each row that is judged: score, alarm, and what each column had to do with it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// False alarms a day that are borne.
    #[arg(long, value_name = "NUMBER", default_value_t = 2.0, value_parser = alarms)]
    alarms_per_day: f64,
    /// Names the forest.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// A plain isolation forest on the columns as they are, to compare with.
    #[arg(long)]
    plain: bool,
}

pub(super) fn run(args: &EvaluateArgs) -> Result<(), Failure> {
    let (train, mut test) = (csv::read(&args.train)?, csv::read(&args.test)?);
    if train.is_numbered != test.is_numbered {
        return Err(Failure::Wrong(
            "one of the two files has the column t, and the other has not".to_owned(),
        ));
    }
    if train.names != test.names {
        return Err(Failure::Wrong(format!("--test: has other columns than {}", args.train.display())));
    }
    if !test.is_numbered {
        // It goes on where the other ends.
        let count = i64::try_from(train.rows.len()).unwrap_or(i64::MAX);
        test.rows.iter_mut().for_each(|(at, _)| *at = at.saturating_add(count));
    }
    let text = if args.plain { compared(args, &train, &test)? } else { judged(args, &train, &test)? };
    std::fs::write(&args.out, text).with_context(|| format!("cannot write {}", args.out.display()))?;
    Ok(())
}

/// Exactly what an agent does: it learns from one file, and follows the other.
fn judged(args: &EvaluateArgs, known: &Csv, test: &Csv) -> Result<String, Failure> {
    let (past, rows) = (table(args, known), table(args, test));
    let recipe = Recipe { period_seconds: args.period_seconds, seed: args.seed, rules: Vec::new() };
    let trained =
        train(&past, &recipe).with_context(|| format!("cannot learn from {}", args.train.display()))?;
    let mut follower = Follower::new(trained, Threshold::AlarmsPerDay(args.alarms_per_day));
    for row in 0..past.rows() {
        follower.recall(past.times()[row], past.row(row));
    }
    let places = places(&rows, test);
    let mut text = String::from("score,alarm");
    for name in &test.names {
        // Writing into a string cannot fail.
        let _ = write!(text, ",attr:{name}");
    }
    text.push('\n');
    let mut deviations = Vec::new();
    for row in 0..rows.rows() {
        let judgement = follower.push(rows.times()[row], rows.row(row));
        let judgement = judgement.with_context(|| format!("row {row} has no score"))?;
        follower.stream().deviations(&mut deviations);
        let _ = write!(text, "{},{}", judgement.look.score, u8::from(judgement.is_alarm()));
        for place in &places {
            let _ = write!(text, ",{}", deviations[*place]);
        }
        text.push('\n');
    }
    Ok(text)
}

fn compared(args: &EvaluateArgs, known: &Csv, test: &Csv) -> Result<String, Failure> {
    let (past, rows) = (table(args, known), table(args, test));
    let older = past.rows() * 7 / 10;
    let mut younger = Table::new(past.names());
    (older..past.rows()).for_each(|row| younger.push(past.times()[row], past.row(row), true));
    let fails = || format!("cannot learn from {}", args.train.display());
    let mut limit = Limit::of_any_scale(Threshold::AlarmsPerDay(args.alarms_per_day), args.period_seconds);
    limit.extend(plain(&past.head(older), &younger, args.seed).with_context(fails)?);
    let mut text = String::from("score,alarm\n");
    for score in plain(&past.head(older), &rows, args.seed).with_context(fails)? {
        let is_alarm = limit.current().is_some_and(|limit| score > limit);
        limit.push(score);
        let _ = writeln!(text, "{score},{}", u8::from(is_alarm));
    }
    Ok(text)
}

fn table(args: &EvaluateArgs, csv: &Csv) -> Table {
    let mut table = Table::new(&csv.names);
    for (number, row) in &csv.rows {
        table.push(number.saturating_mul(i64::from(args.period_seconds)), row, true);
    }
    table
}

/// Where each column of the file stands in the table.
fn places(table: &Table, csv: &Csv) -> Vec<usize> {
    csv.names.iter().filter_map(|name| table.names().binary_search(name).ok()).collect()
}

fn alarms(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(alarms) if alarms > 0.0 && alarms <= 1000.0 => Ok(alarms),
        _ => Err("write a number above 0, up to 1000".to_owned()),
    }
}
