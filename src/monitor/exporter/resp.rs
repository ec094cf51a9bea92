//! The answers of a pipeline, read in place: where each ends, and what it says.

use std::ops::Range;

/// Longest accepted line of an answer that is no bulk text, in bytes: an error's words.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Deepest accepted nesting: LATENCY HISTOGRAM needs three levels.
const DEPTH_MAX: usize = 8;

/// Why bytes are not an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RespError {
    /// The answer begins with none of the protocol's marks.
    #[error("the answer begins with byte {found:#04x}, which is none of the protocol")]
    Mark {
        /// The byte.
        found: u8,
    },
    /// A length that is no number.
    #[error("a length is no number")]
    Length,
    /// A line without end.
    #[error("a line is longer than {LINE_BYTES_MAX} bytes")]
    LongLine,
    /// All answers together are longer than accepted.
    #[error("the answers are longer than {bytes} bytes")]
    TooLarge {
        /// What is accepted.
        bytes: usize,
    },
    /// Lists in lists in lists.
    #[error("the answer is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// More came than was asked for.
    #[error("more was answered than was asked")]
    Unasked,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    /// A text, short or long.
    Text(&'a [u8]),
    /// An error, without its dash.
    Error(&'a [u8]),
    /// A whole number.
    Number(i64),
    /// Nothing.
    Nil,
    /// A list.
    List(Vec<Reply<'a>>),
}

impl<'a> Reply<'a> {
    /// The text, where it is one and UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Error(_) | Self::Number(_) | Self::Nil | Self::List(_) => None,
        }
    }

    /// The number, or the number that a text spells.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => self.text()?.parse().ok(),
            Self::Error(_) | Self::Nil | Self::List(_) => None,
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Error(_) | Self::Number(_) | Self::Nil => &[],
        }
    }

    /// The pairs of a list that alternates between names and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &Self)> {
        self.items().chunks_exact(2).filter_map(|pair| Some((pair[0].text()?, &pair[1])))
    }
}

/// Finds where answers end, in bytes that arrive bit by bit; no byte is looked at twice.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Where the next item begins.
    at: usize,
    /// How far a line's end has been searched for.
    searched: usize,
    /// Items that the present answer still lacks.
    missing: usize,
    /// Where the complete answers end.
    ends: Vec<usize>,
}

impl Scanner {
    /// Goes on until `wanted` answers are complete, or the bytes end; whether they are complete.
    pub fn advance(&mut self, bytes: &[u8], wanted: usize) -> Result<bool, RespError> {
        while self.ends.len() < wanted {
            let Some(&mark) = bytes.get(self.at) else { return Ok(false) };
            if !matches!(mark, b'+' | b'-' | b':' | b'$' | b'*') {
                return Err(RespError::Mark { found: mark });
            }
            let Some(line) = self.line(bytes)? else { return Ok(false) };
            let next = line.end + 2;
            let (after, inside) = match mark {
                b'$' => match length(&bytes[line])? {
                    Some(length) => (next.saturating_add(length).saturating_add(2), 0),
                    None => (next, 0),
                },
                b'*' => (next, length(&bytes[line])?.unwrap_or(0)),
                _ => (next, 0),
            };
            if after > bytes.len() {
                return Ok(false);
            }
            (self.at, self.searched) = (after, after);
            self.missing = self.missing.max(1).saturating_add(inside) - 1;
            if self.missing == 0 {
                self.ends.push(after);
            }
        }
        Ok(true)
    }

    /// Whether anything follows the complete answers.
    pub fn has_more(&self, bytes: &[u8]) -> bool {
        self.at < bytes.len()
    }

    /// Where each complete answer stands.
    pub fn answers(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends.iter().copied()).map(|(start, end)| start..end)
    }

    /// The rest of the present line, without mark and end; `None` while it has no end.
    fn line(&mut self, bytes: &[u8]) -> Result<Option<Range<usize>>, RespError> {
        let from = self.searched.max(self.at);
        if let Some(end) = bytes[from..].iter().position(|b| *b == b'\n') {
            let end = from + end;
            // A line ends with both; what lacks the first is garbage, whose length is none.
            return if end > self.at + 1 && bytes[end - 1] == b'\r' {
                Ok(Some(self.at + 1..end - 1))
            } else {
                Err(RespError::Length)
            };
        }
        self.searched = bytes.len();
        if bytes.len() - self.at > LINE_BYTES_MAX { Err(RespError::LongLine) } else { Ok(None) }
    }
}

/// A length; `None` for the -1 of nothing.
fn length(digits: &[u8]) -> Result<Option<usize>, RespError> {
    if digits == b"-1" {
        return Ok(None);
    }
    let text = std::str::from_utf8(digits).map_err(|_| RespError::Length)?;
    text.parse().map(Some).map_err(|_| RespError::Length)
}

/// Reads one complete answer, as a [`Scanner`] has found it.
pub(super) fn parse(bytes: &[u8]) -> Result<Reply<'_>, RespError> {
    let mut at = 0;
    item(bytes, &mut at, DEPTH_MAX)
}

