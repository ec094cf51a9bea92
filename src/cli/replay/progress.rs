//! How far a replay is: through a span of time, for one service after the other.

use crate::cli::bar::Bar;
use crate::replay::Span;

/// The bar of a replay.
pub(in crate::cli) struct Progress {
    span: Span,
    services: u64,
    done: u64,
    bar: Bar,
}

impl Progress {
    pub(in crate::cli) fn new(span: Span, services: usize) -> Self {
        let services = u64::try_from(services).unwrap_or(1).max(1);
        Self { span, services, done: 0, bar: Bar::new() }
    }

    /// Shows how far the present service is, Unix milliseconds.
    pub(in crate::cli) fn at(&mut self, at: i64) {
        let part = |ms: i64| u64::try_from(ms.max(0)).unwrap_or(0);
        let whole = part(self.span.until_unix_ms - self.span.from_unix_ms).max(1);
        let passed = part(at - self.span.from_unix_ms).min(whole);
        self.bar.show((self.done * 1000 + passed * 1000 / whole) / self.services);
    }

    /// The present service is done.
    pub(in crate::cli) fn next(&mut self) {
        self.done += 1;
        self.bar.show(self.done * 1000 / self.services);
    }
}
