//! A place in the tree, from which typed values are read.

use serde_saphyr::Spanned;

use super::sheet::entry_key;
use super::values::{Wrong, found};
use super::{Key, Sheet, Value};

/// Longest part of a foreign key that is repeated in a problem, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// One value somewhere in the tree.
pub struct Item<'a> {
    /// What notes the problems.
    pub sheet: &'a Sheet<'a>,
    /// The key of the value.
    pub key: String,
    value: &'a Value,
}

impl<'a> Item<'a> {
    /// The file as a whole.
    #[must_use]
    pub fn root(sheet: &'a Sheet<'a>, root: &'a Spanned<Value>) -> Self {
        Self { sheet, key: String::new(), value: &root.value }
    }

    /// Reads the value, or notes what is wrong with it.
    pub fn read<T>(&self, parse: impl FnOnce(&'a Value) -> Result<T, Wrong>) -> Option<T> {
        match parse(self.value) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.sheet.problem(&self.key, wrong.reason, wrong.hint);
                None
            }
        }
    }

    /// Opens the value as a mapping of free keys; a repeated key is a problem.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<(&'a str, Item<'a>)>> {
        let entries = self.read(|value| match value {
            Value::Map(entries) => Ok(entries),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_) => {
                Err(Wrong::new(format!("is {}, not a mapping", found(value)), "write a mapping"))
            }
        })?;
        let keys: Vec<&str> = entries.iter().map(|(key, _)| key.value.0.as_str()).collect();
        self.section(&keys)?;
        let item = |(key, value): &'a (Spanned<Key>, Spanned<Value>)| {
            let name = key.value.0.as_str();
            (name, Item { sheet: self.sheet, key: entry_key(&self.key, name), value: &value.value })
        };
        Some(entries.iter().map(item).collect())
    }

    /// Opens the value as a mapping with these keys; every other key and every repeated key is a problem.
    #[must_use]
    pub fn section(&self, known: &[&str]) -> Option<Section<'a>> {
        let entries = self.read(|value| match value {
            Value::Map(entries) => Ok(entries),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_) => {
                let hint = format!("write a mapping with keys of {}", known.join(", "));
                Err(Wrong::new(format!("is {}, not a mapping", found(value)), hint))
            }
        })?;
        let mut section = Section { sheet: self.sheet, key: self.key.clone(), entries: Vec::new() };
        for (name, value) in entries {
            let (line, name) = (name.referenced.line(), name.value.0.as_str());
            if !known.contains(&name) {
                let key = section.key_of(&shown(name));
                self.sheet.problem_at(line, &key, "is not a known key", nearest(name, known));
            } else if let Some((_, _, first)) = section.entries.iter().find(|(seen, _, _)| *seen == name) {
                let reason = format!("is given twice, first on line {first}");
                self.sheet.problem_at(line, &section.key_of(name), reason, "keep one of the two");
            } else {
                section.entries.push((name, &value.value, line));
            }
        }
        Some(section)
    }

    /// Opens the value as a list.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Item<'a>>> {
        let list = self.read(|value| match value {
            Value::List(list) => Ok(list),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Map(_) => {
                let hint = "put a dash before each element, or brackets around all of them";
                Err(Wrong::new(format!("is {}, not a list", found(value)), hint))
            }
        })?;
        let item = |(position, node): (usize, &'a Spanned<Value>)| Item {
            sheet: self.sheet,
            key: format!("{}[{position}]", self.key),
            value: &node.value,
        };
        Some(list.iter().enumerate().map(item).collect())
    }
}

/// A mapping of the file whose keys are all known.
pub struct Section<'a> {
    /// What notes the problems.
    pub sheet: &'a Sheet<'a>,
    /// The key of the mapping.
    pub key: String,
    entries: Vec<(&'a str, &'a Value, u64)>,
}

impl<'a> Section<'a> {
    /// The full key of an entry.
    #[must_use]
    pub fn key_of(&self, name: &str) -> String {
        entry_key(&self.key, name)
    }

    /// The entry of that name, if the file has it.
    #[must_use]
    pub fn item(&self, name: &str) -> Option<Item<'a>> {
        let (_, value, _) = self.entries.iter().find(|(seen, _, _)| *seen == name)?;
        Some(Item { sheet: self.sheet, key: self.key_of(name), value })
    }

    /// Reads an entry that may be absent. `None` means absent, or wrong and noted.
    pub fn optional<T>(&self, name: &str, parse: impl FnOnce(&'a Value) -> Result<T, Wrong>) -> Option<T> {
        self.item(name)?.read(parse)
    }

    /// Reads an entry that has a default.
    pub fn or<T>(&self, name: &str, default: T, parse: impl FnOnce(&'a Value) -> Result<T, Wrong>) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// Reads an entry that must be there. `None` means absent or wrong, and noted.
    pub fn required<T>(
        &self,
        name: &str,
        example: &str,
        parse: impl FnOnce(&'a Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.required_item(name, example)?.read(parse)
    }

    /// The entry of that name; its absence is noted.
    #[must_use]
    pub fn required_item(&self, name: &str, example: &str) -> Option<Item<'a>> {
        let item = self.item(name);
        if item.is_none() {
            self.sheet.problem(&self.key_of(name), "is missing", format!("add {name}, such as {example}"));
        }
        item
    }
}

/// A foreign key as it may be printed: short, escaped, and never an address with a password.
fn shown(name: &str) -> String {
    if name.contains(['@', ':']) {
        return "…".to_owned();
    }
    name.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect()
}

/// The hint for an unknown key: the known one it resembles, else all known ones.
fn nearest(name: &str, known: &[&str]) -> String {
    let close = known.iter().map(|k| (distance(name, k), *k)).min();
    match close {
        Some((steps, key)) if steps <= 2 && steps < key.len() => format!("did you mean {key}?"),
        Some(_) | None => format!("known here: {}", known.join(", ")),
    }
}

/// How many characters to insert, remove or replace to make one name of the other (Levenshtein); long names are not
/// compared.
fn distance(one: &str, other: &str) -> usize {
    if one.len() > SHOWN_CHARS_MAX {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.chars().enumerate() {
            let kept = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = kept.min(corner + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, steps) in
            [("", "", 0), ("polcy", "policy", 1), ("mode", "node", 1), ("ab", "ba", 2), ("", "abc", 3)]
        {
            assert_eq!(distance(a, b), steps, "{a} {b}");
        }
        assert_eq!(nearest("theta_atuo", &["theta_auto", "x"]), "did you mean theta_auto?");
        assert_eq!(nearest("vantages", &["name", "x"]), "known here: name, x");
    }
}
