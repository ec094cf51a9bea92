//! Names that people gave to keys, streams, groups and consumers, as the text of a label.

use crate::monitor::info::readable;

/// Longest text, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// A name that may have any bytes, spelled out and cut.
pub(super) fn label(name: &[u8]) -> String {
    // Each byte becomes four at most, so that the rest of a long name cannot matter.
    let mut text = readable(&name[..name.len().min(TEXT_BYTES_MAX)]);
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_name_has_a_text() {
        assert_eq!(label(b"user:1"), "user:1");
        assert_eq!(label(b"a\xffb\n"), "a\\xffb\n");
    }

    proptest! {
        #[test]
        fn a_text_is_short_and_begins_as_the_name(name in proptest::collection::vec(any::<u8>(), 0..1000)) {
            let text = label(&name);
            prop_assert!(text.len() <= TEXT_BYTES_MAX);
            let lossless = std::str::from_utf8(&name).is_ok_and(|name| name.len() <= TEXT_BYTES_MAX);
            prop_assert!(!lossless || text.as_bytes() == name);
        }
    }
}
