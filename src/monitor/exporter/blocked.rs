//! Commands that a server does not let this user run: noticed once, remembered, and tried again after a while.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::Command;
use crate::types::Moment;

/// A blocked command is tried again after so long: permissions change, and servers are upgraded.
const RETRY: Duration = Duration::from_secs(3600);

/// Why a command is not asked any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The user may not run it.
    Permission,
    /// The server does not know it, or not for anybody.
    Unknown,
}

impl Why {
    /// The reason as a label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Unknown => "unknown",
        }
    }

    /// What an error says about the command itself; `None` for one that passes, such as LOADING.
    pub fn of_error(line: &[u8]) -> Option<Self> {
        match line.split(|b| *b == b' ').next().unwrap_or_default() {
            b"NOPERM" => Some(Self::Permission),
            b"ERR" => Some(Self::Unknown),
            _ => None,
        }
    }

    /// As [`Self::of_error`], of a command that was asked about one key: what is about the key does not count.
    pub fn of_key_error(line: &[u8]) -> Option<Self> {
        let is_about = |words: &[u8]| line.windows(words.len()).any(|part| part == words);
        match Self::of_error(line)? {
            Self::Permission => (!is_about(b"access")).then_some(Self::Permission),
            Self::Unknown => is_about(b"unknown").then_some(Self::Unknown),
        }
    }
}

/// What is blocked at one server.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocked {
    commands: BTreeMap<Command, (Why, Moment)>,
}

impl Blocked {
    /// Whether a command is worth asking.
    pub fn may_ask(&self, command: Command, now: Moment) -> bool {
        self.commands.get(&command).is_none_or(|(_, since)| now.since(*since) >= RETRY)
    }

    /// Notes a refusal; whether it is news.
    pub fn note(&mut self, command: Command, why: Why, now: Moment) -> bool {
        self.commands.insert(command, (why, now)).is_none_or(|(before, _)| before != why)
    }

    /// Forgets a refusal: the command was answered.
    pub fn clear(&mut self, command: Command) {
        self.commands.remove(&command);
    }

    /// All blocked commands.
    pub fn iter(&self) -> impl Iterator<Item = (Command, Why)> + '_ {
        self.commands.iter().map(|(command, (why, _))| (*command, *why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Clock as _, SystemClock};

    #[test]
    fn a_refusal_is_news_once_and_is_tried_again_after_an_hour() {
        let now = SystemClock::new().now();
        let mut blocked = Blocked::default();
        let command = Command::ConfigGet;
        assert!(blocked.may_ask(command, now));
        assert!(blocked.note(command, Why::Permission, now));
        assert!(!blocked.note(command, Why::Permission, now), "no line for each scrape");
        assert!(!blocked.may_ask(command, now) && blocked.may_ask(Command::SlowlogLen, now));
        assert!(blocked.note(command, Why::Unknown, now), "another reason is news");
        assert_eq!(blocked.iter().collect::<Vec<_>>(), [(command, Why::Unknown)]);
        assert!(blocked.may_ask(command, now.plus(RETRY)));
        blocked.clear(command);
        assert_eq!(blocked.iter().count(), 0);
    }

    #[test]
    fn what_is_about_a_key_is_not_about_the_command() {
        for (line, why) in [
            ("NOPERM User u has no permissions to run the 'scan' command", Some(Why::Permission)),
            ("NOPERM this user has no permissions to run the 'xinfo|stream' command", Some(Why::Permission)),
            ("NOPERM No permissions to access a key", None),
            ("NOPERM this user has no permissions to access one of the keys used as arguments", None),
            ("ERR unknown command 'MEMORY', with args beginning with: 'USAGE' ", Some(Why::Unknown)),
            ("ERR unknown subcommand 'USAGE'. Try MEMORY HELP.", Some(Why::Unknown)),
            ("ERR no such key", None),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", None),
            ("MOVED 866 127.0.0.1:7001", None),
        ] {
            assert_eq!(Why::of_key_error(line.as_bytes()), why, "{line}");
        }
    }

    #[test]
    fn only_what_is_about_the_command_is_remembered() {
        for (line, why) in [
            ("NOPERM User u has no permissions to run the 'config|get' command", Some(Why::Permission)),
            ("ERR unknown command 'CONFIG'", Some(Why::Unknown)),
            ("ERR This instance has cluster support disabled", Some(Why::Unknown)),
            ("LOADING Redis is loading the dataset in memory", None),
            ("BUSY Redis is busy running a script", None),
            ("NOAUTH Authentication required.", None),
            ("MASTERDOWN Link with MASTER is down", None),
            ("", None),
        ] {
            assert_eq!(Why::of_error(line.as_bytes()), why, "{line}");
        }
    }
}
