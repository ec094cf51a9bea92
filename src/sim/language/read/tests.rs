//! What scenarios mean, what is wrong with the bad ones, and what no text may do.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::config::Problems;
use crate::sim::language::*;

fn parsed(text: &str) -> Result<Scenario, Problems> {
    parse(text, Path::new("s.yml"))
}

/// A scenario whose timeline is this one event.
fn event(event: &str) -> Result<Scenario, Problems> {
    parsed(&format!("name: x\nworld: {{targets: 4, services: 2}}\ntimeline: [{event}]\nexpect: {{outcome: hold}}\n"))
}
