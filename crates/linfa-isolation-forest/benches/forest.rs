//! Times of fitting, scoring and explaining; `cargo bench` runs them on one thread, with the feature `rayon` on all.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_isolation_forest::{IsolationForest, IsolationForestParams};
use ndarray::{Array2, Axis, Slice};

const COLUMNS: [usize; 4] = [1, 10, 40, 200];
const ROWS: usize = 10_000;

fn fitting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fit");
    for columns in COLUMNS {
        let dataset = DatasetBase::from(cloud(columns));
        for (name, params) in variants(columns) {
            group.bench_with_input(BenchmarkId::new(name, columns), &params, |bencher, params| {
                bencher.iter(|| params.fit(black_box(&dataset)));
            });
        }
    }
}

fn scoring(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for columns in COLUMNS {
        let rows = cloud(columns);
        for (name, params) in variants(columns) {
            let forest = fit(&params, &rows);
            group.bench_with_input(BenchmarkId::new(name, columns), &forest, |bencher, forest| {
                bencher.iter(|| forest.try_scores(black_box(&rows)));
            });
        }
    }
}

fn scoring_singly(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row");
    for columns in COLUMNS {
        let rows = cloud(columns);
        for trees in [100, 256] {
            let forest = fit(&IsolationForest::params().trees(trees), &rows);
            let mut walk = rows.rows().into_iter().filter_map(|row| row.to_slice()).cycle();
            group.bench_with_input(
                BenchmarkId::new(format!("{trees} trees"), columns),
                &forest,
                |bencher, forest| bencher.iter(|| walk.next().map(|row| forest.score_row(black_box(row)))),
            );
        }
    }
}

fn explaining(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("explain");
    for columns in COLUMNS {
        let rows = cloud(columns);
        let row = rows.row(17).to_vec();
        let mut contributions = vec![0.0; columns];
        for (name, params) in variants(columns) {
            let forest = fit(&params, &rows);
            group.bench_with_input(BenchmarkId::new(name, columns), &forest, |bencher, forest| {
                bencher.iter(|| forest.explain_row(black_box(&row), &mut contributions));
            });
        }
    }
}

fn renewing(criterion: &mut Criterion) {
    let rows = cloud(40);
    let mut forest = fit(&IsolationForest::params(), &rows);
    criterion.bench_function("replace 10 trees", |bencher| {
        bencher.iter(|| forest.replace_oldest(10, black_box(&rows)));
    });
}

/// What a monitor pays that keeps one forest for each thing it watches.
fn few_rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("few rows");
    for rows in [32, 256] {
        let cloud = cloud(7);
        let dataset = DatasetBase::from(cloud.slice_axis(Axis(0), Slice::from(..rows)));
        let params = IsolationForest::params().sample_size(rows / 2).contamination(0.01);
        group.bench_function(BenchmarkId::new("fit", rows), |bencher| {
            bencher.iter(|| params.fit(black_box(&dataset)));
        });
    }
}

fn variants(columns: usize) -> Vec<(&'static str, IsolationForestParams)> {
    let mut variants = vec![("axes", IsolationForest::params())];
    if columns > 1 {
        variants.push(("hyperplanes", IsolationForest::params().extension_level(1)));
    }
    variants
}

fn fit(params: &IsolationForestParams, rows: &Array2<f64>) -> IsolationForest<f64> {
    params.fit(&DatasetBase::from(rows.view())).expect("the rows are finite")
}

/// Makes rows of independent columns, of nearly normal numbers.
fn cloud(columns: usize) -> Array2<f64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    Array2::from_shape_simple_fn((ROWS, columns), || (0..4).map(|_| uniform()).sum::<f64>() - 2.0)
}

criterion_group!(benches, fitting, scoring, scoring_singly, explaining, renewing, few_rows);
criterion_main!(benches);
