//! Parsers of single values. Ranges are stated positively: what is not inside is refused, NaN included.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::Value;
use super::duration as prometheus;
use crate::types::{NameError, Ratio};

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The predicate of a sentence about the key.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

impl Wrong {
    /// Takes both texts.
    #[must_use]
    pub fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }
}

/// What a value is, in words; never the value itself, which may be a secret in the wrong place.
#[must_use]
pub fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    }
}

/// A text that is not empty.
///
/// # Errors
/// Another kind of value, or an empty text.
pub fn text(value: &Value) -> Result<&str, Wrong> {
    match value {
        Value::Text(text) if text.is_empty() => {
            Err(Wrong::new("is empty", "write a value, or remove the key"))
        }
        Value::Text(text) => Ok(text),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) => Err(Wrong::new(
            format!("is {}, not a text", found(value)),
            "put it in quotes if it is meant as a text",
        )),
        Value::Null => Err(Wrong::new("is empty", "write a value, or remove the key")),
        Value::List(_) | Value::Map(_) => {
            Err(Wrong::new(format!("is {}, not a text", found(value)), "write a single text"))
        }
    }
}

/// A checked name.
pub fn named<T>(make: fn(&str) -> Result<T, NameError>) -> impl FnOnce(&Value) -> Result<T, Wrong> {
    move |value| make(text(value)?).map_err(|error| Wrong::new(error.to_string(), "write another name"))
}

/// A text of these characters beside letters and digits, at most `max` bytes.
pub fn word(max: usize, allowed: &'static str) -> impl FnOnce(&Value) -> Result<String, Wrong> {
    move |value| {
        let text = text(value)?;
        let good = |c: char| c.is_ascii_alphanumeric() || allowed.contains(c);
        if text.len() <= max && text.chars().all(good) {
            return Ok(text.to_owned());
        }
        let hint = format!("write at most {max} letters, digits or {allowed}");
        Err(Wrong::new("is too long or holds a character that is not allowed", hint))
    }
}

/// `true` or `false`.
///
/// # Errors
/// Anything else.
pub fn boolean(value: &Value) -> Result<bool, Wrong> {
    if let Value::Bool(yes) = value {
        Ok(*yes)
    } else {
        Err(other_than(value, "true or false", "write true or false"))
    }
}

/// A whole number in a range.
pub fn integer(range: RangeInclusive<u64>) -> impl FnOnce(&Value) -> Result<u64, Wrong> {
    move |value| {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        let hint = format!("write {what}");
        let Value::Integer(number) = value else { return Err(other_than(value, &what, &hint)) };
        match u64::try_from(*number) {
            Ok(inside) if range.contains(&inside) => Ok(inside),
            Ok(_) | Err(_) => Err(Wrong::new(format!("{number} is not {what}"), hint)),
        }
    }
}

/// A number in a range whose ends are named by `what`.
pub fn number(
    is_inside: fn(f64) -> bool,
    what: &'static str,
    example: &'static str,
) -> impl FnOnce(&Value) -> Result<f64, Wrong> {
    move |value| {
        let hint = format!("write {what}, such as {example}");
        let number = match value {
            // Beyond 2^53 a whole number loses its last digits; no range of ours reaches so far.
            Value::Integer(number) => *number as f64,
            Value::Float(number) => *number,
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                return Err(other_than(value, what, &hint));
            }
        };
        let good = number.is_finite() && is_inside(number);
        if good { Ok(number) } else { Err(Wrong::new(format!("{number} is not {what}"), hint)) }
    }
}

/// A number from 0 to 1.
pub fn ratio(example: &'static str) -> impl FnOnce(&Value) -> Result<Ratio, Wrong> {
    move |value| {
        let inside = number(|n| Ratio::new(n).is_ok(), "a number from 0 to 1", example)(value)?;
        Ok(Ratio::clamped(inside))
    }
}

