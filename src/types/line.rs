//! The lines of a record that is more than one plain set: what its values look like then.
//!
//! A plain set's values are written as they are. Where more moves with the record, each value says where it stands:
//!
//! | line | meaning |
//! |---|---|
//! | `10.0.0.1` | a value of the record itself |
//! | `at=cache.example.com/CNAME redis.dc-a.example.com` | a further record that moves in the same change |
//! | `set=dc-a/100 redis.dc-a.example.com` | the member `dc-a` of a weighted group, with its weight |
//! | `alias=Z26RNL4JYFTOTI lb.dc-a.example.com` | an alias of the provider, to a name in that hosted zone |

use std::fmt;

use super::{RecordName, RecordType};

const AT: &str = "at=";
const SET: &str = "set=";
const ALIAS: &str = "alias=";

/// One line of a record. Its text is taken apart again by [`Line::parse`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The further record it belongs to; `None` is the record itself.
    pub at: Option<(RecordName, RecordType)>,
    /// The member of a weighted group that it is, and its weight.
    pub set: Option<(String, u8)>,
    /// The hosted zone of an alias's target.
    pub alias: Option<String>,
    /// The value.
    pub value: String,
}

impl Line {
    /// A plain value of the record itself.
    #[must_use]
    pub fn plain(value: impl Into<String>) -> Self {
        Self { at: None, set: None, alias: None, value: value.into() }
    }

    /// Reads a line. What is no line of another kind is a plain value.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut rest = text;
        let mut line = Self::plain("");
        if let Some((word, after)) = word(rest, AT)
            && let Some((name, kind)) = word.rsplit_once('/')
            && let (Ok(name), Some(kind)) = (RecordName::new(name), RecordType::parse(kind))
        {
            (line.at, rest) = (Some((name, kind)), after);
        }
        if let Some((word, after)) = word(rest, SET)
            && let Some((id, weight)) = word.rsplit_once('/')
            && let Ok(weight) = weight.parse()
        {
            (line.set, rest) = (Some((id.to_owned(), weight)), after);
        }
        if let Some((word, after)) = word(rest, ALIAS) {
            (line.alias, rest) = (Some(word.to_owned()), after);
        }
        rest.clone_into(&mut line.value);
        line
    }
}

/// Takes `<tag>word ` off the front.
fn word<'a>(text: &'a str, tag: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(tag)?.split_once(' ')
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, kind)) = &self.at {
            write!(f, "{AT}{name}/{} ", kind.as_str())?;
        }
        if let Some((id, weight)) = &self.set {
            write!(f, "{SET}{id}/{weight} ")?;
        }
        if let Some(zone) = &self.alias {
            write!(f, "{ALIAS}{zone} ")?;
        }
        f.write_str(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_survives_its_text() {
        let at = || Some((RecordName::new("cache.example.com").unwrap(), RecordType::Aaaa));
        let set = || Some(("dc-a/1".to_owned(), 0));
        let plain = || Line::plain("redis.dc-a.example.com");
        for (line, text) in [
            (plain(), "redis.dc-a.example.com"),
            (Line::plain("2001:db8::1"), "2001:db8::1"),
            (Line { at: at(), ..plain() }, "at=cache.example.com/AAAA redis.dc-a.example.com"),
            (Line { set: set(), ..plain() }, "set=dc-a/1/0 redis.dc-a.example.com"),
            (Line { alias: Some("Z1".to_owned()), ..plain() }, "alias=Z1 redis.dc-a.example.com"),
            (
                Line { at: at(), set: set(), alias: Some("Z1".to_owned()), ..plain() },
                "at=cache.example.com/AAAA set=dc-a/1/0 alias=Z1 redis.dc-a.example.com",
            ),
        ] {
            assert_eq!(line.to_string(), text);
            assert_eq!(Line::parse(text), line);
        }
    }

    #[test]
    fn what_is_no_line_of_another_kind_is_a_plain_value() {
        for text in
            ["", "at=x y", "at=a.b/MX y", "set=x y", "set=a/256 y", "set=a/1", "alias=Z1", "x at=a.b/A y"]
        {
            assert_eq!(Line::parse(text), Line::plain(text), "{text}");
        }
    }
}