fn item<'a>(bytes: &'a [u8], at: &mut usize, depth: usize) -> Result<Reply<'a>, RespError> {
    let rest = bytes.get(*at..).unwrap_or_default();
    let end = rest.windows(2).position(|pair| pair == b"\r\n").ok_or(RespError::Length)?;
    let (line, next) = (rest.get(1..end).unwrap_or_default(), *at + end + 2);
    *at = next;
    match rest[0] {
        b'+' => Ok(Reply::Text(line)),
        b'-' => Ok(Reply::Error(line)),
        b':' => {
            let number = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
            number.map(Reply::Number).ok_or(RespError::Length)
        }
        b'$' => {
            let Some(length) = length(line)? else { return Ok(Reply::Nil) };
            let end = next.checked_add(length).ok_or(RespError::Length)?;
            *at = end.saturating_add(2);
            bytes.get(next..end).map(Reply::Text).ok_or(RespError::Length)
        }
        b'*' => {
            let Some(length) = length(line)? else { return Ok(Reply::Nil) };
            if depth == 0 {
                return Err(RespError::TooDeep);
            }
            // Each item has three bytes at least, so that the bytes bound the list.
            let mut items = Vec::with_capacity(length.min(bytes.len() / 3));
            for _ in 0..length {
                items.push(item(bytes, at, depth - 1)?);
            }
            Ok(Reply::List(items))
        }
        found => Err(RespError::Mark { found }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BATCH: &[u8] =
        b"+OK\r\n-NOPERM no\r\n:-7\r\n$-1\r\n$0\r\n\r\n*0\r\n*-1\r\n*2\r\n$3\r\na\r\n\r\n*1\r\n:1\r\n";

    fn replies(bytes: &[u8], wanted: usize) -> Result<Vec<Reply<'_>>, RespError> {
        let mut scanner = Scanner::default();
        assert!(scanner.advance(bytes, wanted)?, "incomplete");
        scanner.answers().map(|range| parse(&bytes[range])).collect()
    }

    #[test]
    fn every_kind_of_answer_is_read() {
        let inner = Reply::List(vec![Reply::Number(1)]);
        let want = vec![
            Reply::Text(b"OK"),
            Reply::Error(b"NOPERM no"),
            Reply::Number(-7),
            Reply::Nil,
            Reply::Text(b""),
            Reply::List(vec![]),
            Reply::Nil,
            Reply::List(vec![Reply::Text(b"a\r\n"), inner]),
        ];
        assert_eq!(replies(BATCH, 8).unwrap(), want);
    }

    #[test]
    fn answers_that_come_byte_by_byte_are_found_at_their_last_byte() {
        let mut scanner = Scanner::default();
        for end in 0..BATCH.len() {
            assert_eq!(scanner.advance(&BATCH[..end], 8), Ok(false), "{end}");
        }
        assert_eq!(scanner.advance(BATCH, 8), Ok(true));
        assert!(!scanner.has_more(BATCH) && scanner.answers().count() == 8);
    }

    #[test]
    fn what_is_no_answer_is_refused_at_once() {
        let advance = |bytes: &[u8]| Scanner::default().advance(bytes, 1);
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"\0", b"%1\r\n", b"220 mail\r\n"] {
            assert!(matches!(advance(bytes), Err(RespError::Mark { .. })), "{bytes:?}");
        }
        for bytes in [&b"$abc\r\n"[..], b"*-2\r\n", b"$99999999999999999999\r\n", b"+\n", b"$1e3\r\n"] {
            assert_eq!(advance(bytes), Err(RespError::Length), "{bytes:?}");
        }
        assert_eq!(advance(&[b'+'; LINE_BYTES_MAX + 2]), Err(RespError::LongLine));
        let deep = [&b"*1\r\n".repeat(DEPTH_MAX + 1)[..], b":1\r\n"].concat();
        assert_eq!(replies(&deep, 1), Err(RespError::TooDeep));
        assert_eq!(advance(b"*1000000000\r\n"), Ok(false), "a list that is only promised takes no memory");
    }

    #[test]
    fn pairs_and_numbers_are_taken_from_lists() {
        let bytes = b"*5\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$2\r\n-5\r\n$1\r\nc\r\n";
        let reply = parse(bytes).unwrap();
        let pairs: Vec<_> = reply.pairs().map(|(name, value)| (name, value.number())).collect();
        assert_eq!(pairs, [("a", Some(1)), ("b", Some(-5))]);
        assert_eq!(
            (parse(b"+1.5\r\n").unwrap().number(), parse(b"$1\r\n\xff\r\n").unwrap().text()),
            (None, None)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), wanted in 0..6_usize) {
            let mut scanner = Scanner::default();
            if scanner.advance(&bytes, wanted).is_ok() {
                for range in scanner.answers() {
                    let _ = parse(&bytes[range]);
                }
            }
        }

        #[test]
        fn bytes_that_look_like_answers_never_panic(text in "([-+:$*]-?[0-9a-z]{0,3}\r\n){0,30}", wanted in 0..6_usize) {
            let mut scanner = Scanner::default();
            if scanner.advance(text.as_bytes(), wanted).is_ok() {
                for range in scanner.answers() {
                    let _ = parse(&text.as_bytes()[range]);
                }
            }
        }
    }
}
