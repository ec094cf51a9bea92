//! What was seen of keys and streams.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::resp::Reply;

/// Where a thing is: the number of the database, and the text of its label.
pub(super) type Place = (u32, String);

/// Numbers by the name that Redis has for them.
pub(super) type Fields = Vec<(&'static str, f64)>;

/// What was seen of keys and streams.
#[derive(Debug, Default)]
pub(in crate::monitor::exporter) struct Seen {
    /// Single keys.
    pub(super) keys: BTreeMap<Place, KeyRow>,
    /// Numbers of keys of a pattern.
    pub(super) counts: BTreeMap<Place, u64>,
    /// Streams.
    pub(super) streams: BTreeMap<Place, StreamRow>,
    /// Groups of keys.
    pub(super) groups: BTreeMap<Place, GroupRow>,
    /// Numbers of different groups in a database.
    pub(super) distinct: BTreeMap<u32, usize>,
    /// How long the groups took, where they were asked for.
    pub(super) groups_took: Option<Duration>,
    /// Whether everything was looked at that was to be; `None` where nothing was.
    pub(super) is_complete: Option<bool>,
}

/// One key.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct KeyRow {
    /// Its length, or number of elements; not known of what a module has made.
    pub size: Option<f64>,
    /// Its value, where that is a number.
    pub value: Option<f64>,
    /// Its memory, in bytes.
    pub memory: Option<f64>,
}

/// One stream.
#[derive(Debug, Default)]
pub(super) struct StreamRow {
    pub fields: Fields,
    /// By name.
    pub groups: BTreeMap<String, ConsumerGroup>,
}

/// The readers of a stream.
#[derive(Debug, Default)]
pub(super) struct ConsumerGroup {
    pub fields: Fields,
    /// By name.
    pub consumers: BTreeMap<String, Fields>,
}

/// One group of keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct GroupRow {
    pub keys: u64,
    /// Not known where MEMORY USAGE is refused.
    pub bytes: Option<u64>,
}

/// The numbers of these names in an answer that alternates between names and values. Of an entry's id, and of an entry
/// itself, the number is its time in milliseconds.
pub(super) fn fields(reply: &Reply<'_>, names: &[&'static str]) -> Fields {
    let known = |name: &str| names.iter().find(|known| **known == name).copied();
    reply.pairs().filter_map(|(name, value)| Some((known(name)?, amount(value)?))).collect()
}

fn amount(value: &Reply<'_>) -> Option<f64> {
    match value {
        Reply::Number(number) => Some(*number as f64),
        Reply::Text(_) => value.text()?.split('-').next()?.parse().ok().filter(|n: &f64| n.is_finite()),
        Reply::List(items) => amount(items.first().filter(|first| matches!(first, Reply::Text(_)))?),
        Reply::Error(_) | Reply::Nil => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::resp::parse;
    use super::*;

    #[test]
    fn numbers_ids_and_entries_are_read_and_the_rest_is_left() {
        let bytes = b"*14\r\n$6\r\nlength\r\n:7\r\n$3\r\nlag\r\n$-1\r\n$2\r\nid\r\n$6\r\n1500-3\r\n\
                      $5\r\nentry\r\n*2\r\n$4\r\n99-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n$5\r\nother\r\n:1\r\n\
                      $3\r\nnan\r\n$3\r\nnan\r\n$4\r\ndeep\r\n*1\r\n*1\r\n:1\r\n";
        let reply = parse(bytes).unwrap();
        let names = ["length", "lag", "id", "entry", "nan", "deep"];
        assert_eq!(fields(&reply, &names), [("length", 7.0), ("id", 1500.0), ("entry", 99.0)]);
        assert_eq!(fields(&Reply::Nil, &names), []);
    }
}
