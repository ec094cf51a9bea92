//! A configuration file key by key, to say later what has changed in it. Values that may be a secret, or lead to one, are
//! kept as a hash only: whether they changed can be told, what they are cannot.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use sha2::{Digest as _, Sha256};

use super::read::{Value, entry_key, quoted};
use crate::types::{Change, Difference};

/// Keys whose values may be told, whatever they are in: none of them holds a secret or leads to one.
const TOLD: [&str; 24] = [
    "name",
    "datacenter",
    "failure_domain",
    "topology",
    "mode",
    "provider",
    "type",
    "kind",
    "zone",
    "zone_id",
    "region",
    "listen",
    "dns_target",
    "algorithm",
    "min_level",
    "tls",
    "service_label",
    "from",
    "until",
    "promql",
    "tcp",
    "dns",
    "exempt",
    "name_servers",
];
/// What names an element of a list, so that one that is put in between does not look as if all others had changed.
const NAMES: [&str; 2] = ["name", "datacenter"];
/// Longest value that is told, in bytes; a longer one is only said to differ.
const TOLD_BYTES_MAX: usize = 100;
/// Bytes of the hash of a value that is not told.
const HASH_BYTES: usize = 12;

/// The file, key by key.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Outline(BTreeMap<String, Leaf>);

/// A value without parts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Leaf {
    /// It may be told.
    #[serde(rename = "is")]
    Told(String),
    /// The hash of one that may not.
    #[serde(rename = "hash")]
    Hidden(String),
}

impl Leaf {
    fn told(&self) -> Option<String> {
        match self {
            Self::Told(text) => Some(text.clone()),
            Self::Hidden(_) => None,
        }
    }
}

impl Outline {
    /// The outline of a file.
    pub(super) fn of(root: &Spanned<Value>) -> Self {
        let mut outline = Self::default();
        outline.add("", "", &root.value);
        outline
    }

    fn add(&mut self, key: &str, last: &str, value: &Value) {
        match value {
            Value::Map(entries) => {
                for (name, value) in entries {
                    let name = &name.value.0;
                    self.add(&entry_key(key, name), name, &value.value);
                }
            }
            Value::List(items) => {
                for (position, item) in items.iter().enumerate() {
                    let name = name_of(&item.value).unwrap_or_else(|| position.to_string());
                    self.add(&format!("{key}[{name}]"), last, &item.value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {
                // Two elements of one name are refused elsewhere; here the last one counts.
                self.0.insert(key.to_owned(), leaf(last, value));
            }
        }
    }

    /// What is different in a later outline, in the order of the keys.
    #[must_use]
    pub fn changes_to(&self, later: &Self) -> Vec<Change> {
        let gone = self.0.iter().filter(|(key, _)| !later.0.contains_key(*key)).map(|(key, leaf)| Change {
            key: key.clone(),
            what: Difference::Removed,
            from: leaf.told(),
            to: None,
        });
        let other = later.0.iter().filter_map(|(key, leaf)| {
            let before = self.0.get(key);
            let what = if before.is_some() { Difference::Changed } else { Difference::Added };
            let change =
                Change { key: key.clone(), what, from: before.and_then(Leaf::told), to: leaf.told() };
            (before != Some(leaf)).then_some(change)
        });
        let mut changes: Vec<Change> = gone.chain(other).collect();
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        changes
    }
}

fn name_of(value: &Value) -> Option<String> {
    let Value::Map(entries) = value else { return None };
    let find = |wanted: &&str| entries.iter().find(|(key, _)| key.value.0 == **wanted);
    let (_, name) = NAMES.iter().find_map(find)?;
    if let Value::Text(name) = &name.value { Some(name.clone()) } else { None }
}

fn leaf(last: &str, value: &Value) -> Leaf {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) if may_be_told(last, text) => {
            let is_plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
            return Leaf::Told(if is_plain { text.clone() } else { quoted(text).to_string() });
        }
        Value::Text(text) => {
            let hash = Sha256::digest(text.as_bytes());
            return Leaf::Hidden(hash.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect());
        }
        Value::List(_) | Value::Map(_) => String::new(),
    };
    Leaf::Told(text)
}

/// Durations and numbers in quotes are told too: they begin with a digit and hold nothing but letters, digits and dots,
/// and are too short to be a token.
fn may_be_told(last: &str, text: &str) -> bool {
    let is_measure = text.len() <= 12
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(['s', 'm', 'h', 'd', 'w'])
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    let is_named =
        TOLD.contains(&last) && text.len() <= TOLD_BYTES_MAX && !text.contains("://") && !text.contains('@');
    is_measure || is_named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read::tree;

    fn outline(text: &str) -> Outline {
        Outline::of(&tree(text).unwrap())
    }

    fn said(before: &str, after: &str) -> Vec<String> {
        outline(before).changes_to(&outline(after)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_change_is_told_by_its_key() {
        let before = "services:\n- {name: a, mode: recommend, policy: {theta_auto: 0.9}}\n- {name: b, dry_run: true}\n";
        let after = "services:\n- {name: new}\n- {name: a, mode: automatic, policy: {theta_auto: 0.8, confirm_window: 40s}}\n";
        assert_eq!(
            said(before, after),
            [
                "services[a].mode: recommend -> automatic",
                "services[a].policy.confirm_window: added, 40s",
                "services[a].policy.theta_auto: 0.9 -> 0.8",
                "services[b].dry_run: removed, was true",
                "services[b].name: removed, was b",
                "services[new].name: added, new",
            ]
        );
        assert_eq!(said(before, before), [""; 0]);
        assert_eq!(said("a: [1, 2]", "a: [1, 3]"), ["a[1]: 2 -> 3"]);
    }

    #[test]
    fn what_may_be_a_secret_is_only_said_to_differ() {
        for (before, after) in [
            (
                "notify: [{slack: {url: https://hooks/hunter2}}]",
                "notify: [{slack: {url: https://hooks/hunter3}}]",
            ),
            ("webhook: {bearer_token_env: hunter2}", "webhook: {bearer_token_env: hunter3}"),
            ("x: {targets: [\"redis://u:hunter2@h\"]}", "x: {targets: [\"redis://u:hunter3@h\"]}"),
            ("x: {name: \"redis://u:hunter2@h\"}", "x: {name: \"redis://u:hunter3@h\"}"),
            ("x: {header: hunter2}", "x: {header: hunter3}"),
        ] {
            let told = said(before, after);
            assert!(told.iter().all(|line| line.ends_with(": changed")), "{told:?}");
            assert!(!told.is_empty() && !told.concat().contains("hunter"), "{told:?}");
            let kept = serde_json::to_string(&outline(before)).unwrap();
            assert!(!kept.contains("hunter"), "{kept}");
            assert_eq!(serde_json::from_str::<Outline>(&kept).unwrap(), outline(before));
        }
    }
}
