//! Where problems and warnings are noted, with the lines of their keys.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_saphyr::Spanned;

use super::Value;
use crate::config::Problem;

/// How an environment variable is asked for.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Notes what is found while a file is read.
pub struct Sheet<'a> {
    path: &'a Path,
    env: Env<'a>,
    lines: BTreeMap<String, u64>,
    notes: RefCell<Notes>,
}

#[derive(Default)]
struct Notes {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    wrong: BTreeSet<String>,
    wrong_below: BTreeSet<String>,
}

impl<'a> Sheet<'a> {
    /// An empty sheet about the file at `path`, whose content is `root`.
    #[must_use]
    pub fn new(path: &'a Path, env: Env<'a>, root: &Spanned<Value>) -> Self {
        let mut lines = BTreeMap::from([(String::new(), root.referenced.line().max(1))]);
        index("", &root.value, &mut lines);
        Self { path, env, lines, notes: RefCell::default() }
    }

    /// Notes a problem at a key.
    pub fn problem(&self, key: &str, reason: impl Into<String>, hint: impl Into<String>) {
        self.problem_at(self.line(key), key, reason, hint);
    }

    /// Notes a problem at another line than that of its key.
    pub fn problem_at(&self, line: u64, key: &str, reason: impl Into<String>, hint: impl Into<String>) {
        let problem = self.note(line, key, reason.into(), hint.into());
        let mut notes = self.notes.borrow_mut();
        notes.problems.push(problem);
        notes.wrong.insert(key.to_owned());
        notes.wrong_below.extend(ancestors(key).map(str::to_owned));
    }

    /// Notes a warning at a key.
    pub fn warning(&self, key: &str, reason: impl Into<String>, hint: impl Into<String>) {
        let warning = self.note(self.line(key), key, reason.into(), hint.into());
        self.notes.borrow_mut().warnings.push(warning);
    }

    /// Whether nothing was found wrong with a key, with anything in it, or with what it is in as a whole.
    /// Rules between keys are checked only where both are sound: a consequence is no second problem.
    #[must_use]
    pub fn is_sound(&self, key: &str) -> bool {
        let notes = self.notes.borrow();
        !notes.wrong_below.contains(key) && !ancestors(key).any(|a| !a.is_empty() && notes.wrong.contains(a))
    }

    /// The value of an environment variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    /// A path of the file: a relative one starts at the folder of the file.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The problems and the warnings.
    #[must_use]
    pub fn into_notes(self) -> (Vec<Problem>, Vec<Problem>) {
        let notes = self.notes.into_inner();
        (notes.problems, notes.warnings)
    }

    fn note(&self, line: u64, key: &str, reason: String, hint: String) -> Problem {
        Problem { path: self.path.to_owned(), line: Some(line), key: key.to_owned(), reason, hint }
    }

    /// The line of a key, or of the nearest thing around it that the file holds.
    fn line(&self, key: &str) -> u64 {
        ancestors(key).find_map(|k| self.lines.get(k)).copied().unwrap_or(1)
    }
}

/// The key, what it is in, and so on up to the file as a whole.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(key), |key| match key.rfind(['.', '[']) {
        Some(cut) => Some(&key[..cut]),
        None if key.is_empty() => None,
        None => Some(""),
    })
}

/// The key of an entry in a mapping.
#[must_use]
pub fn entry_key(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn index(key: &str, value: &Value, lines: &mut BTreeMap<String, u64>) {
    match value {
        Value::List(items) => {
            for (position, item) in items.iter().enumerate() {
                let below = format!("{key}[{position}]");
                index(&below, &item.value, lines);
                lines.insert(below, item.referenced.line());
            }
        }
        Value::Map(entries) => {
            for (name, item) in entries {
                let below = entry_key(key, &name.value.0);
                // The first of two equal keys is the one that is read.
                if !lines.contains_key(&below) {
                    index(&below, &item.value, lines);
                    lines.insert(below, name.referenced.line());
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lies_in_its_ancestors() {
        let all: Vec<_> = ancestors("services[0].policy.flap").collect();
        assert_eq!(all, ["services[0].policy.flap", "services[0].policy", "services[0]", "services", ""]);
    }

    #[test]
    fn soundness_knows_above_and_below() {
        let root = crate::config::read::tree("a: {b: {c: 1}}\n").unwrap();
        let sheet = Sheet::new(Path::new("x"), &|_| None, &root);
        sheet.problem("a.b", "is wrong", "");
        let sound: Vec<_> = ["a", "a.b", "a.b.c", "a.x", "d"].map(|k| sheet.is_sound(k)).into();
        assert_eq!(sound, [false, false, false, true, true]);
        assert_eq!(sheet.resolve(Path::new("y")), Path::new("y"));
    }
}
