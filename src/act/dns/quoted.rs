//! Texts as services write them: quoted strings of at most 255 bytes, with numbers for what is not printable. Pure.

use super::wire::TXT_CHUNK_BYTES_MAX;

/// The base of the three digits after a backslash, in which services differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// As Route 53 writes them.
    Octal,
    /// As zone files write them (RFC 1035, section 5.1).
    Decimal,
}

impl Escapes {
    fn write(self, byte: u8) -> String {
        match self {
            Self::Octal => format!("\\{byte:03o}"),
            Self::Decimal => format!("\\{byte:03}"),
        }
    }

    /// The byte that three digits name, if they do.
    fn read(self, digits: &[u8]) -> Option<u8> {
        let base = match self {
            Self::Octal => 8,
            Self::Decimal => 10,
        };
        let digits = digits.iter().map(|digit| char::from(*digit).to_digit(base));
        let number = digits.into_iter().try_fold(0, |number: u32, digit| Some(number * base + digit?))?;
        u8::try_from(number).ok()
    }
}

/// A text in quoted strings.
pub(crate) fn quote(text: &str, escapes: Escapes) -> String {
    let chunk = |bytes: &[u8]| {
        let mut quoted = String::from("\"");
        for byte in bytes {
            match byte {
                b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
                0x20..=0x7e => quoted.push(char::from(*byte)),
                _ => quoted.push_str(&escapes.write(*byte)),
            }
        }
        quoted.push('"');
        quoted
    };
    text.as_bytes().chunks(TXT_CHUNK_BYTES_MAX).map(chunk).collect::<Vec<_>>().join(" ")
}

/// The text of quoted strings; one without quotes is taken as it is.
pub(crate) fn unquote(raw: &str, escapes: Escapes) -> String {
    if !raw.trim_start().starts_with('"') {
        return raw.to_owned();
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut is_inside = false;
    let mut rest = raw.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => is_inside = !is_inside,
            b'\\' if is_inside => match after.get(..3).and_then(|digits| escapes.read(digits)) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[3..];
                }
                None => {
                    bytes.extend(after.first());
                    rest = after.get(1..).unwrap_or_default();
                }
            },
            _ if is_inside => bytes.push(*byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Escapes::{Decimal, Octal};
    use super::*;

    #[test]
    fn every_text_is_read_as_it_was_written() {
        let long = "x".repeat(600);
        for text in ["", "plain", "a \"b\" \\ c", "caf\u{e9} \t \u{7f} 1", "\\065", long.as_str()] {
            for escapes in [Octal, Decimal] {
                let quoted = quote(text, escapes);
                assert!(quoted.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{quoted}");
                assert_eq!(unquote(&quoted, escapes), text, "{escapes:?}");
            }
        }
        assert_eq!(quote(&long[..256], Octal), format!("\"{}\" \"x\"", &long[..255]));
    }

    #[test]
    fn the_same_digits_name_another_byte() {
        for (raw, octal, decimal) in [
            (r#""\101""#, "A", "e"),
            (r#""\065""#, "5", "A"),
            // No number of this base, or none that fits into a byte: the backslash protects one character.
            (r#""\089""#, "089", "Y"),
            (r#""\777""#, "777", "777"),
            (r#""\+12""#, "+12", "+12"),
            (r#""a" "b""#, "ab", "ab"),
            ("bare", "bare", "bare"),
            (r#""ends in \"#, "ends in ", "ends in "),
        ] {
            assert_eq!(
                (unquote(raw, Octal), unquote(raw, Decimal)),
                (octal.to_owned(), decimal.to_owned()),
                "{raw}"
            );
        }
    }
}
