//! A guard around a connection's bytes: it bounds an answer, and remembers the server's first words.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::info::INFO_BYTES_MAX;

/// Largest accepted answer in bytes: the largest INFO and its frame.
const ANSWER_BYTES_MAX: usize = INFO_BYTES_MAX + 64;
/// So much of the first words is kept: an error line of Redis is shorter.
const FIRST_WORDS_BYTES_MAX: usize = 160;

/// A byte stream that can be any of TCP, TLS and unix socket.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytes for S {}

/// What the guard knows of a connection.
#[derive(Debug, Default)]
pub(super) struct Watch {
    received: AtomicUsize,
    ended: AtomicBool,
    first_words: Mutex<Vec<u8>>,
}

impl Watch {
    /// A new answer begins: its bytes count from zero.
    pub fn begin(&self) {
        self.received.store(0, Ordering::Relaxed);
    }

    /// The error line that the server opened the connection with, without its dash: it speaks unasked
    /// when it refuses a connection, and closes before a command can be matched with an answer.
    pub fn refusal(&self) -> Option<String> {
        let words = self.first_words.lock().unwrap_or_else(PoisonError::into_inner);
        let line = words.strip_prefix(b"-")?.split(|b| *b == b'\r').next()?;
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// Whether the server closed its side.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn note(&self, bytes: &[u8]) -> io::Result<()> {
        let before = self.received.fetch_add(bytes.len(), Ordering::Relaxed);
        let mut words = self.first_words.lock().unwrap_or_else(PoisonError::into_inner);
        let space = FIRST_WORDS_BYTES_MAX.saturating_sub(words.len());
        words.extend_from_slice(&bytes[..bytes.len().min(space)]);
        if before + bytes.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is longer than accepted"));
        }
        Ok(())
    }
}

/// The guarded stream.
pub(super) struct Guarded {
    stream: Box<dyn Bytes>,
    watch: Arc<Watch>,
}

impl Guarded {
    pub fn new(stream: Box<dyn Bytes>, watch: Arc<Watch>) -> Self {
        Self { stream, watch }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() == before && buf.remaining() > 0 {
            self.watch.ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(self.watch.note(&buf.filled()[before..]))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
