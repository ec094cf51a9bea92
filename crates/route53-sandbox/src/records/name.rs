//! Domain names: folded to lower case, always absolute, escaped as Route 53 escapes them.

use std::cmp::Ordering;
use std::fmt;

use hickory_proto::rr::Name;

const LABEL_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 255;

/// A domain name in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsName {
    labels: Vec<Vec<u8>>,
    /// Labels from the top down, each closed by a dot: the order of ListResourceRecordSets compares this text.
    order: String,
}

/// Why a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no label at all.
    #[error("FATAL problem: DomainNameEmpty (Domain name is empty) encountered with '{0}'")]
    Empty(String),
    /// Two dots in a row, or a leading dot.
    #[error("FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '{0}'")]
    EmptyLabel(String),
    /// A label of more than 63 bytes.
    #[error("FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{0}'")]
    LabelTooLong(String),
    /// More than 255 bytes on the wire.
    #[error("FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '{0}'")]
    TooLong(String),
    /// A space, a control or non-ASCII character, or a backslash without three octal digits.
    #[error(
        "FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with '{0}'"
    )]
    UnsupportedCharacter(String),
}

impl DnsName {
    /// Reads a name, with or without its final dot; `\052` is the octal escape of `*`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut labels = vec![Vec::new()];
        let mut rest = text.strip_suffix('.').unwrap_or(text).as_bytes();
        if rest.is_empty() {
            return Err(NameError::Empty(text.to_owned()));
        }
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            let byte = match byte {
                b'.' => {
                    labels.push(Vec::new());
                    continue;
                }
                b'\\' => {
                    let (byte, tail) =
                        octal(rest).ok_or_else(|| NameError::UnsupportedCharacter(text.to_owned()))?;
                    rest = tail;
                    byte
                }
                b'!'..=b'~' => byte,
                _ => return Err(NameError::UnsupportedCharacter(text.to_owned())),
            };
            if let Some(label) = labels.last_mut() {
                label.push(byte);
            }
        }
        Self::checked(labels, text)
    }

    /// Takes the labels of a name from the wire.
    pub fn from_wire(name: &Name) -> Self {
        Self::from_labels(name.iter().map(<[u8]>::to_vec).collect())
    }

    /// The name for the wire; `None` for what no message can carry.
    pub fn to_wire(&self) -> Option<Name> {
        let mut name = Name::from_labels(self.labels.iter().map(Vec::as_slice)).ok()?;
        name.set_fqdn(true);
        Some(name)
    }

    /// Whether the name is the zone's own or below it.
    pub fn is_in(&self, zone: &Self) -> bool {
        self.order.starts_with(&zone.order)
    }

    /// The name without its first label; `None` above a top-level name.
    pub fn parent(&self) -> Option<Self> {
        (self.labels.len() > 1).then(|| Self::from_labels(self.labels[1..].to_vec()))
    }

    /// The name of the wildcard directly below.
    pub fn wildcard(&self) -> Self {
        let mut labels = vec![b"*".to_vec()];
        labels.extend(self.labels.iter().cloned());
        Self::from_labels(labels)
    }

    /// The form of the IAM condition keys: no final dot.
    pub fn without_final_dot(&self) -> String {
        let text = self.to_string();
        text.strip_suffix('.').unwrap_or(&text).to_owned()
    }

    fn checked(labels: Vec<Vec<u8>>, text: &str) -> Result<Self, NameError> {
        if labels.iter().any(Vec::is_empty) {
            return Err(NameError::EmptyLabel(text.to_owned()));
        }
        if labels.iter().any(|label| label.len() > LABEL_BYTES_MAX) {
            return Err(NameError::LabelTooLong(text.to_owned()));
        }
        let wire_bytes = labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1;
        if wire_bytes > NAME_BYTES_MAX {
            return Err(NameError::TooLong(text.to_owned()));
        }
        Ok(Self::from_labels(labels))
    }

    fn from_labels(mut labels: Vec<Vec<u8>>) -> Self {
        for label in &mut labels {
            label.make_ascii_lowercase();
        }
        let order = labels.iter().rev().map(|label| escape(label).replace("\\052", "*") + ".").collect();
        Self { labels, order }
    }
}

impl Ord for DnsName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}

impl PartialOrd for DnsName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in &self.labels {
            write!(f, "{}.", escape(label))?;
        }
        Ok(())
    }
}

fn escape(label: &[u8]) -> String {
    label
        .iter()
        .map(|&byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        })
        .collect()
}

/// Reads three octal digits: the byte, and what follows.
pub(super) fn octal(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_at_checked(3)?;
    if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return None;
    }
    let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    Some((u8::try_from(value).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_normal_form() {
        let table = [
            ("DB.Example.Test", "db.example.test."),
            ("db.example.test.", "db.example.test."),
            ("*.example.test", "\\052.example.test."),
            ("\\052.example.test", "\\052.example.test."),
            ("a\\056b.test", "a\\056b.test."),
            ("_redrover.db.test", "_redrover.db.test."),
        ];
        for (text, normal) in table {
            assert_eq!(DnsName::parse(text).unwrap().to_string(), normal, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let long_label = "a".repeat(64);
        let long_name = vec!["a".repeat(50); 6].join(".");
        let unsupported = |text: &str| NameError::UnsupportedCharacter(text.to_owned());
        let table = [
            ("", NameError::Empty(String::new())),
            (".", NameError::Empty(".".to_owned())),
            ("a..b", NameError::EmptyLabel("a..b".to_owned())),
            (".a", NameError::EmptyLabel(".a".to_owned())),
            (&long_label, NameError::LabelTooLong(long_label.clone())),
            (&long_name, NameError::TooLong(long_name.clone())),
            ("a b", unsupported("a b")),
            ("café", unsupported("café")),
            ("a\\9", unsupported("a\\9")),
            ("a\\08b", unsupported("a\\08b")),
            ("a\\777", unsupported("a\\777")),
        ];
        for (text, error) in table {
            assert_eq!(DnsName::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_order_is_by_labels_from_the_top_with_the_dot_counted() {
        let ordered = [
            "example.test",
            "*.example.test",
            "a-b.example.test",
            "a.example.test",
            "x.a.example.test",
            "b.example.test",
        ];
        let mut names: Vec<_> = ordered.iter().rev().map(|text| DnsName::parse(text).unwrap()).collect();
        names.sort();
        let expected: Vec<_> = ordered.iter().map(|text| DnsName::parse(text).unwrap()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn inside_means_at_or_below() {
        let zone = DnsName::parse("example.test").unwrap();
        for (text, inside) in
            [("example.test", true), ("a.b.example.test", true), ("badexample.test", false), ("test", false)]
        {
            assert_eq!(DnsName::parse(text).unwrap().is_in(&zone), inside, "{text}");
        }
    }
}
