//! The YAML text as a tree that knows its lines, keeps duplicate keys, and is bounded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    DefaultMessageFormatter, DeserializeError, DuplicateKeyPolicy, MessageFormatter, NonFiniteFloatPolicy,
    Spanned,
};

/// Most nodes in a file, aliases expanded; a thousand services stay far below.
const NODES_MAX: usize = 100_000;
/// Deepest nesting; the configuration itself needs seven levels.
const DEPTH_MAX: usize = 24;

/// One value of the tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Another number, NaN and the infinities included.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Spanned<Value>>),
    /// A mapping in the file's order; a key may occur more than once.
    Map(Vec<(Spanned<Key>, Spanned<Value>)>),
}

/// The key of a mapping, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(pub String);

/// Reads the tree, or says at which line the text is not YAML and why.
///
/// # Errors
/// The text is not one YAML document, or is too large when its aliases are expanded.
pub fn tree(yaml: &str) -> Result<Spanned<Value>, (Option<u64>, String)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 2 * NODES_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_documents: 2,
            max_anchors: 1000,
            max_aliases: 10_000,
            max_merge_keys: 10_000,
            max_recorded_anchor_events: NODES_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(yaml, options).map_err(|error| {
        let line = error.location().map(|place| place.line()).filter(|line| *line > 0);
        (line, reason(error.without_snippet()))
    })
}

/// Why the text was refused. A tag or an alias is not repeated: an unquoted password may begin with `!` or `*`.
fn reason(mut error: &DeserializeError) -> String {
    use DeserializeError as E;
    // An error found in what an alias repeats is wrapped once for each alias.
    while let E::AliasError { error: inner, .. } = error {
        error = inner;
    }
    let own = if matches!(error, E::UnsupportedTag { .. }) {
        "tags are not known here; put a text that begins with ! in quotes"
    } else if matches!(error, E::UnknownAnchor { .. }) {
        "an alias has no anchor; put a text that begins with * in quotes"
    } else if matches!(error, E::MultipleDocuments { .. }) {
        "there is more than one document"
    } else if matches!(error, E::Budget { .. } | E::AliasReplayLimitExceeded { .. }) {
        "it is too large or too deep once its aliases are expanded"
    } else {
        let message = DefaultMessageFormatter.format_message(error);
        return message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    };
    own.to_owned()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = access.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is a text")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Key, E> {
        Ok(Key(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Key, E> {
        Ok(Key(String::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_knows_its_lines() {
        let root = tree("a: 1\nb:\n  - x\n  - {c: .nan}\na: yes\n").unwrap();
        let Value::Map(entries) = root.value else { panic!("a mapping") };
        let keys: Vec<_> = entries.iter().map(|(k, _)| (k.value.0.as_str(), k.referenced.line())).collect();
        assert_eq!(keys, [("a", 1), ("b", 2), ("a", 5)]);
        assert_eq!(entries[0].1.value, Value::Integer(1));
        assert_eq!(entries[2].1.value, Value::Text("yes".to_owned()));
        let Value::List(items) = &entries[1].1.value else { panic!("a list") };
        assert_eq!(items.iter().map(|i| i.referenced.line()).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for bad in ["a: [1", "a: 1\n---\nb: 2", "a:\n\tb: 1", "a: *nothing", "a: !!int x", "? [1]\n: 2"] {
            assert!(tree(bad).is_err(), "{bad:?}");
        }
        assert_eq!(tree("").unwrap().value, Value::Null);
        assert!(tree(&"[".repeat(1000)).is_err());
    }

    #[test]
    fn no_reason_repeats_the_text() {
        for value in [
            "!hunter2",
            "!!hunter2",
            "!hunter2 x",
            "*hunter2",
            "&hunter2",
            "&hunter2 &x",
            "@hunter2",
            "`hunter2",
            "|hunter2",
            "%hunter2",
            ">hunter2",
            "\"\\hunter2\"",
            "\"hunter2",
            "'hunter2",
            "[hunter2",
            "{hunter2",
            "{hunter2]",
            "hunter2: x: y",
            "!!int hunter2",
            "!!float hunter2",
            "!!bool hunter2",
            "!!null hunter2",
            "!!binary hunter2",
            "!<hunter2> x",
            "!hunter2!x y",
            "<<: hunter2",
            "{<<: hunter2}",
            "- hunter2",
            "\"x\" hunter2",
            "]hunter2",
        ] {
            for text in [
                format!("password: {value}\n"),
                format!("a:\n  - {value}\n b: 1\n"),
                format!("{value}\n---\n"),
            ] {
                if let Err((_, reason)) = tree(&text) {
                    assert!(!reason.contains("hunter2"), "{text:?}: {reason}");
                }
            }
        }
    }
}
