//! `docs/evidence.md` says what the core decides.

use std::path::Path;

use crate::decide::tests::evidence::tables;

/// The page with its tables as they are now; what stands between the marks of a table is replaced.
fn renewed(page: &str) -> String {
    let mut page = page.to_owned();
    for (name, table) in tables() {
        let mark = format!("<!-- table: {name} -->\n");
        let start = page.find(&mark).unwrap_or_else(|| panic!("no {mark}")) + mark.len();
        let end = start + page[start..].find("<!-- end -->").unwrap_or_else(|| panic!("no end of {mark}"));
        page.replace_range(start..end, &table);
    }
    page
}

/// `REDROVER_UPDATE=1` writes the tables anew, for review as a diff.
#[test]
fn the_tables_in_the_documentation_are_what_the_core_decides() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evidence.md");
    let found = std::fs::read_to_string(&path).unwrap();
    let wanted = renewed(&found);
    if std::env::var_os("REDROVER_UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(found == wanted, "the page must say:\n{wanted}");
}
