//! The text that Redis answers to INFO: a parser that keeps sections and duplicates, and the facts decisions use.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use crate::types::{Facts, Link, Role};

/// Largest accepted INFO text in bytes; a Redis with every command used and 10 000 error classes stays below 1 MiB.
pub const INFO_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a text is not an INFO answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InfoError {
    /// The text is longer than [`INFO_BYTES_MAX`].
    #[error("the INFO text has {bytes} bytes, more than {INFO_BYTES_MAX}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// The section that every INFO answer begins with is absent.
    #[error("the INFO text has no section Server")]
    NoServer,
    /// The last line has no end or no colon: the text was cut.
    #[error("the INFO text is cut in line {line}")]
    Cut {
        /// The last line's number, counted from 1.
        line: usize,
    },
}

/// One INFO answer; lines keep their order, their section and their duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfoReply {
    text: String,
    sections: Vec<Section>,
    lines: Vec<Line>,
    /// The lines in the order of their keys, and of equal keys in the text's order.
    by_key: Vec<Entry>,
}

/// A title, and the first of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    title: Range<usize>,
    first: usize,
}

/// Where a line starts, has its colon, and ends; a text of [`INFO_BYTES_MAX`] needs no more than 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    start: u32,
    colon: u32,
    end: u32,
}

/// A line as the search for a key sees it: most keys differ in their first eight bytes, which one comparison tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    beginning: u64,
    line: u32,
}

impl InfoReply {
    /// Reads the text; lines end with LF or CRLF. A byte that is not UTF-8 is read as `\xNN`: modules, scripts and
    /// clients name things as they like, and that must not hide the rest.
    ///
    /// # Errors
    /// The text is too long, cut in its last line, or lacks the section `# Server`.
    pub fn parse(bytes: &[u8]) -> Result<Self, InfoError> {
        if bytes.len() > INFO_BYTES_MAX {
            return Err(InfoError::TooLarge { bytes: bytes.len() });
        }
        let text = readable(bytes);
        let (mut lines, mut sections) = (Vec::new(), vec![Section { title: 0..0, first: 0 }]);
        let (mut start, mut whole, mut count) = (0, true, 0);
        for line in text.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            let end = start + body.len();
            count += 1;
            whole = line.ends_with('\n');
            if let Some(title) = body.strip_prefix('#') {
                sections.push(Section { title: subrange(&text, title.trim(), end), first: lines.len() });
            } else if let Some(colon) = body.find(':') {
                let [start, colon, end] = [start, start + colon, end].map(narrow);
                lines.push(Line { start, colon, end });
            } else {
                // Modules may write what they like in the middle; only the last line tells of a cut.
                whole &= body.is_empty();
            }
            start += line.len();
        }
        if !sections.iter().any(|section| &text[section.title.clone()] == "Server") {
            return Err(InfoError::NoServer);
        }
        if !whole {
            return Err(InfoError::Cut { line: count });
        }
        let key = |entry: &Entry| key_in(&text, lines[entry.line as usize]);
        let entry = |(line, at): (u32, &Line)| Entry { beginning: beginning(key_in(&text, *at)), line };
        let mut by_key: Vec<Entry> = (0..).zip(&lines).map(entry).collect();
        by_key
            .sort_by(|one, other| one.beginning.cmp(&other.beginning).then_with(|| key(one).cmp(key(other))));
        Ok(Self { text, sections, lines, by_key })
    }

    /// All lines as section, key and value, in their order.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.sections.iter().enumerate().flat_map(move |(i, section)| {
            let title = &self.text[section.title.clone()];
            self.of_section(i).iter().map(move |line| (title, key_in(&self.text, *line), self.value(*line)))
        })
    }

    /// The lines of the sections of one name as key and value.
    pub fn section<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named = move |section: &Section| &self.text[section.title.clone()] == name;
        let found = self.sections.iter().enumerate().filter(move |(_, section)| named(section));
        found.flat_map(move |(i, _)| {
            self.of_section(i).iter().map(|line| (key_in(&self.text, *line), self.value(*line)))
        })
    }

    /// The first value of a key in any section.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let line = |entry: &Entry| self.lines[entry.line as usize];
        let wanted = beginning(key);
        let at = self.by_key.partition_point(|entry| {
            let order = entry.beginning.cmp(&wanted);
            order.then_with(|| key_in(&self.text, line(entry)).cmp(key)).is_lt()
        });
        let found = line(self.by_key.get(at)?);
        (key_in(&self.text, found) == key).then(|| self.value(found))
    }

    /// The first value of a key as a whole number; `None` when absent, negative or no number.
    #[must_use]
    pub fn count(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }

    /// The first value of a key as a finite number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        number(self.get(key)?)
    }

    fn of_section(&self, i: usize) -> &[Line] {
        let end = self.sections.get(i + 1).map_or(self.lines.len(), |next| next.first);
        &self.lines[self.sections[i].first..end]
    }

    fn value(&self, line: Line) -> &str {
        &self.text[line.colon as usize + 1..line.end as usize]
    }
}

