//! The conductor: one worker for each service gathers, decides and commits; the intake makes notifications durable.
//!
//! Absent on purpose: HTTP, and any knowledge of a provider's protocol.

mod analysis;
mod capacity;
mod command;
mod cycle;
mod flood;
mod intake;
mod ledger;
mod metrics;
mod report;
#[cfg(test)]
mod tests;
mod tidy;
mod view;
mod worker;

pub use analysis::analysis_settings;
pub use capacity::Capacity;
pub use command::{ControlHandle, Submission, SubmitError, Wakers};
pub use intake::Intake;
pub use ledger::{Ledger, LedgerHandle};
pub use metrics::Metrics;
pub use report::report;
pub use tidy::Tidy;
pub use view::{ServiceView, View};
pub use worker::{Setup, Worker};
