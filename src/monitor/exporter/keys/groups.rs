//! Keys by group: how many, and how much memory they take together.

use std::collections::BTreeMap;

use super::labels::label;
use super::seen::GroupRow;
use crate::config::KeyGroup;

/// Groups that are told apart while they are counted.
const TOLD_APART_MAX: usize = 10_000;
/// The group of keys that no pattern matches.
const UNCLASSIFIED: &str = "unclassified";
/// The group of all that are beyond the limit.
const OVERFLOW: &str = "overflow";

/// Groups that are being counted.
pub(super) struct Tally<'a> {
    patterns: &'a [KeyGroup],
    rows: BTreeMap<String, GroupRow>,
    rest: GroupRow,
}

impl<'a> Tally<'a> {
    pub fn new(patterns: &'a [KeyGroup]) -> Self {
        Self { patterns, rows: BTreeMap::new(), rest: GroupRow::default() }
    }

    /// Counts a key.
    pub fn add(&mut self, key: &[u8], bytes: Option<u64>) {
        let text = label(key);
        let group = self.patterns.iter().find_map(|pattern| pattern.of(&text)).unwrap_or(UNCLASSIFIED);
        let row = GroupRow { keys: 1, bytes };
        if let Some(known) = self.rows.get_mut(group) {
            known.merge(row);
        } else if self.rows.len() < TOLD_APART_MAX {
            self.rows.insert(group.to_owned(), row);
        } else {
            self.rest.merge(row);
        }
    }

    /// How many groups there are, and the `groups_max` that use most memory, the others as one.
    pub fn finish(self, groups_max: usize) -> (usize, BTreeMap<String, GroupRow>) {
        let (distinct, mut rest) = (self.rows.len(), self.rest);
        let mut rows: Vec<_> = self.rows.into_iter().collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse((row.bytes, row.keys)));
        for (_, row) in rows.drain(groups_max.min(distinct)..) {
            rest.merge(row);
        }
        let mut kept: BTreeMap<String, GroupRow> = rows.into_iter().collect();
        if rest.keys > 0 {
            kept.entry(OVERFLOW.to_owned()).or_default().merge(rest);
        }
        (distinct, kept)
    }
}

impl GroupRow {
    fn merge(&mut self, other: Self) {
        self.keys += other.keys;
        self.bytes = match (self.bytes, other.bytes) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(groups_max: usize, keys: &[(&str, Option<u64>)]) -> (usize, Vec<(String, u64, Option<u64>)>) {
        let patterns = ["^(user):", "^([a-z]+):"].map(|pattern| KeyGroup::new(pattern).unwrap());
        let mut tally = Tally::new(&patterns);
        keys.iter().for_each(|(key, bytes)| tally.add(key.as_bytes(), *bytes));
        let (distinct, rows) = tally.finish(groups_max);
        (distinct, rows.into_iter().map(|(name, row)| (name, row.keys, row.bytes)).collect())
    }

    #[test]
    fn keys_are_counted_by_the_first_pattern_that_matches() {
        let keys = [("user:1", Some(5)), ("user:2", Some(6)), ("cfg:1", None), ("7", Some(1))];
        let row = |name: &str, keys, bytes| (name.to_owned(), keys, bytes);
        let want = [row("cfg", 1, None), row("unclassified", 1, Some(1)), row("user", 2, Some(11))];
        assert_eq!(tally(100, &keys), (3, want.to_vec()));
    }

    #[test]
    fn what_is_beyond_the_limit_is_one_group() {
        let keys = [("a:1", Some(10)), ("b:1", Some(30)), ("c:1", Some(20)), ("overflow:1", Some(90))];
        let row = |name: &str, keys, bytes| (name.to_owned(), keys, Some(bytes));
        assert_eq!(tally(2, &keys), (4, vec![row("b", 1, 30), row("overflow", 3, 120)]));
        assert_eq!(tally(0, &keys), (4, vec![row("overflow", 4, 150)]));
        assert_eq!(tally(2, &[]), (0, vec![]));
    }
}
