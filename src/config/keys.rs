//! Which keys and streams of a server a scrape looks at; nothing, where nothing is named.

use regex::{Regex, RegexBuilder};

use super::read::{Item, Section, Value, Wrong, boolean, choice, integer, text};

/// Most things that are looked for at one server.
pub const KEY_CHECKS_MAX: usize = 100;
/// Keys that one SCAN looks at: Redis stands still meanwhile, well below a millisecond.
const BATCH: u64 = 1000;
/// Keys and streams of one server that become series.
const SERIES_MAX: u64 = 1000;
/// Groups of keys of one database that become series.
const GROUPS_MAX: u64 = 100;
/// Memory that a compiled pattern may take, in bytes.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// Marks of a pattern; a key without them is looked at without a search.
const MARKS: [char; 4] = ['*', '?', '[', '\\'];

/// Which keys a scrape looks at, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// At which servers.
    pub scope: KeyScope,
    /// What is looked at.
    pub checks: Vec<KeyCheck>,
    /// The first of these that a key matches names the key's group.
    pub groups: Vec<KeyGroup>,
    /// Most groups of a database; those that use least memory become one.
    pub groups_max: usize,
    /// Most keys and streams that become series.
    pub series_max: usize,
    /// Keys that one SCAN looks at.
    pub batch: u64,
    /// Whether the caller of a scrape may name more of them.
    pub by_request: bool,
}

/// At which servers keys are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyScope {
    /// At replicas: the primary has other work.
    #[default]
    Replicas,
    /// At each.
    All,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyCheckKind {
    /// One key.
    Key,
    /// All keys of a pattern.
    Keys,
    /// How many keys a pattern has.
    Count,
    /// One stream.
    Stream,
    /// All streams of a pattern.
    Streams,
}

/// The names that redis_exporter has for them, in a query; a configuration has underscores.
const NAMES: [(&str, KeyCheckKind); 5] = [
    ("check-keys", KeyCheckKind::Keys),
    ("check-single-keys", KeyCheckKind::Key),
    ("count-keys", KeyCheckKind::Count),
    ("check-streams", KeyCheckKind::Streams),
    ("check-single-streams", KeyCheckKind::Stream),
];

/// Something that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyCheck {
    /// The number of the database.
    pub database: u32,
    /// What kind of thing.
    pub kind: KeyCheckKind,
    /// The key, or the pattern, as Redis has it.
    pub pattern: String,
}

impl KeyCheck {
    /// What a parameter of redis_exporter's `/scrape` asks for: `db3=user:*`, or `user:*` in database 0; `None` where the
    /// parameter is another one.
    #[must_use]
    pub fn of_parameter(name: &str, value: &str) -> Option<Vec<Self>> {
        let (_, kind) = NAMES.into_iter().find(|(known, _)| *known == name)?;
        let parts = value.split(',').filter(|part| !part.is_empty()).take(KEY_CHECKS_MAX + 1);
        Some(parts.map(|part| Self::read(kind, part)).collect())
    }

    fn read(kind: KeyCheckKind, text: &str) -> Self {
        let named = text.split_once('=').and_then(|(database, pattern)| {
            let digits = database.strip_prefix("db").unwrap_or(database);
            Some((digits.parse().ok().filter(|_| !digits.starts_with('+'))?, pattern))
        });
        let (database, pattern) = named.unwrap_or((0, text));
        let kind = match kind {
            KeyCheckKind::Keys if !pattern.contains(MARKS) => KeyCheckKind::Key,
            KeyCheckKind::Streams if !pattern.contains(MARKS) => KeyCheckKind::Stream,
            kind @ (KeyCheckKind::Key
            | KeyCheckKind::Keys
            | KeyCheckKind::Count
            | KeyCheckKind::Stream
            | KeyCheckKind::Streams) => kind,
        };
        Self { database, kind, pattern: pattern.to_owned() }
    }
}

/// A pattern that names the group of a key.
#[derive(Debug, Clone)]
pub struct KeyGroup(Regex);

impl KeyGroup {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// It is none, or too large.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build().map(Self)
    }

    /// The group of a key that matches: what the first parenthesis holds, or the whole match.
    #[must_use]
    pub fn of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let found = self.0.captures(key)?;
        found.get(1).or_else(|| found.get(0)).map(|part| part.as_str())
    }
}

