//! Whether an old primary has writes that the new one lacks, as far as their own words tell.

use std::fmt;

use crate::monitor::InfoReply;

/// How the writes of an old primary stand to those of the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The new one has them all.
    Contained,
    /// The old one went on after the new one had become a primary, by so many bytes of its stream.
    Ahead(u64),
    /// Their histories have nothing in common that they know of: the old one was started anew, or was never copied.
    Unknown,
}

impl Standing {
    /// A primary that was a replica knows the history that it took over, and where its own begins.
    pub(super) fn between(old: &InfoReply, new: &InfoReply) -> Self {
        let (Some(history), Some(at)) = (old.get("master_replid"), old.count("master_repl_offset")) else {
            return Self::Unknown;
        };
        let common = if new.get("master_replid") == Some(history) {
            new.count("master_repl_offset")
        } else if new.get("master_replid2") == Some(history) {
            // The first byte that is not of the old history any more.
            new.count("second_repl_offset").map(|first| first.saturating_sub(1))
        } else {
            None
        };
        match common {
            Some(common) if at <= common => Self::Contained,
            Some(common) => Self::Ahead(at - common),
            None => Self::Unknown,
        }
    }

    /// Whether nothing is discarded.
    pub(super) fn is_lossless(self) -> bool {
        self == Self::Contained
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contained => f.write_str("the primary has every write of it"),
            Self::Ahead(bytes) => {
                write!(f, "it went on by {bytes} bytes that the primary lacks, and would lose them")
            }
            Self::Unknown => {
                f.write_str("nobody can tell which of its writes the primary lacks, and it would lose them")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(lines: &[(&str, &str)]) -> InfoReply {
        let lines = lines.iter().map(|(key, value)| format!("{key}:{value}\r\n"));
        let text = format!("# Server\r\n# Replication\r\n{}", lines.collect::<String>());
        InfoReply::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_a_common_history_tells() {
        let old = |history, at| info(&[("master_replid", history), ("master_repl_offset", at)]);
        let new = |second, from| {
            info(&[
                ("master_replid", "n"),
                ("master_replid2", second),
                ("master_repl_offset", "500"),
                ("second_repl_offset", from),
            ])
        };
        for (old, new, wanted) in [
            (old("o", "100"), new("o", "101"), Standing::Contained),
            (old("o", "99"), new("o", "101"), Standing::Contained),
            (old("o", "101"), new("o", "101"), Standing::Ahead(1)),
            (old("x", "1"), new("o", "101"), Standing::Unknown),
            (old("n", "500"), new("o", "101"), Standing::Contained),
            (old("n", "501"), new("o", "101"), Standing::Ahead(1)),
            (info(&[("role", "master")]), new("o", "101"), Standing::Unknown),
            (old("o", "1"), info(&[("role", "master")]), Standing::Unknown),
            // A server that was never a replica says this.
            (old("o", "0"), new("0000000000000000000000000000000000000000", "-1"), Standing::Unknown),
        ] {
            assert_eq!(Standing::between(&old, &new), wanted);
        }
    }
}
