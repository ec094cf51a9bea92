//! A bar on standard error while something works for long, where a person sees it.

use std::io::{IsTerminal as _, Write as _, stderr};

/// Width of the bar in characters.
const CELLS: u64 = 40;

/// The bar.
pub(super) struct Bar {
    /// Thousandths shown; `None` where nobody looks.
    shown: Option<u64>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self { shown: stderr().is_terminal().then_some(u64::MAX) }
    }

    /// Shows how much is done.
    pub(super) fn show(&mut self, thousandths: u64) {
        if self.shown.is_none_or(|shown| shown == thousandths) {
            return;
        }
        self.shown = Some(thousandths);
        let full = usize::try_from(thousandths * CELLS / 1000).unwrap_or(0);
        let (full, empty) = ("█".repeat(full), "░".repeat(CELLS as usize - full.min(CELLS as usize)));
        let _ = write!(stderr(), "\r{full}{empty} {:>3} %", thousandths / 10);
    }
}

impl Drop for Bar {
    /// Removes the bar, whatever came of the work.
    fn drop(&mut self) {
        if self.shown.is_some() {
            // A terminal that is gone needs no bar.
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
