//! What the analysis costs: scoring a look, making a model, keeping it, and what a model in the making does to whoever looks.
//!
//! `cargo bench --bench analysis`; a target of forty signals, two weeks of minutes.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use redrover::analyse::{Artifact, Follower, Recipe, Table, Threshold, Trained, train};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

const SIGNALS: usize = 40;
const PERIOD_SECONDS: u32 = 60;
const DAYS: usize = 14;
const ROWS: usize = DAYS * 1440;
/// A round of looks comes so often in the last figure, and so many of them are timed.
const ROUND: Duration = Duration::from_millis(5);
const ROUNDS: usize = 400;

/// A day's course, noise, and now and then a burst, in every signal.
fn row(minute: usize) -> Vec<f64> {
    let day = (minute as f64 / 1440.0 * std::f64::consts::TAU).sin();
    let noise = |signal: usize| {
        let bits = (minute as u64 * 64 + signal as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (bits >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let burst = if minute.is_multiple_of(997) { 5.0 } else { 0.0 };
    (0..SIGNALS).map(|signal| 100.0 + signal as f64 + 20.0 * day + 6.0 * noise(signal) + burst).collect()
}

fn table(rows: usize) -> Table {
    let mut table = Table::new((0..SIGNALS).map(|signal| format!("signal_{signal:02}")));
    (0..rows).for_each(|minute| table.push(time(minute), &row(minute), true));
    table
}

fn time(minute: usize) -> i64 {
    minute as i64 * i64::from(PERIOD_SECONDS)
}

fn trained(rows: usize) -> Trained {
    let recipe = Recipe { period_seconds: PERIOD_SECONDS, seed: 1, rules: Vec::new() };
    train(&table(rows), &recipe).expect("it is enough to learn from")
}

fn scoring(criterion: &mut Criterion) {
    let mut follower = Follower::new(trained(3 * 1440), Threshold::default());
    (0..3 * 1440).for_each(|minute| follower.recall(time(minute), &row(minute)));
    let rows: Vec<Vec<f64>> = (0..1440).map(row).collect();
    let mut minute = 3 * 1440;
    criterion.bench_function("score a look, with what each signal has to do with it", |bencher| {
        let (mut deviations, mut gains) = (Vec::new(), Vec::new());
        bencher.iter(|| {
            minute += 1;
            let judged = follower.peek(time(minute), black_box(&rows[minute % 1440]));
            follower.stream().deviations(&mut deviations);
            follower.stream().gains(&mut gains);
            judged
        });
    });
    criterion.bench_function("score a row and remember it", |bencher| {
        bencher.iter(|| {
            minute += 1;
            follower.push(time(minute), black_box(&rows[minute % 1440]))
        });
    });
}

fn training(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("train");
    group.sample_size(10);
    let table = table(ROWS);
    let recipe = Recipe { period_seconds: PERIOD_SECONDS, seed: 1, rules: Vec::new() };
    group.bench_function("two weeks of minutes", |bencher| {
        bencher.iter(|| train(black_box(&table), &recipe));
    });
    group.finish();
}

criterion_group!(benches, scoring, training);

fn main() {
    size();
    lateness();
    benches();
    Criterion::default().configure_from_args().final_summary();
}

fn size() {
    let artifact = Artifact {
        service: "sessions".to_owned(),
        site: "dc-a".to_owned(),
        target: "redis-1".to_owned(),
        trained: 0,
        content: trained(ROWS),
    };
    let bytes = artifact.encode().expect("a model has bytes").len();
    println!("a model of {SIGNALS} signals and {DAYS} days: {} KiB", bytes / 1024);
}

/// How late a round begins that is due every few milliseconds, while nothing else happens and while a model is made on a
/// thread beside it, as the learner does.
fn lateness() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let quiet = timed().await;
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let training = tokio::task::spawn_blocking(move || {
            let mut models = 0;
            while !stop.load(Ordering::Relaxed) {
                drop(black_box(trained(1440)));
                models += 1;
            }
            models
        });
        let beside = timed().await;
        is_over.store(true, Ordering::Relaxed);
        let models = training.await.expect("training ends");
        let [quiet, beside] = [quiet, beside].map(|late| {
            let at = |share: f64| late[(share * (late.len() - 1) as f64) as usize];
            format!("median {:?}, 99 of 100 {:?}, worst {:?}", at(0.5), at(0.99), at(1.0))
        });
        println!("rounds begin late by: alone {quiet}; beside training ({models} models) {beside}");
    });
}

/// On the worker, as a service's rounds are.
async fn timed() -> Vec<Duration> {
    let mut tasks = JoinSet::new();
    tasks.spawn(rounds());
    tasks.join_next().await.expect("there is a task").expect("the rounds end")
}

async fn rounds() -> Vec<Duration> {
    let mut ticks = tokio::time::interval(ROUND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut late = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let due = ticks.tick().await;
        late.push(Instant::now() - due);
    }
    late.sort();
    late
}
