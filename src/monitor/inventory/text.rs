//! The text form of Prometheus metrics, read line by line without copying: names and labels are parts of the page, and
//! only a label value with an escape in it is written anew.

use std::borrow::Cow;

/// Longest accepted line, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Most labels of a series.
const LABELS_MAX: usize = 64;

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels in their order.
    pub labels: Labels<'a>,
    /// Its value, which may be infinite or no number.
    pub value: f64,
}

impl<'a> Line<'a> {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_ref())
    }
}

/// The samples of a page in their order; a line that is none is told as such, and the next one is read all the same.
pub(super) fn lines(page: &str) -> impl Iterator<Item = Result<Line<'_>, NotASample>> {
    let lines = page.lines().map(|line| line.trim_matches([' ', '\t']));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| sample(line).ok_or(NotASample))
}

/// A line that is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotASample;

fn sample(line: &str) -> Option<Line<'_>> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let (name, rest) = split_name(line, |c| c == ':')?;
    let rest = blank(rest);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let value = number(words.next()?)?;
    // A time stamp may follow, and an exemplar behind a hash.
    match words.next() {
        None | Some("#") => {}
        Some(stamp) => {
            stamp.parse::<f64>().ok()?;
        }
    }
    Some(Line { name, labels, value })
}

/// Names and values of labels.
pub type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// The labels behind an opening brace, and what follows the closing one.
fn labels(mut rest: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = blank(rest);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        if labels.len() == LABELS_MAX {
            return None;
        }
        let (name, after) = split_name(rest, |_| false)?;
        let after = blank(blank(after).strip_prefix('=')?).strip_prefix('"')?;
        let (value, after) = quoted(after)?;
        labels.push((name, value));
        rest = blank(after);
        // A comma may follow the last label, too; two of them are none.
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

/// A value up to its closing quote. An escape other than the three of the format stands for itself.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    if text[end..].starts_with('"') {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let mut value = text[..end].to_owned();
    let mut chars = text[end..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Cow::Owned(value), &text[end + at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other @ ('"' | '\\') => value.push(other),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// A name at the beginning, which is letters, digits and underscores, and does not begin with a digit.
fn split_name(text: &str, is_also: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || is_also(c);
    let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let first = name.chars().next()?;
    (!first.is_ascii_digit()).then_some((name, rest))
}

/// A value as the format writes it. Go also writes hexadecimal numbers and underscores, which nobody exports.
fn number(word: &str) -> Option<f64> {
    match word {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust also takes words such as "infinity", which are none here.
        _ if word.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => None,
        _ => word.parse().ok(),
    }
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}
