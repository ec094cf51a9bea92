//! What single keys are: their size, their value where it is a number, their memory.

use super::super::command::{Command, Pipeline};
use super::super::resp::Reply;
use super::labels::label;
use super::seen::KeyRow;
use super::walk::{KEYS_MAX, Stop, Walk};
use crate::monitor::info::number;

/// A text that is longer is no number, in bytes.
const NUMBER_BYTES_MAX: u8 = 32;
/// The last byte that is asked of a text.
const NUMBER_END: &[u8] = b"31";
/// What the text of a HyperLogLog begins with.
const HYPERLOGLOG: &[u8] = b"HYLL";

/// What a key that is not there means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Somebody named it: its size is 0.
    Empty,
    /// It went between two commands.
    Gone,
}

/// The type of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There is none.
    Nothing,
    /// The server did not say, or the key is elsewhere.
    Untold,
    /// A text.
    Text,
    /// A collection, with the command that counts it.
    Collection(Command),
    /// What a module made.
    Other,
}

impl Kind {
    fn of(word: &[u8]) -> Self {
        match word {
            b"none" => Self::Nothing,
            b"string" => Self::Text,
            b"list" => Self::Collection(Command::Llen),
            b"set" => Self::Collection(Command::Scard),
            b"zset" => Self::Collection(Command::Zcard),
            b"hash" => Self::Collection(Command::Hlen),
            b"stream" => Self::Collection(Command::Xlen),
            _ => Self::Other,
        }
    }

    /// What is asked about a key of this type.
    fn questions(self) -> &'static [Command] {
        match self {
            Self::Nothing | Self::Untold => &[],
            Self::Text => &[Command::Strlen, Command::Getrange, Command::MemoryUsage],
            Self::Collection(Command::Llen) => &[Command::Llen, Command::MemoryUsage],
            Self::Collection(Command::Scard) => &[Command::Scard, Command::MemoryUsage],
            Self::Collection(Command::Zcard) => &[Command::Zcard, Command::MemoryUsage],
            Self::Collection(Command::Hlen) => &[Command::Hlen, Command::MemoryUsage],
            Self::Collection(_) => &[Command::Xlen, Command::MemoryUsage],
            Self::Other => &[Command::MemoryUsage],
        }
    }
}

