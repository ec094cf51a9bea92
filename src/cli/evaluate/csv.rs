//! Reads numbers from a file with commas.

use std::path::Path;

use crate::cli::parts::Failure;

/// The most bytes of a file.
const BYTES_MAX: u64 = 1 << 30;
/// The column with the number of the row in time.
const NUMBER: &str = "t";

/// The numbers of a file.
pub(super) struct Csv {
    /// The columns, without the row's number.
    pub(super) names: Vec<String>,
    /// The rows are numbered; else they are counted from 0.
    pub(super) is_numbered: bool,
    /// The number of each row in time, and its values; an empty cell, or one that says NaN, is a gap.
    pub(super) rows: Vec<(i64, Vec<f64>)>,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Csv, Failure> {
    let name = path.display();
    let wrong = |why: String| Failure::Wrong(format!("{name}: {why}"));
    let bytes = std::fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?.len();
    if bytes > BYTES_MAX {
        return Err(wrong(format!("has more than {} MiB", BYTES_MAX >> 20)));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    parse(&text).map_err(wrong)
}

fn parse(text: &str) -> Result<Csv, String> {
    let mut lines = text.lines();
    let heading = lines.next().ok_or_else(|| "is empty".to_owned())?;
    let heading: Vec<String> = heading.split(',').map(unquoted).collect();
    let number = heading.iter().position(|name| name == NUMBER);
    let names: Vec<String> = heading.iter().filter(|name| *name != NUMBER).cloned().collect();
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("has two columns {}", twice[0]));
    }
    if names.iter().any(String::is_empty) {
        return Err("has a column without a name".to_owned());
    }
    let mut rows: Vec<(i64, Vec<f64>)> = Vec::new();
    for (line, text) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cells = text.split(',').map(cell).collect::<Option<Vec<f64>>>();
        let cells = cells.ok_or_else(|| format!("line {}: has a cell that is no number", line + 2))?;
        if cells.len() != heading.len() {
            return Err(format!(
                "line {}: has {} cells, the heading {}",
                line + 2,
                cells.len(),
                heading.len()
            ));
        }
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let at = match number {
            Some(place) if !cells[place].is_finite() => {
                return Err(format!("line {}: {NUMBER} is no number", line + 2));
            }
            Some(place) => cells[place] as i64,
            None => count,
        };
        if rows.last().is_some_and(|(before, _)| at <= *before) {
            return Err(format!("line {}: {NUMBER} is not above that of the row before", line + 2));
        }
        let values = cells.into_iter().enumerate().filter(|(place, _)| Some(*place) != number);
        rows.push((at, values.map(|(_, value)| value).collect()));
    }
    Ok(Csv { names, is_numbered: number.is_some(), rows })
}

fn unquoted(cell: &str) -> String {
    cell.trim().trim_matches('"').to_owned()
}

fn cell(text: &str) -> Option<f64> {
    let text = text.trim().trim_matches('"');
    if text.is_empty() { Some(f64::NAN) } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_gaps_are_read() {
        let csv = parse("b,t,\"a\"\n1,7,-2e3\n,8,NaN\n\n3,9,inf\n").unwrap();
        assert_eq!(csv.names, ["b", "a"]);
        assert_eq!(csv.rows[0], (7, vec![1.0, -2000.0]));
        assert!(csv.rows[1].1.iter().all(|cell| cell.is_nan()));
        assert_eq!((csv.rows[2].0, csv.rows[2].1[1]), (9, f64::INFINITY));
        assert_eq!(parse("x\n5\n6\n").unwrap().rows[1], (1, vec![6.0]), "without t, rows are counted");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        for (text, why) in [
            ("a,b\n1,2\n1\n", "line 3: has 1 cells, the heading 2"),
            ("a\nx\n", "line 2: has a cell that is no number"),
            ("a,a\n", "has two columns a"),
            ("a,\n", "has a column without a name"),
            ("", "is empty"),
            ("t,a\n1,2\n,2\n", "line 3: t is no number"),
            ("t,a\n1,2\n1,2\n", "line 3: t is not above that of the row before"),
            ("t,a\n2,2\n1,2\n", "line 3: t is not above that of the row before"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(why));
        }
    }
}
