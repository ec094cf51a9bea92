//! The service's way of writing texts. Pure.

use crate::act::dns::wire::TXT_CHUNK_BYTES_MAX;

/// A TXT value as the service wants it: quoted chunks, special and unprintable bytes as octal escapes.
pub(super) fn quote(text: &str) -> String {
    let chunk = |bytes: &[u8]| {
        let mut quoted = String::from("\"");
        for byte in bytes {
            match byte {
                b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
                0x20..=0x7e => quoted.push(char::from(*byte)),
                _ => quoted.push_str(&format!("\\{byte:03o}")),
            }
        }
        quoted.push('"');
        quoted
    };
    text.as_bytes().chunks(TXT_CHUNK_BYTES_MAX).map(chunk).collect::<Vec<_>>().join(" ")
}

/// The text of a TXT value; one without quotes is taken as it is.
pub(super) fn unquote(raw: &str) -> String {
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
            b'\\' if is_inside => {
                let octal = after.get(..3).and_then(|d| std::str::from_utf8(d).ok());
                match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &after[3..];
                    }
                    None => {
                        bytes.extend(after.first());
                        rest = after.get(1..).unwrap_or_default();
                    }
                }
            }
            _ if is_inside => bytes.push(*byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
