//! What people are shown uses only what is exported.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use redrover::monitor::{CATALOG, TARGET_LABELS};

/// Words that look like metrics and are none.
const NO_METRICS: [&str; 2] = ["redis_exporter", "redis_service"];

#[test]
fn rules_dashboards_and_readme_name_only_what_is_exported() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    for folder in ["rules", "dashboards", "deploy/prometheus", "deploy/alertmanager"] {
        collect(&root.join(folder), &mut files);
    }
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let unknown: Vec<&str> = words(&text).into_iter().filter(|word| !is_exported(word)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", file.display());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("redis_") || word.starts_with("redrover_")).collect()
}

fn is_exported(word: &str) -> bool {
    let bare = ["_bucket", "_sum", "_count"].iter().find_map(|ending| word.strip_suffix(ending));
    let is = |name: &str| CATALOG.iter().any(|spec| spec.name == name || spec.labels.contains(&name));
    is(word) || bare.is_some_and(is) || TARGET_LABELS.contains(&word) || NO_METRICS.contains(&word)
}
