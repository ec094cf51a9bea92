//! The process's own numbers, under the names that every Prometheus client library uses; read from `/proc` on Linux.

use std::fs;

use crate::monitor::{MetricSpec, counted};

/// One number and its metric.
pub(super) type Number = (MetricSpec, f64);

/// Linux counts processor time in hundredths of a second for every program (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;
/// The page size of the platforms this runs on.
const PAGE_BYTES: f64 = 4096.0;

/// What can be read; nothing on other systems.
pub(super) fn numbers() -> Vec<Number> {
    let mut numbers = Vec::new();
    if let Some(stat) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Stat::parse) {
        let cpu = (stat.user_ticks + stat.system_ticks) / TICKS_PER_SECOND;
        numbers.push((counted::PROCESS_CPU, cpu));
        numbers.push((counted::PROCESS_VIRTUAL, stat.virtual_bytes));
        let resident = stat.resident_pages * PAGE_BYTES;
        numbers.push((counted::PROCESS_RESIDENT, resident));
        if let Some(boot) = boot_seconds() {
            let start = boot + stat.start_ticks / TICKS_PER_SECOND;
            numbers.push((counted::PROCESS_START, start));
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        numbers.push((counted::PROCESS_FDS, open.count() as f64));
    }
    if let Some(limit) = open_files_max() {
        numbers.push((counted::PROCESS_FDS_MAX, limit));
    }
    numbers
}

struct Stat {
    user_ticks: f64,
    system_ticks: f64,
    start_ticks: f64,
    virtual_bytes: f64,
    resident_pages: f64,
}

impl Stat {
    /// Fields after the command's closing parenthesis, which may itself hold spaces (proc(5)).
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
        let number = |i: usize| fields.get(i)?.parse().ok();
        Some(Self {
            user_ticks: number(11)?,
            system_ticks: number(12)?,
            start_ticks: number(19)?,
            virtual_bytes: number(20)?,
            resident_pages: number(21)?,
        })
    }
}

fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn open_files_max() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_spaces_and_brackets_does_not_shift_the_fields() {
        let text = "7 (a) b) c) S 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 777 1000 20 18446744073709551615 1";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.user_ticks, stat.system_ticks, stat.start_ticks), (250.0, 50.0, 777.0));
        assert_eq!((stat.virtual_bytes, stat.resident_pages), (1000.0, 20.0));
        assert!(Stat::parse("7 (cut) S 1").is_none());
    }
}
