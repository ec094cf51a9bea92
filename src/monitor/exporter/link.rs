//! One connection to a Redis, and the pipelines over it: all commands leave in one write, all answers come into one
//! buffer, everything before one deadline.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout_at;

use super::error::ScrapeError;
use super::resp::{Reply, RespError, Scanner, parse};
use crate::monitor::guard::Bytes;
use crate::monitor::socket::Ends;

/// All answers of one pipeline are no longer than this, in bytes: INFO may have 4 MiB, and the rest less.
const ANSWERS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A buffer begins with so many bytes: INFO and its companions fit into it.
const BUFFER_BYTES: usize = 32 * 1024;

/// A connection.
pub(super) struct Link {
    stream: Box<dyn Bytes>,
    /// The number of the database that it has selected.
    pub database: u32,
}

/// The answers to one pipeline.
#[derive(Debug)]
pub(super) struct Answers {
    bytes: Vec<u8>,
    scanner: Scanner,
    /// Answers that were taken off the front.
    taken: usize,
}

impl Answers {
    /// The answers in the order of their commands.
    pub fn replies(&self) -> Result<Vec<Reply<'_>>, ScrapeError> {
        let parsed = self.scanner.answers().skip(self.taken).map(|range| parse(&self.bytes[range]));
        parsed.collect::<Result<_, _>>().map_err(|source| ScrapeError::Garbled { source })
    }

    /// Takes the first answer off.
    pub fn take_first(&mut self) -> Result<Reply<'_>, ScrapeError> {
        let range = self.scanner.answers().nth(self.taken).unwrap_or_default();
        self.taken += 1;
        parse(&self.bytes[range]).map_err(|source| ScrapeError::Garbled { source })
    }
}

impl Link {
    pub fn new(stream: Box<dyn Bytes>) -> Self {
        Self { stream, database: 0 }
    }

    /// Sends a pipeline of `count` commands and reads as many answers. After an error the connection is of no use.
    pub async fn exchange(
        &mut self,
        pipeline: &[u8],
        count: usize,
        ends: Ends,
    ) -> Result<Answers, ScrapeError> {
        let late = |_| ScrapeError::Timeout { deadline: ends.deadline };
        timeout_at(ends.end, self.run(pipeline, count)).await.map_err(late)?
    }

    async fn run(&mut self, pipeline: &[u8], count: usize) -> Result<Answers, ScrapeError> {
        let lost = |source| ScrapeError::Lost { source };
        // A server that is full says so and hangs up: what it said is still to be read after a write that failed.
        let written = self.stream.write_all(pipeline).await;
        let (mut bytes, mut scanner) = (Vec::with_capacity(BUFFER_BYTES), Scanner::default());
        loop {
            let read = match self.stream.read_buf(&mut bytes).await {
                Ok(read) => read,
                Err(source) => return Err(first_words(&bytes).unwrap_or_else(|| lost(source))),
            };
            if read == 0 {
                let closed = written.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                return Err(first_words(&bytes).unwrap_or_else(|| lost(closed)));
            }
            if bytes.len() > ANSWERS_BYTES_MAX {
                let source = RespError::TooLarge { bytes: ANSWERS_BYTES_MAX };
                return Err(ScrapeError::Garbled { source });
            }
            let garbled = |source| ScrapeError::Garbled { source };
            if scanner.advance(&bytes, count).map_err(garbled)? {
                return if scanner.has_more(&bytes) {
                    Err(garbled(RespError::Unasked))
                } else {
                    Ok(Answers { bytes, scanner, taken: 0 })
                };
            }
        }
    }
}

/// The error that a server opened with before it hung up.
fn first_words(bytes: &[u8]) -> Option<ScrapeError> {
    let line = bytes.strip_prefix(b"-")?.split(|b| *b == b'\r').next()?;
    Some(ScrapeError::refused(line))
}
