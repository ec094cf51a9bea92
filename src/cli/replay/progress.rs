//! A bar on standard error while a replay works, where a person sees it.

use std::io::{IsTerminal as _, Write as _, stderr};

use crate::replay::Span;

/// Width of the bar in characters.
const CELLS: u64 = 40;

/// The bar.
pub(in crate::cli) struct Progress {
    span: Span,
    services: u64,
    done: u64,
    /// Thousandths shown; `None` where nobody looks.
    shown: Option<u64>,
}

impl Progress {
    pub(in crate::cli) fn new(span: Span, services: usize) -> Self {
        let services = u64::try_from(services).unwrap_or(1).max(1);
        Self { span, services, done: 0, shown: stderr().is_terminal().then_some(u64::MAX) }
    }

    /// Shows how far the present service is, Unix milliseconds.
    pub(in crate::cli) fn at(&mut self, at: i64) {
        let part = |ms: i64| u64::try_from(ms.max(0)).unwrap_or(0);
        let whole = part(self.span.until_unix_ms - self.span.from_unix_ms).max(1);
        let passed = part(at - self.span.from_unix_ms).min(whole);
        self.show((self.done * 1000 + passed * 1000 / whole) / self.services);
    }

    /// The present service is done.
    pub(in crate::cli) fn next(&mut self) {
        self.done += 1;
        self.show(self.done * 1000 / self.services);
    }

    fn show(&mut self, thousandths: u64) {
        if self.shown.is_none_or(|shown| shown == thousandths) {
            return;
        }
        self.shown = Some(thousandths);
        let full = usize::try_from(thousandths * CELLS / 1000).unwrap_or(0);
        let (full, empty) = ("█".repeat(full), "░".repeat(CELLS as usize - full.min(CELLS as usize)));
        let _ = write!(stderr(), "\r{full}{empty} {:>3} %", thousandths / 10);
    }
}

impl Drop for Progress {
    /// Removes the bar, whatever came of the work.
    fn drop(&mut self) {
        if self.shown.is_some() {
            // A terminal that is gone needs no bar.
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