/// A duration in a range.
pub fn duration(range: RangeInclusive<Duration>) -> impl FnOnce(&Value) -> Result<Duration, Wrong> {
    move |value| {
        let found = match value {
            Value::Integer(0) => Duration::ZERO,
            Value::Integer(number) => {
                let hint = format!("add the unit, such as {number}s");
                return Err(Wrong::new(format!("{number} is a bare number, not a duration"), hint));
            }
            Value::Text(text) => prometheus::parse(text).ok_or_else(|| {
                Wrong::new(format!("{} is not a duration", quoted(text)), "write it as 30s, 1h30m or 500ms")
            })?,
            Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
                return Err(other_than(value, "a duration", "write it as 30s, 1h30m or 500ms"));
            }
        };
        if range.contains(&found) {
            return Ok(found);
        }
        let (low, high) = (prometheus::text(*range.start()), prometheus::text(*range.end()));
        Err(Wrong::new(
            format!("{} is not from {low} to {high}", prometheus::text(found)),
            format!("write a duration from {low} to {high}"),
        ))
    }
}

/// One of a few words.
pub fn choice<T: Copy>(words: &[(&str, T)]) -> impl FnOnce(&Value) -> Result<T, Wrong> {
    move |value| {
        let all = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let given = text(value)?;
        match words.iter().find(|(word, _)| *word == given) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(Wrong::new(format!("{} is not known", quoted(given)), format!("write one of {all}"))),
        }
    }
}

/// An address with a port.
///
/// # Errors
/// Anything else.
pub fn socket(value: &Value) -> Result<SocketAddr, Wrong> {
    let wrong =
        |_| Wrong::new("is not an IP address with a port", "write it as 127.0.0.1:53 or [::1]:53, in quotes");
    text(value)?.parse().map_err(wrong)
}

/// A path of the file system, as written.
///
/// # Errors
/// Another kind of value, or an empty text.
pub fn path(value: &Value) -> Result<PathBuf, Wrong> {
    text(value).map(|text| Path::new(text).to_owned())
}

/// A base URL without credentials. The problem does not repeat the text: it may hold a password.
///
/// # Errors
/// Anything else.
pub fn http_url(value: &Value) -> Result<Url, Wrong> {
    let hint = "write it as http://host:port or https://host:port";
    let url: Url =
        text(value)?.parse().map_err(|error| Wrong::new(format!("is not a URL: {error}"), hint))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Wrong::new("is not an http or https URL", hint));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("holds credentials", "remove the part before the @"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("holds a query or a fragment", hint));
    }
    Ok(url)
}

fn other_than(value: &Value, what: &str, hint: &str) -> Wrong {
    match value {
        Value::Null => Wrong::new("is empty", hint),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_) => Wrong::new(format!("is {}, not {what}", found(value)), hint),
    }
}

/// A foreign text in quotes, cut short, and safe to print.
#[must_use]
pub fn quoted(text: &str) -> impl fmt::Display {
    let short: String = text.chars().take(20).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range() {
        for (value, good) in [
            (Value::Integer(0), true),
            (Value::Integer(1), true),
            (Value::Float(0.5), true),
            (Value::Integer(2), false),
            (Value::Float(-0.001), false),
            (Value::Float(1.001), false),
            (Value::Float(f64::NAN), false),
            (Value::Float(f64::INFINITY), false),
            (Value::Text("0.5".to_owned()), false),
            (Value::Null, false),
        ] {
            assert_eq!(ratio("0.9")(&value).is_ok(), good, "{value:?}");
        }
        for (number, good) in [(0, false), (1, true), (9, true), (10, false), (-1, false), (i128::MAX, false)]
        {
            assert_eq!(integer(1..=9)(&Value::Integer(number)).is_ok(), good, "{number}");
        }
    }

    #[test]
    fn urls_hold_no_credentials() {
        for (url, good) in [
            ("http://127.0.0.1:9093", true),
            ("https://am.example.com/prefix", true),
            ("ftp://x", false),
            ("http://user:hunter2@x", false),
            ("http://x?token=hunter2", false),
            ("x:9093", false),
            ("", false),
        ] {
            let result = http_url(&Value::Text(url.to_owned()));
            assert_eq!(result.is_ok(), good, "{url}");
            assert!(!format!("{result:?}").contains("hunter2"));
        }
    }
}
