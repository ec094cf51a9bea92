//! What streams are: their entries, who reads them, and who is behind.

use std::collections::BTreeMap;

use super::super::command::{Command, Pipeline};
use super::super::resp::Reply;
use super::labels::label;
use super::seen::{ConsumerGroup, Fields, StreamRow, fields};
use super::walk::{Stop, Walk};

/// Streams that are asked about at once: the answer holds their first and last entry.
const STREAMS_MAX: usize = 10;
/// Groups of readers of one stream that become series.
const GROUPS_MAX: usize = 100;
/// Readers of one group that become series.
const CONSUMERS_MAX: usize = 100;

/// What is read of a stream.
const STREAM: [&str; 8] = [
    "length",
    "radix-tree-keys",
    "radix-tree-nodes",
    "last-generated-id",
    "max-deleted-entry-id",
    "groups",
    "first-entry",
    "last-entry",
];
/// What is read of a group of readers.
const GROUP: [&str; 5] = ["consumers", "pending", "last-delivered-id", "entries-read", "lag"];
/// What is read of a reader.
const CONSUMER: [&str; 2] = ["pending", "idle"];

/// A group of readers: its stream's number in the batch, its name, its numbers.
type GroupOf = (usize, Vec<u8>, Fields);

impl Walk<'_> {
    /// Looks at streams of the selected database; a name that is none of a stream leaves nothing.
    pub(super) async fn look_at_streams(&mut self, database: u32, names: &[Vec<u8>]) -> Result<(), Stop> {
        if !self.may(Command::XinfoStream) {
            return Err(Stop::Refused);
        }
        for names in names.chunks(STREAMS_MAX) {
            let (streams, groups) = self.streams_and_groups(names).await?;
            let consumers = self.consumers(names, &groups).await?;
            let mut rows: Vec<Option<StreamRow>> = streams
                .into_iter()
                .map(|fields| fields.map(|fields| StreamRow { fields, groups: BTreeMap::new() }))
                .collect();
            for ((at, name, fields), consumers) in groups.into_iter().zip(consumers) {
                if let Some(row) = rows.get_mut(at).and_then(Option::as_mut) {
                    row.groups.insert(label(&name), ConsumerGroup { fields, consumers });
                }
            }
            for (name, row) in names.iter().zip(rows) {
                if let Some(row) = row {
                    self.seen.streams.insert((database, label(name)), row);
                }
            }
        }
        Ok(())
    }

    async fn streams_and_groups(
        &mut self,
        names: &[Vec<u8>],
    ) -> Result<(Vec<Option<Fields>>, Vec<GroupOf>), Stop> {
        let mut batch = Pipeline::default();
        for name in names {
            batch.ask_all(Command::XinfoStream, &[name]);
        }
        let with_groups = self.may(Command::XinfoGroups);
        for name in names.iter().filter(|_| with_groups) {
            batch.ask_all(Command::XinfoGroups, &[name]);
        }
        if batch.count() == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let answers = self.ask(&batch).await?;
        let replies = answers.replies().map_err(|_| Stop::Lost)?;
        let (streams, groups) = replies.split_at(names.len().min(replies.len()));
        let mut rows = Vec::with_capacity(streams.len());
        for reply in streams {
            rows.push(self.note_stream(Command::XinfoStream, reply).then(|| fields(reply, &STREAM)));
        }
        let mut all = Vec::new();
        for (at, reply) in groups.iter().enumerate() {
            // What is no stream has been told already.
            if rows.get(at).is_none_or(Option::is_none) || !self.note_stream(Command::XinfoGroups, reply) {
                continue;
            }
            if reply.items().len() > GROUPS_MAX {
                self.leave_out();
            }
            let named = reply.items().iter().filter_map(|row| Some((name_of(row)?, fields(row, &GROUP))));
            all.extend(named.take(GROUPS_MAX).map(|(name, fields)| (at, name, fields)));
        }
        Ok((rows, all))
    }

    async fn consumers(
        &mut self,
        names: &[Vec<u8>],
        groups: &[GroupOf],
    ) -> Result<Vec<BTreeMap<String, Fields>>, Stop> {
        let mut batch = Pipeline::default();
        if self.may(Command::XinfoConsumers) {
            for (at, group, _) in groups {
                batch.ask_all(Command::XinfoConsumers, &[&names[*at], group]);
            }
        }
        if batch.count() == 0 {
            return Ok(groups.iter().map(|_| BTreeMap::new()).collect());
        }
        let answers = self.ask(&batch).await?;
        let replies = answers.replies().map_err(|_| Stop::Lost)?;
        let mut all = Vec::with_capacity(replies.len());
        for reply in &replies {
            if self.note_stream(Command::XinfoConsumers, reply) && reply.items().len() > CONSUMERS_MAX {
                self.leave_out();
            }
            let rows = reply.items().iter().take(CONSUMERS_MAX);
            let named = rows.filter_map(|row| Some((label(&name_of(row)?), fields(row, &CONSUMER))));
            all.push(named.collect());
        }
        Ok(all)
    }

    /// As [`Walk::note`]; that a name is none of a stream, or of none any more, is no failure.
    fn note_stream(&mut self, command: Command, reply: &Reply<'_>) -> bool {
        let is_absent = |line: &[u8]| line.starts_with(b"ERR no such key") || line.starts_with(b"NOGROUP");
        if matches!(reply, Reply::Error(line) if is_absent(line)) {
            return false;
        }
        self.note(command, reply)
    }
}

/// The name in a row of groups or readers.
fn name_of(row: &Reply<'_>) -> Option<Vec<u8>> {
    let (_, name) = row.pairs().find(|(found, _)| *found == "name")?;
    match name {
        Reply::Text(name) => Some(name.to_vec()),
        Reply::Error(_) | Reply::Number(_) | Reply::Nil | Reply::List(_) => None,
    }
}