impl Walk<'_> {
    /// Looks at keys of the selected database.
    pub(super) async fn look_at_keys(
        &mut self,
        database: u32,
        keys: &[Vec<u8>],
        missing: Missing,
    ) -> Result<(), Stop> {
        for keys in keys.chunks(KEYS_MAX) {
            let kinds = self.kinds(keys).await?;
            let rows = self.rows(keys, &kinds).await?;
            for ((key, kind), row) in keys.iter().zip(kinds).zip(rows) {
                let is_told = match kind {
                    Kind::Nothing => missing == Missing::Empty,
                    Kind::Untold => false,
                    Kind::Text | Kind::Collection(_) | Kind::Other => true,
                };
                if is_told {
                    self.seen.keys.insert((database, label(key)), row);
                }
            }
        }
        Ok(())
    }

    /// The memory of keys, in bytes.
    pub(super) async fn memory_of(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<u64>>, Stop> {
        let bytes = |reply: &Reply<'_>| reply.number().and_then(|bytes| u64::try_from(bytes).ok());
        let told = self.ask_each(&of_each(Command::MemoryUsage, keys), bytes).await?;
        Ok(told.into_iter().map(Option::flatten).collect())
    }

    async fn kinds(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Kind>, Stop> {
        let kind = |reply: &Reply<'_>| match reply {
            Reply::Text(word) => Kind::of(word),
            Reply::Error(_) | Reply::Number(_) | Reply::Nil | Reply::List(_) => Kind::Untold,
        };
        let told = self.ask_each(&of_each(Command::Type, keys), kind).await?;
        Ok(told.into_iter().map(|kind| kind.unwrap_or(Kind::Untold)).collect())
    }

    async fn rows(&mut self, keys: &[Vec<u8>], kinds: &[Kind]) -> Result<Vec<KeyRow>, Stop> {
        let (mut rows, mut places, mut questions) = (Vec::new(), Vec::new(), Vec::new());
        for (key, kind) in keys.iter().zip(kinds) {
            for ask in kind.questions() {
                places.push(rows.len());
                questions.push((*ask, &key[..]));
            }
            let size = (*kind == Kind::Nothing).then_some(0.0);
            rows.push(KeyRow { size, ..KeyRow::default() });
        }
        let answers = self.ask_each(&questions, Told::of).await?;
        let (mut counted, mut counts) = (Vec::new(), Vec::new());
        for ((at, (ask, key)), told) in places.into_iter().zip(questions).zip(answers) {
            match (ask, told) {
                (Command::MemoryUsage, Some(Told::Number(bytes))) => rows[at].memory = Some(bytes),
                (Command::Getrange, Some(Told::HyperLogLog)) => {
                    counted.push(at);
                    counts.push((Command::Pfcount, key));
                }
                (Command::Getrange, Some(Told::Text(value))) => {
                    // The rest of a longer text was not asked for.
                    let is_whole = rows[at].size.is_some_and(|size| size <= f64::from(NUMBER_BYTES_MAX));
                    rows[at].value = value.filter(|_| is_whole);
                }
                (_, Some(Told::Number(size))) => rows[at].size = Some(size),
                (_, Some(Told::HyperLogLog | Told::Text(_)) | None) => {}
            }
        }
        let counts = self.ask_each(&counts, Told::of).await?;
        for (at, told) in counted.into_iter().zip(counts) {
            rows[at].size = match told {
                Some(Told::Number(count)) => Some(count),
                Some(Told::HyperLogLog | Told::Text(_)) | None => None,
            };
        }
        Ok(rows)
    }

    /// Asks one thing of each key, in one batch; `None` where it was not asked, or answered with an error.
    async fn ask_each<T>(
        &mut self,
        questions: &[(Command, &[u8])],
        read: fn(&Reply<'_>) -> T,
    ) -> Result<Vec<Option<T>>, Stop> {
        let mut batch = Pipeline::default();
        let mut asked = Vec::with_capacity(questions.len());
        for (command, key) in questions {
            let may = self.may(*command);
            if may {
                let range: &[&[u8]] = &[key, b"0", NUMBER_END];
                batch.ask_all(*command, if *command == Command::Getrange { range } else { &range[..1] });
            } else {
                self.leave_out();
            }
            asked.push(may);
        }
        if batch.count() == 0 {
            return Ok(asked.iter().map(|_| None).collect());
        }
        let answers = self.ask(&batch).await?;
        let mut replies = answers.replies().map_err(|_| Stop::Lost)?.into_iter();
        let mut told = Vec::with_capacity(questions.len());
        for ((command, _), may) in questions.iter().zip(asked) {
            let reply = if may { replies.next() } else { None };
            told.push(reply.filter(|reply| self.note(*command, reply)).map(|reply| read(&reply)));
        }
        Ok(told)
    }
}

/// The same question about each key.
fn of_each(command: Command, keys: &[Vec<u8>]) -> Vec<(Command, &[u8])> {
    keys.iter().map(|key| (command, &key[..])).collect()
}

/// What was told of a key.
enum Told {
    /// A whole number.
    Number(f64),
    /// The beginning of a text, as a number where it is one.
    Text(Option<f64>),
    /// The beginning of a HyperLogLog.
    HyperLogLog,
}

impl Told {
    fn of(reply: &Reply<'_>) -> Self {
        match reply {
            Reply::Number(number) => Self::Number(*number as f64),
            Reply::Text(bytes) if bytes.starts_with(HYPERLOGLOG) => Self::HyperLogLog,
            Reply::Text(_) => Self::Text(reply.text().and_then(number)),
            Reply::Error(_) | Reply::Nil | Reply::List(_) => Self::Text(None),
        }
    }
}
