//! Measurements are kept, bounded, and never in anybody's way.

use super::*;

const NO_LIMIT: Keep = Keep { oldest: 0, bytes_max: u64::MAX };

fn key(metric: &str, target: usize) -> SeriesKey {
    SeriesKey {
        service: "s".to_owned(),
        metric: metric.to_owned(),
        site: "dc-a".to_owned(),
        target: format!("redis://{target}:6379"),
    }
}

fn point(at: i64) -> Point {
    Point { at, mean: at as f64, most: 2.0 * at as f64 }
}

fn read(folder: &TempDir, metric: Option<&str>, since: i64) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    read_points(folder.path(), "s", metric, since, |key, point| found.push((key.metric.clone(), point.at)))
        .unwrap();
    found
}

#[test]
fn points_come_back_by_series_and_time() {
    let folder = folder();
    assert!(matches!(read_points(folder.path(), "s", None, 0, |_, _| {}), Err(JournalError::Absent { .. })));
    let mut file = PointsFile::open(folder.path()).unwrap();
    for at in [60, 120] {
        file.write(&[(key("b", 1), point(at)), (key("a", 1), point(at))], NO_LIMIT).unwrap();
    }
    file.write(&[(key("a", 1), Point { mean: f64::NAN, ..point(180) })], NO_LIMIT).unwrap();
    let all = ["a", "a", "b", "b"].map(str::to_owned).into_iter().zip([60, 120, 60, 120]);
    assert_eq!(read(&folder, None, 0), all.collect::<Vec<_>>());
    assert_eq!(read(&folder, Some("b"), 61), [("b".to_owned(), 120)]);
    // Another process, and a series that is known there already.
    drop(file);
    let mut file = PointsFile::open(folder.path()).unwrap();
    file.write(&[(key("b", 1), point(180))], Keep { oldest: 100, ..NO_LIMIT }).unwrap();
    assert_eq!(read(&folder, None, 0), [("a".to_owned(), 120), ("b".to_owned(), 120), ("b".to_owned(), 180)]);
    // A series whose points are all too old goes, and may come again.
    file.write(&[(key("b", 1), point(240))], Keep { oldest: 200, ..NO_LIMIT }).unwrap();
    file.write(&[(key("a", 1), point(300))], Keep { oldest: 200, ..NO_LIMIT }).unwrap();
    assert_eq!(read(&folder, None, 0), [("a".to_owned(), 300), ("b".to_owned(), 240)]);
}

#[test]
fn the_file_stays_below_its_size() {
    let folder = folder();
    let mut file = PointsFile::open(folder.path()).unwrap();
    let bytes_max = 400_000;
    for at in 0..400 {
        let points: Vec<_> = (0..100).map(|target| (key("a", target), point(at))).collect();
        file.write(&points, Keep { oldest: 0, bytes_max }).unwrap();
    }
    let path = file.path().to_owned();
    drop(file);
    // What is dropped is used again; the file itself never shrinks.
    let size = fs::metadata(path).unwrap().len();
    assert!(size < 2 * bytes_max, "{size}");
    let found = read(&folder, None, 0);
    assert!(
        found.iter().any(|(_, at)| *at == 399) && found.iter().all(|(_, at)| *at > 100),
        "{}",
        found.len()
    );
}

#[test]
fn a_damaged_file_begins_anew() {
    for damage in [b"noise".repeat(2_000), Vec::new()] {
        let folder = folder();
        PointsFile::open(folder.path()).unwrap().write(&[(key("a", 1), point(60))], NO_LIMIT).unwrap();
        fs::write(folder.path().join("metrics.db"), damage).unwrap();
        let mut file = PointsFile::open(folder.path()).unwrap();
        file.write(&[(key("a", 1), point(120))], NO_LIMIT).unwrap();
        assert_eq!(read(&folder, None, 0), [("a".to_owned(), 120)]);
    }
}
