//! Fits a forest on a table and measures it: quality against the column `label`, speed on one machine.
//!
//! ```text
//! forest_bench --data FILE.csv [--train FILE.csv] --trees 100 --sample 256 --seed N --threads 1
//!              [--extension LEVEL] [--scores OUT.txt] --json
//! ```
//!
//! The table has a header line and numbers below it; the columns `label`, `t` and `timestamp` are not learned from.
//! More than one thread needs the feature `rayon`. The last line of the output is one JSON object.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_isolation_forest::IsolationForest;
use ndarray::Array2;

type Failure = Box<dyn Error + Send + Sync>;

/// Rows scored one at a time.
const SINGLE_ROWS_MAX: usize = 5_000;

fn main() -> Result<(), Failure> {
    let options = Options::from_arguments(std::env::args().skip(1))?;
    let data = Table::read(&options.data)?;
    let train = match &options.train {
        Some(path) => Table::read(path)?,
        None => data.clone(),
    };
    let report = on_threads(options.threads, || measure(&options, &train, &data))??;
    println!("{report}");
    Ok(())
}

#[cfg(feature = "rayon")]
fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(work))
}

#[cfg(not(feature = "rayon"))]
fn on_threads<T>(threads: usize, work: impl FnOnce() -> T) -> Result<T, Failure> {
    if threads == 1 { Ok(work()) } else { Err("more than one thread needs the feature rayon".into()) }
}

fn measure(options: &Options, train: &Table, data: &Table) -> Result<String, Failure> {
    let params = IsolationForest::params()
        .trees(options.trees)
        .sample_size(options.sample)
        .extension_level(options.extension)
        .seed(options.seed);
    let dataset = DatasetBase::from(train.rows.clone());

    let (fit, forest) = timed(|| params.fit(&dataset));
    let forest = forest?;
    let (bulk, scores) = timed(|| forest.try_scores(&data.rows));
    let scores = scores?.to_vec();
    let rows = data.rows.nrows().min(SINGLE_ROWS_MAX);
    let (single, sum) = timed(|| {
        let mut sum = 0.0;
        for row in data.rows.rows().into_iter().take(rows).filter_map(|row| row.to_slice()) {
            sum += forest.score_row(black_box(row))?;
        }
        Ok::<f64, Failure>(sum)
    });
    black_box(sum?);

    if let Some(path) = &options.scores {
        let mut lines = String::new();
        for score in &scores {
            writeln!(lines, "{score}")?;
        }
        std::fs::write(path, lines)?;
    }
    let (area, precision) = quality(&scores, &data.labels);
    Ok(format!(
        "{{\"impl\": \"linfa-isolation-forest\", \"n\": {}, \"d\": {}, \"fit_seconds\": {:e}, \
         \"score_rows_per_second\": {}, \"single_row_ns\": {}, \"roc_auc\": {area}, \"average_precision\": {precision}}}",
        data.rows.nrows(),
        data.rows.ncols(),
        fit.as_secs_f64(),
        scores.len() as f64 / bulk.as_secs_f64(),
        single.as_secs_f64() * 1e9 / rows as f64,
    ))
}

/// Runs twice and times the second run: the first one is on a cold machine, which says more of the start of a
/// program than of the work.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
fn timed<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    work();
    let before = Instant::now();
    let result = work();
    (before.elapsed(), result)
}

/// Returns the area under the receiver operating characteristic and the average precision; rows with equal scores
/// count as one step.
fn quality(scores: &[f64], labels: &[bool]) -> (f64, f64) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&one, &other| scores[other].total_cmp(&scores[one]));
    let anomalies = labels.iter().filter(|label| **label).count() as f64;
    let normals = labels.len() as f64 - anomalies;
    let (mut found, mut alarms, mut area, mut precision) = (0.0, 0.0, 0.0, 0.0);
    for step in order.chunk_by(|&one, &other| scores[one] == scores[other]) {
        let right = step.iter().filter(|&&row| labels[row]).count() as f64;
        let wrong = step.len() as f64 - right;
        area += wrong * (found + right / 2.0);
        found += right;
        alarms += wrong;
        precision += right * found / (found + alarms);
    }
    (area / (anomalies * normals), precision / anomalies)
}

#[derive(Clone)]
struct Table {
    rows: Array2<f64>,
    labels: Vec<bool>,
}

impl Table {
    fn read(path: &str) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().ok_or("the table is empty")?.split(',').map(str::trim).collect();
        let is_metric = |name: &str| !matches!(name, "label" | "t" | "timestamp");
        let width = header.iter().filter(|name| is_metric(name)).count();
        let (mut cells, mut labels) = (Vec::new(), Vec::new());
        for line in lines.filter(|line| !line.is_empty()) {
            let before = cells.len();
            for (name, value) in header.iter().zip(line.split(',')) {
                if *name == "label" {
                    labels.push(value.trim().parse::<f64>()? != 0.0);
                } else if is_metric(name) {
                    cells.push(value.trim().parse()?);
                }
            }
            if cells.len() - before != width {
                return Err(format!("a line of {path} has another number of columns").into());
            }
        }
        labels.resize(cells.len() / width.max(1), false);
        Ok(Self { rows: Array2::from_shape_vec((labels.len(), width), cells)?, labels })
    }
}

struct Options {
    data: String,
    train: Option<String>,
    trees: usize,
    sample: usize,
    extension: usize,
    seed: u64,
    threads: usize,
    scores: Option<String>,
}

impl Options {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut data = None;
        let mut options = Self {
            data: String::new(),
            train: None,
            trees: 100,
            sample: 256,
            extension: 0,
            seed: 0,
            threads: 1,
            scores: None,
        };
        while let Some(option) = arguments.next() {
            if option == "--json" {
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
            match option.as_str() {
                "--data" => data = Some(value),
                "--train" => options.train = Some(value),
                "--trees" => options.trees = value.parse()?,
                "--sample" => options.sample = value.parse()?,
                "--extension" => options.extension = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--threads" => options.threads = value.parse()?,
                "--scores" => options.scores = Some(value),
                _ => return Err(format!("{option} is not an option").into()),
            }
        }
        options.data = data.ok_or("--data is missing")?;
        Ok(options)
    }
}