fn key_in(text: &str, line: Line) -> &str {
    &text[line.start as usize..line.colon as usize]
}

/// The first eight bytes of a key, as a number that sorts as they do; a shorter key is filled up with zeros.
fn beginning(key: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(key.bytes()).for_each(|(to, byte)| *to = byte);
    u64::from_be_bytes(bytes)
}

/// Places in a text, and lines of it, are fewer than its bytes.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Bytes as text; what is not UTF-8 is spelled out.
pub(super) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A finite number, or nothing.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// The range of `part`, which is what trimming left of a line that ends at `end`.
fn subrange(text: &str, part: &str, end: usize) -> Range<usize> {
    let end = text[..end].trim_end().len();
    end.saturating_sub(part.len())..end
}

/// The facts of an answer; what the answer lacks is `None`.
#[must_use]
pub fn facts(reply: &InfoReply) -> Facts {
    let role = role(reply);
    let offset_field = match role {
        Some(Role::Primary) => Some("master_repl_offset"),
        Some(Role::Replica) => Some("slave_repl_offset"),
        Some(Role::Other) | None => None,
    };
    Facts {
        role,
        link: link(reply),
        loading: flag(reply, "loading"),
        loading_eta: reply.count("loading_eta_seconds").map(Duration::from_secs),
        offset_bytes: offset_field.and_then(|field| reply.count(field)),
        replication_id: reply.get("master_replid").map(str::to_owned),
        memory_used_bytes: reply.count("used_memory"),
        memory_max_bytes: reply.count("maxmemory"),
        memory_system_bytes: reply.count("total_system_memory"),
        clients: reply.count("connected_clients"),
        clients_max: reply.count("maxclients"),
        persistence_ok: persistence_ok(reply),
    }
}

fn role(reply: &InfoReply) -> Option<Role> {
    match (reply.get("role"), reply.get("redis_mode")) {
        (Some("master"), _) => Some(Role::Primary),
        (Some("slave"), _) => Some(Role::Replica),
        // A Sentinel answers INFO without the section Replication.
        (Some(_), _) | (None, Some("sentinel")) => Some(Role::Other),
        (None, _) => None,
    }
}

fn link(reply: &InfoReply) -> Option<Link> {
    let status = reply.get("master_link_status")?;
    Some(Link {
        up: status == "up",
        source: format!("{}:{}", reply.get("master_host")?, reply.get("master_port")?),
        syncing: flag(reply, "master_sync_in_progress").unwrap_or(false),
    })
}