impl PartialEq for KeyGroup {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            scope: KeyScope::Replicas,
            checks: Vec::new(),
            groups: Vec::new(),
            groups_max: narrow(GROUPS_MAX),
            series_max: narrow(SERIES_MAX),
            batch: BATCH,
            by_request: false,
        }
    }
}

fn narrow(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Reads `exporter.keys`.
pub(super) fn keys(item: &Item<'_>) -> Keys {
    let section = item.section(&[
        "on",
        "check_keys",
        "check_single_keys",
        "count_keys",
        "check_streams",
        "check_single_streams",
        "key_groups",
        "key_groups_max",
        "series_max",
        "batch",
        "by_request",
    ]);
    let Some(section) = section else { return Keys::default() };
    let scopes = [("replicas", KeyScope::Replicas), ("all", KeyScope::All)];
    let mut checks = Vec::new();
    for (name, kind) in NAMES {
        let name = name.replace('-', "_");
        checks.extend(list(&section, &name, |value| text(value).map(|text| KeyCheck::read(kind, text))));
    }
    if checks.len() > KEY_CHECKS_MAX {
        let reason = format!("names {} keys and patterns, more than {KEY_CHECKS_MAX}", checks.len());
        section.sheet.problem(&section.key, reason, "use fewer and wider patterns");
    }
    Keys {
        scope: section.or("on", KeyScope::Replicas, choice(&scopes)),
        checks,
        groups: list(&section, "key_groups", group),
        groups_max: narrow(section.or("key_groups_max", GROUPS_MAX, integer(1..=1000))),
        series_max: narrow(section.or("series_max", SERIES_MAX, integer(1..=100_000))),
        batch: section.or("batch", BATCH, integer(10..=10_000)),
        by_request: section.or("by_request", false, boolean),
    }
}

fn list<T>(section: &Section<'_>, name: &str, read: impl Fn(&Value) -> Result<T, Wrong>) -> Vec<T> {
    let items = section.item(name).and_then(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(|item| item.read(&read)).collect()
}

fn group(value: &Value) -> Result<KeyGroup, Wrong> {
    let hint = "write one such as \"^([a-z]+):\"; its first parenthesis names the group";
    KeyGroup::new(text(value)?).map_err(|_| Wrong::new("is no regular expression, or too large", hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_read_as_redis_exporter_writes_them() {
        let read = |name: &str, value: &str| {
            let checks = KeyCheck::of_parameter(name, value).unwrap();
            checks.into_iter().map(|check| (check.database, check.kind, check.pattern)).collect::<Vec<_>>()
        };
        let row = |database, kind, pattern: &str| (database, kind, pattern.to_owned());
        assert_eq!(
            read("check-keys", "db3=user:*,queue,,4=a=b,name=x?"),
            [
                row(3, KeyCheckKind::Keys, "user:*"),
                row(0, KeyCheckKind::Key, "queue"),
                row(4, KeyCheckKind::Key, "a=b"),
                row(0, KeyCheckKind::Keys, "name=x?"),
            ]
        );
        assert_eq!(read("check-single-keys", "db1=a*"), [row(1, KeyCheckKind::Key, "a*")]);
        assert_eq!(read("count-keys", "db0=a"), [row(0, KeyCheckKind::Count, "a")]);
        let streams = [row(0, KeyCheckKind::Stream, "s"), row(0, KeyCheckKind::Streams, "t*")];
        assert_eq!(read("check-streams", "s,t*"), streams);
        assert_eq!(read("check-single-streams", "db99999999999=s")[0].2, "db99999999999=s");
        assert_eq!(KeyCheck::of_parameter("target", "x"), None);
        assert_eq!(
            read("check-keys", &"a,".repeat(1000)).len(),
            KEY_CHECKS_MAX + 1,
            "bounded, and seen to be more"
        );
    }

    #[test]
    fn a_group_is_the_first_parenthesis_or_the_match() {
        for (pattern, key, want) in [
            ("^([a-z]+):", "user:1", Some("user")),
            ("^[a-z]+:", "user:1", Some("user:")),
            ("^(a)|(b)", "b", Some("b")),
            ("^([a-z]+):", "1", None),
        ] {
            assert_eq!(KeyGroup::new(pattern).unwrap().of(key), want, "{pattern} {key}");
        }
        assert!(KeyGroup::new("(").is_err() && KeyGroup::new(&"(a{1000}){1000}".repeat(3)).is_err());
    }
}
