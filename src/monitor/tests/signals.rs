//! The document of all signals.

use crate::monitor::{SIGNAL_TABLE, SignalSpec};

/// `REDROVER_UPDATE=1` writes the tables anew, for review as a diff.
#[test]
fn the_document_holds_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/signals.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- signals begin -->\n", "<!-- signals end -->");
    let (head, rest) = document.split_once(begin).unwrap();
    let (_, tail) = rest.split_once(end).unwrap();
    let row = |spec: &SignalSpec| {
        format!(
            "| `{}` | {} | {} | {} |\n",
            spec.name,
            spec.what,
            spec.source,
            spec.formula.replace('|', "\\|")
        )
    };
    let rows: String = SIGNAL_TABLE.iter().map(row).collect();
    let wanted = format!(
        "{head}{begin}| signal | tells that | source | formula |\n|---|---|---|---|\n{rows}{end}{tail}"
    );
    if std::env::var_os("REDROVER_UPDATE").is_some() {
        std::fs::write(path, &wanted).unwrap();
        return;
    }
    assert_eq!(document, wanted, "REDROVER_UPDATE=1 cargo test --workspace --lib monitor::signals");
}
