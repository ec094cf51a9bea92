//! `docs/metrics.md` says what the catalog says.

use std::path::Path;

use crate::monitor::manual;

/// `REDROVER_UPDATE=1` writes the page anew, for review as a diff.
#[test]
fn the_page_of_metrics_is_what_the_catalog_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let wanted = manual();
    if std::env::var_os("REDROVER_UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == wanted, "docs/metrics.md must say:\n{wanted}");
}