fn flag(reply: &InfoReply, key: &str) -> Option<bool> {
    match reply.get(key)? {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// One known failure is enough for `false`; `true` needs both statuses.
fn persistence_ok(reply: &InfoReply) -> Option<bool> {
    let status =
        ["rdb_last_bgsave_status", "aof_last_write_status"].map(|key| reply.get(key).map(|v| v == "ok"));
    match status {
        [Some(false), _] | [_, Some(false)] => Some(false),
        [Some(true), Some(true)] => Some(true),
        [None, _] | [_, None] => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRIMARY: &[u8] = include_bytes!("../../tests/testdata/info/redis7_primary.txt");
    const REPLICA: &[u8] = include_bytes!("../../tests/testdata/info/redis7_replica.txt");
    const LINK_DOWN: &[u8] = include_bytes!("../../tests/testdata/info/redis7_replica_link_down.txt");
    const SENTINEL: &[u8] = include_bytes!("../../tests/testdata/info/redis7_sentinel.txt");
    const CLUSTER: &[u8] = include_bytes!("../../tests/testdata/info/redis7_cluster.txt");

    #[test]
    fn sections_order_and_duplicates_are_kept() {
        let text = b"# Server\r\nredis_version:7\r\n\r\n#  Odd title \nkey:a:b\nnoise\nkey:\nkey:c\n";
        let reply = InfoReply::parse(text).unwrap();
        let lines: Vec<_> = reply.lines().collect();
        let odd = "Odd title";
        let want =
            [("Server", "redis_version", "7"), (odd, "key", "a:b"), (odd, "key", ""), (odd, "key", "c")];
        assert_eq!(lines, want);
        assert_eq!(reply.get("key"), Some("a:b"));
        assert_eq!(reply.section(odd).count(), 3);
        let crlf: Vec<u8> = PRIMARY.to_vec();
        let lf: Vec<u8> = crlf.iter().copied().filter(|b| *b != b'\r').collect();
        let (crlf, lf) = (InfoReply::parse(&crlf).unwrap(), InfoReply::parse(&lf).unwrap());
        assert!(crlf.lines().eq(lf.lines()));
    }

    #[test]
    fn a_text_that_is_no_answer_is_refused() {
        let cut = |line| Err(InfoError::Cut { line });
        for (text, want) in [
            (&b"# Server\r\na:1\r\n"[..], Ok(())),
            (b"# Server\na:1\n\n", Ok(())),
            (b"# Server\na:1", cut(2)),
            (b"# Server\na:1\nrole", cut(3)),
            (b"# Server\na:1\nrole\n", cut(3)),
            (b"# Server", cut(1)),
            (b"", Err(InfoError::NoServer)),
            (b"role:master\r\n", Err(InfoError::NoServer)),
            (b"# Serv", Err(InfoError::NoServer)),
        ] {
            assert_eq!(InfoReply::parse(text).map(drop), want, "{:?}", String::from_utf8_lossy(text));
        }
        let odd = InfoReply::parse(b"# Server\na:\xff\xc3\xa9\xc3\n").unwrap();
        assert_eq!(odd.get("a"), Some("\\xff\u{e9}\\xc3"), "what is not UTF-8 hides nothing else");
        let bytes = INFO_BYTES_MAX + 1;
        assert_eq!(InfoReply::parse(&vec![b'a'; bytes]), Err(InfoError::TooLarge { bytes }));
    }

    #[test]
    fn a_cut_inside_a_line_never_passes() {
        for end in 0..PRIMARY.len() {
            let at_line_end = end > 0 && PRIMARY[end - 1] == b'\n';
            if InfoReply::parse(&PRIMARY[..end]).is_ok() {
                assert!(at_line_end, "a cut after {end} bytes passed");
            }
        }
    }

    #[test]
    fn facts_of_real_answers() {
        let of = |bytes| facts(&InfoReply::parse(bytes).unwrap());
        let primary = of(PRIMARY);
        assert_eq!((primary.role, primary.link), (Some(Role::Primary), None));
        assert_eq!((primary.loading, primary.persistence_ok), (Some(false), Some(true)));
        assert_eq!((primary.offset_bytes, primary.memory_max_bytes), (Some(19968), Some(64 << 20)));
        assert!(primary.memory_used_bytes > Some(500_000) && primary.memory_system_bytes > Some(1 << 30));
        assert_eq!(primary.clients_max, Some(10_000));

        let replica = of(REPLICA);
        assert_eq!((replica.role, replica.offset_bytes), (Some(Role::Replica), Some(19968)));
        assert_eq!(replica.replication_id, primary.replication_id);
        let link = Link { up: true, source: "127.0.0.1:27901".into(), syncing: false };
        assert_eq!(replica.link, Some(link.clone()));
        assert_eq!(of(LINK_DOWN).link, Some(Link { up: false, ..link }));

        let sentinel = of(SENTINEL);
        assert_eq!((sentinel.role, sentinel.offset_bytes), (Some(Role::Other), None));
        assert_eq!((sentinel.memory_used_bytes, sentinel.loading), (None, None));
        assert_eq!(of(CLUSTER).role, Some(Role::Primary));
    }

    #[test]
    fn a_missing_field_is_none() {
        let of = |body: &str| facts(&InfoReply::parse(format!("# Server\n{body}").as_bytes()).unwrap());
        assert_eq!(of(""), Facts::default());
        for (body, want) in [
            ("rdb_last_bgsave_status:ok\naof_last_write_status:ok\n", Some(true)),
            ("rdb_last_bgsave_status:err\n", Some(false)),
            ("rdb_last_bgsave_status:ok\naof_last_write_status:err\n", Some(false)),
            ("rdb_last_bgsave_status:ok\n", None),
            ("aof_last_write_status:err\n", Some(false)),
        ] {
            assert_eq!(of(body).persistence_ok, want, "{body}");
        }
        let unlinked = of("role:slave\nmaster_host:a\nmaster_port:1\nmaster_link_status:down\n");
        assert_eq!((unlinked.link.map(|link| link.up), unlinked.offset_bytes), (Some(false), None));
        assert_eq!(of("used_memory:many\nloading:2\nmaxmemory:-1\n"), Facts::default());
    }

    proptest! {
        /// Keys that share a beginning, that are one, and that are shorter than one.
        #[test]
        fn the_first_of_each_key_is_found(keys in proptest::collection::vec("(cmdstat_|used_memory)?[a-c\u{0}\u{e9}]{0,3}", 0..40)) {
            let body: String = keys.iter().enumerate().map(|(i, key)| format!("{key}:{i}\n")).collect();
            let reply = InfoReply::parse(format!("# Server\n{body}end:1\n").as_bytes()).unwrap();
            for key in &keys {
                let first = keys.iter().position(|other| other == key).unwrap();
                prop_assert_eq!(reply.get(key), Some(&*first.to_string()), "{:?}", key);
                prop_assert_eq!(reply.get(&format!("{key}z")), None);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = InfoReply::parse(&bytes).map(|reply| facts(&reply));
            bytes.splice(0..0, *b"# Server\n");
            let _ = InfoReply::parse(&bytes).map(|reply| facts(&reply));
        }

        #[test]
        fn arbitrary_lines_keep_their_parts(body in "(#? ?[a-zé :\r]{0,12}\n){0,20}") {
            let text = format!("# Server\n{body}a:b\n");
            let reply = InfoReply::parse(text.as_bytes()).unwrap();
            for (section, key, value) in reply.lines() {
                prop_assert!(text.contains(section) && !key.contains(':'));
                let line = format!("{key}:{value}");
                prop_assert!(text.contains(&line));
            }
        }
    }
}
