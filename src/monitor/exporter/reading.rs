//! What a server answered to one scrape.

use super::command::Command;
use super::keys::Seen;
use super::resp::Reply;
use crate::monitor::info::{InfoReply, number};
use crate::types::Moment;

/// The argument of CONFIG GET that asks for everything.
pub(super) const EVERY_PARAMETER: &str = "*";

/// One answer, and what it answers.
pub(super) struct Asked<'a> {
    pub command: Command,
    /// The argument, empty for none.
    pub argument: &'a str,
    pub reply: Reply<'a>,
}

/// Everything that a server answered.
pub(super) struct Reading<'a> {
    /// Its INFO.
    pub info: &'a InfoReply,
    /// The rest.
    pub asked: &'a [Asked<'a>],
    /// What was seen of its keys.
    pub keys: &'a Seen,
    /// When it was read.
    pub now: Moment,
}

impl<'a> Reading<'a> {
    /// The answer to a command without an argument, or to its first one.
    pub fn of(&self, command: Command) -> Option<&'a Reply<'a>> {
        self.all(command).next().map(|asked| &asked.reply)
    }

    /// All answers to a command.
    pub fn all(&self, command: Command) -> impl Iterator<Item = &'a Asked<'a>> {
        self.asked.iter().filter(move |asked| asked.command == command)
    }

    /// The text of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters().find(|(found, _)| *found == name).map(|(_, text)| text)
    }

    /// All parameters that were answered.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self.all(Command::ConfigGet).flat_map(|asked| asked.reply.pairs());
        pairs.filter_map(|(name, value)| Some((name, value.text()?)))
    }

    /// All parameters, where all were asked for.
    pub fn all_parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.all(Command::ConfigGet).filter(|asked| asked.argument == EVERY_PARAMETER);
        all.flat_map(|asked| asked.reply.pairs()).filter_map(|(name, value)| Some((name, value.text()?)))
    }

    /// A field of `CLUSTER INFO`.
    pub fn cluster(&self, field: &str) -> Option<&'a str> {
        let text = self.of(Command::ClusterInfo)?.text()?;
        text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| *key == field).map(|(_, v)| v)
    }

    /// The rows of `CLIENT LIST`.
    pub fn clients(&self) -> impl Iterator<Item = ClientRow<'a>> {
        let text = self.of(Command::ClientList).and_then(Reply::text).unwrap_or_default();
        text.lines().filter(|line| !line.is_empty()).map(ClientRow)
    }

    /// Calls of a command, and the microseconds that they took together.
    pub fn calls(&self, command: &str) -> Option<(f64, f64)> {
        let row = self.info.get(&format!("cmdstat_{command}"))?;
        let part = |name: &str| {
            let found = row.split(',').filter_map(|item| item.split_once('=')).find(|(key, _)| *key == name);
            found.and_then(|(_, text)| number(text))
        };
        Some((part("calls")?, part("usec")?))
    }
}

/// One row of `CLIENT LIST`: `id=1 addr=… name=…`. No part holds a blank: Redis refuses such names.
#[derive(Clone, Copy)]
pub(super) struct ClientRow<'a>(&'a str);

impl<'a> ClientRow<'a> {
    /// A part of the row.
    pub fn part(&self, name: &str) -> Option<&'a str> {
        let parts = self.0.split(' ').filter_map(|part| part.split_once('='));
        let mut found = parts.filter(|(key, _)| *key == name);
        found.next().map(|(_, value)| value)
    }
}

/// A primary that a Sentinel watches, as its INFO has it: `master0:name=…,status=…,address=…,slaves=…,sentinels=…`.
#[derive(Clone, Copy)]
pub(super) struct WatchedRow<'a>(&'a str);

impl<'a> WatchedRow<'a> {
    /// All rows of a Sentinel's INFO.
    pub fn all(info: &'a InfoReply) -> impl Iterator<Item = Self> {
        let is_row = |key: &str| key.strip_prefix("master").is_some_and(|n| n.parse::<u32>().is_ok());
        info.section("Sentinel").filter(move |(key, _)| is_row(key)).map(|(_, value)| Self(value))
    }

    /// A part of the row.
    pub fn part(&self, name: &str) -> Option<&'a str> {
        let mut parts = self.0.split(',').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}
