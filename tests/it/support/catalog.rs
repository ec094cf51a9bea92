//! A page of metrics, held against the catalog.

use std::collections::BTreeMap;

use redrover::monitor::{CATALOG, MetricKind, MetricSpec, Names, TARGET_LABELS};

/// Panics where a page has a family that the catalog does not know, or knows otherwise.
pub fn assert_is_in_the_catalog(page: &str, names: Names) {
    let is_open = page.ends_with("# EOF\n");
    let mut families: BTreeMap<String, &MetricSpec> = BTreeMap::new();
    for spec in CATALOG.iter().filter(|spec| names.have(spec)) {
        let name = if is_open && spec.kind == MetricKind::Counter { spec.family() } else { spec.name };
        // Facts are an own type of OpenMetrics, which adds the ending.
        let name = if is_open && spec.name == "redrover_build_info" { "redrover_build" } else { name };
        families.insert(name.to_owned(), spec);
    }
    let find = |name: &str| *families.get(name).unwrap_or_else(|| panic!("{name} is not in the catalog"));
    let mut present: Option<&MetricSpec> = None;
    for line in page.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            assert_eq!(help, find(name).help, "{name}");
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let spec = find(name);
            let is_odd = is_open && (spec.is_compat || name == "redrover_build");
            assert!(is_odd || kind == spec.kind.as_str(), "{name} is a {kind}");
            present = Some(spec);
        } else if !line.starts_with('#') {
            assert_is_of(line, present.unwrap_or_else(|| panic!("a sample before any family: {line}")));
        }
    }
}

/// Panics where a sample is none of the family, or has other labels.
fn assert_is_of(line: &str, spec: &MetricSpec) {
    let name = line.split(['{', ' ']).next().unwrap_or_default();
    let ending = name.strip_prefix(spec.name);
    let endings: &[&str] = match spec.kind {
        MetricKind::Gauge | MetricKind::Counter => &[""],
        MetricKind::Summary => &["", "_sum", "_count"],
        MetricKind::Histogram => &["_bucket", "_sum", "_count"],
    };
    assert!(
        ending.is_some_and(|ending| endings.contains(&ending)),
        "{line} stands in the block of {}",
        spec.name
    );
    for label in labels(line) {
        let is_known = spec.labels.contains(&label) || TARGET_LABELS.contains(&label);
        assert!(is_known || ["le", "quantile"].contains(&label), "{line}: {label}");
    }
}

/// The names of a sample's labels.
fn labels(line: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let Some((_, mut rest)) = line.split_once('{') else { return names };
    while let Some((name, after)) = rest.split_once("=\"") {
        names.push(name.trim_start_matches(','));
        let mut is_escaped = false;
        let end = after.find(|c| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        rest = &after[end.map_or(after.len(), |end| end + 1)..];
    }
    names
}
